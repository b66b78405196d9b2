import type { AuditLog } from '../../activity/audit-log.js'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import { shownFields } from '../../core/declared-fields.js'
import type { Entity } from '../../core/entity.js'
import type { AnyUser } from '../user.js'
import { type Addressed, type MailedToken, MailedTokens, tokenRefused } from './mailed-tokens.js'
import type { UserToken } from './user-token.js'

const validForMs = 86_400_000
const mayVerify = { deletedAt: null, status: { $in: ['active', 'pending'] } }

/** Proofs that a user gets the mail of the address. */
export class EmailVerification<Stored extends AnyUser> {
  readonly #database: Database
  readonly #entity: Entity<Stored>
  readonly #users: EntityCollection<Addressed>
  readonly #tokens: MailedTokens
  readonly #auditLog: AuditLog

  constructor(
    database: Database,
    entities: { readonly users: Entity<Stored>; readonly userTokens: Entity<UserToken> },
    auditLog: AuditLog,
  ) {
    this.#database = database
    this.#entity = entities.users
    this.#users = database.of<Addressed>(entities.users, { isDurable: true })
    this.#tokens = new MailedTokens(database, entities, 'verify_email', validForMs)
    this.#auditLog = auditLog
  }

  request(email: string): Promise<MailedToken | null> {
    // Absent and null alike.
    return this.#tokens.request(email, { ...mayVerify, emailVerifiedAt: null })
  }

  async perform(token: string): Promise<Stored> {
    const shown = await this.#tokens.find(token)
    const user = await this.#database.transactions.run(() => this.#verify(shown))
    return shownFields(this.#entity, user)
  }

  async #verify(token: UserToken): Promise<Stored> {
    await this.#tokens.use(token)
    const { user: _id, email } = token
    const update = { $set: { emailVerifiedAt: this.#database.clock.now() } }
    const verified = await this.#users.for('verifyEmail').findOneAndUpdate<Stored>({ _id, email, ...mayVerify }, update)
    if (verified === null) throw tokenRefused()
    const event = { entity: this.#entity, entityId: _id, action: 'email_verified', details: { email } } as const
    await this.#auditLog.recordEvent(event)
    return verified
  }
}
