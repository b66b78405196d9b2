import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'

const sha256 = () => z.string().regex(/^[0-9a-f]{64}$/)

/** A file that entries have gone into. */
export const archiveEntity = defineAppendOnlyEntity({
  name: 'ledger archive',
  collection: 'ledger_archives',
  fields: {
    /** The leaves before its first one. */
    fromSize: z.int().min(0),
    /** The size of the checkpoint that it ends at. */
    size: z.int().min(1),
    /** The file's name when it was written. */
    file: z.string().min(1).max(1000),
    /** Of the whole file. */
    sha256: sha256(),
    archivedAt: z.date(),
  },
  shardKey: { size: 1 },
  indexes: [{ key: { size: 1 }, unique: true, serves: 'the last archive; all in order' }],
})
export type Archive = Stored<typeof archiveEntity>

/** Where a chain begins whose first entries are archived. */
export const seamEntity = defineAppendOnlyEntity({
  name: 'ledger seam',
  collection: 'ledger_seams',
  fields: {
    switchId: objectId(),
    /** The last entry that is archived. */
    sequence: z.int().min(1),
    hash: sha256(),
    /** The latest time that an archived entry tells of: what was before is not known here any more. */
    until: z.date(),
  },
  shardKey: { switchId: 1 },
  indexes: [{ key: { switchId: 1 }, unique: true, serves: 'the seam of a chain' }],
})
export type Seam = Stored<typeof seamEntity>
