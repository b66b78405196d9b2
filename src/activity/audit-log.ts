import { ObjectId } from 'mongodb'
import type { EntityDescription, Identified } from '../core/entity.js'
import { Reader } from '../core/repository/reader.js'
import type { AuditRecord } from './audit-record.js'

/** A change of a document. */
export interface AuditedChange {
  readonly entity: EntityDescription
  readonly actor: string | undefined
  /** Left out if the document is new. */
  readonly before?: Identified | undefined
  /** Left out if the document was removed. */
  readonly after?: Identified | undefined
  readonly details?: Readonly<Record<string, unknown>>
}

/** Who changed what, newest first or by document or person; written by the library with each change, changed by nobody. */
export class AuditLog extends Reader<AuditRecord> {
  /** Records a change, without what the entity keeps secret. Takes part in the caller's transaction. @returns the record's id. */
  async record(changed: AuditedChange): Promise<ObjectId> {
    const { entity, actor, before, after, details } = changed
    const _id = new ObjectId()
    const record: AuditRecord = {
      _id,
      at: this.database.clock.now(),
      actor,
      action: before === undefined ? 'created' : after === undefined ? 'removed' : 'changed',
      entity: entity.name,
      entityId: (after ?? before)?._id ?? _id,
      before: before && withoutSecrets(entity, before),
      after: after && withoutSecrets(entity, after),
      details,
    }
    await this.documents.for('record').insertOne(record)
    return _id
  }
}

function withoutSecrets({ secrets }: EntityDescription, document: Identified): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([name]) => !Object.hasOwn(secrets, name)))
}
