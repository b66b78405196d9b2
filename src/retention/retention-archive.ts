import { z } from 'zod'
import { defineEntity, type Stored } from '../core/entity.js'

const collectionName = () => z.string().min(1).max(255)

/** Retention archive: a collection that policies have archived documents to, and whose documents these are. */
export const retentionArchiveEntity = defineEntity({
  name: 'retention archive',
  collection: 'retention_archives',
  personal: 'none',
  fields: {
    /** The collection that the documents are in. */
    archive: collectionName(),
    /** The collection that they came from. */
    source: collectionName(),
  },
  indexes: [{ key: { archive: 1, source: 1 }, unique: true, serves: 'what was archived where' }],
})

export type RetentionArchive = Stored<typeof retentionArchiveEntity>
