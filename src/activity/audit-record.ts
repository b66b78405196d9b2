import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../core/entity.js'
import { anyValue, objectId } from '../core/fields.js'

const values = () => z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue())

/** What can have happened: to any document, then to people and what they may do. */
export const auditActions = [
  'created',
  'changed',
  'removed',
  'restored',
  'signed_in',
  'sign_in_failed',
  'locked_out',
  'unlocked',
  'session_ended',
  'token_reused',
  'password_changed',
  'email_verified',
  'provider_added',
  'provider_removed',
  'access_denied',
  'exported',
  'hold_placed',
  'hold_released',
  'erasure_started',
  'erased',
] as const
export type AuditAction = (typeof auditActions)[number]

const auditRecordsExpireAfterSeconds = 7_776_000

/**
 * Who did what that others rest on, such as changing a price or signing in: written with what it reports, and never changed.
 * @param expireAfterSeconds How long records are kept; null for ever.
 */
export function auditRecordEntityOf(expireAfterSeconds: number | null) {
  const expiry = expireAfterSeconds === null ? {} : { expireAfterSeconds }
  return defineAppendOnlyEntity({
    name: 'audit record',
    collection: 'audit_logs',
    personal: {
      subjects: {
        actor: { onErasure: 'anonymise', fields: ['details.ip', 'details.userAgent'] },
        entityId: { onErasure: 'anonymise', fields: ['before', 'after', 'details'] },
      },
      mentions: { in: ['actor', 'before', 'after', 'details'], onErasure: 'replace' },
      notPersonal: ['at', 'created_at', 'action', 'entity'],
    },
    fields: {
      /** When it happened. */
      at: z.date(),
      /** What `at` is called in records that older systems have written. */
      created_at: z.date().optional(),
      /** Who did it: the id of a user, or the host's words; left out if it is not known. */
      actor: z.string().min(1).max(256).optional(),
      /** What was done. */
      action: z.enum(auditActions),
      /** What the entity is called, such as `cost version`. */
      entity: z.string().min(1).max(100),
      /** The document that it was done to. */
      entityId: objectId(),
      /** The document, or what of it counts, as it was; left out if it is new. */
      before: values().optional(),
      /** The same as it is; left out if the document was removed. */
      after: values().optional(),
      /** What else belongs to it, such as the client of a sign-in. */
      details: values().optional(),
    },
    shardKey: { entityId: 1 },
    indexes: [
      { key: { entityId: 1, at: -1, _id: -1 }, serves: 'what happened to a document or a user, newest first' },
      { key: { actor: 1, at: -1, _id: -1 }, serves: 'what somebody did, newest first' },
      { key: { action: 1, at: -1, _id: -1 }, serves: 'the last events of a kind, such as lock-outs' },
      { key: { at: -1, _id: -1 }, serves: 'the last events' },
      { key: { 'details.$**': 1 }, serves: 'the records with any one detail, such as an address' },
      { key: { at: 1 }, ...expiry, serves: 'nobody: the server removes what is older' },
      { key: { created_at: 1 }, ...expiry, serves: 'the same, of records that older systems have written' },
    ],
  })
}

export const auditRecordEntity = auditRecordEntityOf(auditRecordsExpireAfterSeconds)

export type AuditRecord = Stored<typeof auditRecordEntity>
