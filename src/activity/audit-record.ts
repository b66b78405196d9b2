import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../core/entity.js'
import { objectId } from '../core/fields.js'

/** Whatever a document can hold. */
const anyValue = () =>
  z.unknown().meta({
    bsonType: 'string double int long decimal bool date objectId binData object array null'.split(' '),
  })
const values = () => z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue())

/** Who changed what that others rest on, such as a price: written with the change, and never changed. */
export const auditRecordEntity = defineAppendOnlyEntity({
  name: 'audit record',
  collection: 'audit_logs',
  fields: {
    at: z.date(),
    /** Who did it, in the host's words; left out if the host did not say. */
    actor: z.string().min(1).max(256).optional(),
    action: z.enum(['created', 'changed', 'removed']),
    /** What the entity is called, such as `cost version`. */
    entity: z.string().min(1).max(100),
    entityId: objectId(),
    /** The document as it was; left out if it is new. */
    before: values().optional(),
    /** The document as it is; left out if it was removed. */
    after: values().optional(),
    /** What else belongs to the change. */
    details: values().optional(),
  },
  shardKey: { entityId: 1 },
  indexes: [
    { key: { entityId: 1, at: -1, _id: -1 }, serves: 'the changes of a document, newest first' },
    { key: { actor: 1, at: -1, _id: -1 }, serves: 'what somebody changed, newest first' },
    { key: { at: -1, _id: -1 }, serves: 'the last changes' },
  ],
})

export type AuditRecord = Stored<typeof auditRecordEntity>
