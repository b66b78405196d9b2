import type { ObjectId } from 'mongodb'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { NotFoundError } from '../core/errors.js'
import { toObjectId } from '../core/fields.js'
import { Reader } from '../core/repository/reader.js'
import { SecretFields } from '../core/repository/secret-fields.js'
import type { QuarantinedMessage } from './quarantine.js'

/** Messages that ingestion could not use. Only ingestion takes any away, by a replay or for age or number, and counts it. */
export class QuarantineReader extends Reader<QuarantinedMessage> {
  readonly #secrets: SecretFields

  constructor(database: Database, entity: Entity<QuarantinedMessage>) {
    super(database, entity)
    this.#secrets = new SecretFields(database, entity)
  }

  /**
   * The payload as it came, whatever secrets it has, in base64.
   * @throws NotFoundError, DatabaseError `KEY_RING`.
   */
  async revealSecret(id: ObjectId | string, field: 'payload'): Promise<string> {
    const payload = await this.#secrets.reveal(toObjectId(id), field)
    if (payload === null) throw new NotFoundError(this.entity.name, `id ${String(id)} and a ${field}`)
    return payload
  }
}
