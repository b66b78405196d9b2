import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { quantity } from '../../core/fields.js'

const keptForSeconds = 400 * 86_400
const bytes = () => quantity(0, 1e18)

/** Size record: how large the collections were on a day. Growth is measured from it. */
export const sizeRecordEntity = defineEntity({
  name: 'size record',
  collection: 'collection_sizes',
  personal: 'none',
  fields: {
    /** The day by UTC, such as `2026-11-29`. */
    day: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
    /** When the collections were looked at. */
    at: z.date(),
    /** The collections that there were. */
    collections: z.array(
      z.strictObject({
        /** The collection's real name. */
        name: z.string().min(1).max(255),
        /** How many documents it had. */
        documents: bytes(),
        /** Bytes of the documents, before compression. */
        dataBytes: bytes(),
        /** Bytes on disk, without indexes. */
        storageBytes: bytes(),
        /** Bytes of the indexes on disk. */
        indexBytes: bytes(),
      }),
    ),
  },
  indexes: [
    { key: { day: 1 }, unique: true, serves: 'the record of a day, one for all processes' },
    { key: { at: 1 }, expireAfterSeconds: keptForSeconds, serves: 'nobody: the server removes what is older' },
  ],
})

export type SizeRecord = Stored<typeof sizeRecordEntity>
