import { z } from 'zod'
import { defineAppendOnlyEntity } from '../../core/entity.js'
import { anyValue } from '../../core/fields.js'

const values = () => z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue())

/**
 * What a migration of the package did to a document, so that its `down` can undo that and nothing else. Removed with the rollback.
 */
export const migrationChangeEntity = defineAppendOnlyEntity({
  name: 'migration change',
  collection: 'migration_changes',
  personal: {
    subjects: { 'document.id': { onErasure: 'delete document' } },
    mentions: { in: ['before', 'after'], onErasure: 'replace' },
  },
  fields: {
    /** The id of the migration. */
    migration: z.string().min(1).max(300),
    document: z.strictObject({ collection: z.string().min(1).max(255), id: anyValue() }),
    /** The fields as they were, and as they were written; one that is missing in one of them was missing then. */
    before: values().optional(),
    /** Of a copy that is not as its original, the whole of it. */
    after: values().optional(),
    /** The collection that the document was copied from. */
    copiedFrom: z.string().min(1).max(255).optional(),
  },
  indexes: [
    { key: { migration: 1, _id: 1 }, serves: 'what a migration did, for its rollback' },
    {
      key: { migration: 1, 'document.collection': 1, 'document.id': 1 },
      unique: true,
      serves: 'what it did to a document, once however often it is run',
    },
  ],
})
