import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'
import { sha256 } from '../entry/sha256.js'

/** A file that entries have gone into. */
export const archiveEntity = defineAppendOnlyEntity({
  name: 'ledger archive',
  collection: 'ledger_archives',
  personal: 'none',
  fields: {
    /** The leaves before its first one. */
    fromSize: z.int().min(0),
    /** The size of the checkpoint that it ends at. */
    size: z.int().min(1),
    /** The file's name when it was written. */
    file: z.string().min(1).max(1000),
    /** Of the whole file, in hexadecimal, as tools print it. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    /** When the archive was made. */
    archivedAt: z.date(),
    /** Signed: all of this, and where every chain goes on after it. */
    note: z.string().min(1).max(100_000),
  },
  shardKey: { size: 1 },
  indexes: [{ key: { size: 1 }, unique: true, serves: 'the last archive; all in order' }],
})
export type Archive = Stored<typeof archiveEntity>

/** Seam: where a chain begins whose first entries are archived. */
export const seamEntity = defineAppendOnlyEntity({
  name: 'ledger seam',
  collection: 'ledger_seams',
  personal: 'none',
  fields: {
    /** The switch that it is of. */
    switchId: objectId(),
    /** The last entry that is archived. */
    sequence: z.int().min(1),
    /** The SHA-256 of the entry. */
    hash: sha256(),
    /** Whose it is: the entries after it are theirs as well, up to the first one that is `placed`. */
    deviceId: objectId(),
    /** The classroom that it was in then. */
    classroom: objectId(),
    /** The latest time of an archived entry: earlier facts are not known here any more. */
    until: z.date(),
  },
  shardKey: { switchId: 1 },
  indexes: [{ key: { switchId: 1 }, unique: true, serves: 'the seam of a chain' }],
})
export type Seam = Stored<typeof seamEntity>
