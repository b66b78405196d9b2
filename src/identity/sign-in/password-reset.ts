import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { stampStage } from '../../core/collection/stamps.js'
import type { Database } from '../../core/database.js'
import { shownFields } from '../../core/declared-fields.js'
import type { Entity } from '../../core/entity.js'
import { newPasswordOf } from '../passwords/password.js'
import type { AnyUser } from '../user.js'
import type { UserWatch } from '../user-watch.js'
import { type Addressed, type MailedToken, MailedTokens, tokenRefused } from './mailed-tokens.js'
import type { UserToken } from './user-token.js'

/** NIST SP 800-63B-4, 4.2.1.2, allows a day by e-mail. */
const validForMs = 3_600_000
/** Who is kept out, or has left, does not come back by a mail. */
const mayReset = { deletedAt: null, status: { $in: ['active', 'pending'] } }

/** New passwords for who has forgotten the old one, and gets mail at the user's address. */
export class PasswordReset<Stored extends AnyUser> {
  readonly #database: Database
  readonly #entity: Entity<Stored>
  readonly #users: EntityCollection<Addressed>
  readonly #tokens: MailedTokens
  readonly #watch: UserWatch

  constructor(
    database: Database,
    entities: { readonly users: Entity<Stored>; readonly userTokens: Entity<UserToken> },
    watch: UserWatch,
  ) {
    this.#database = database
    this.#entity = entities.users
    this.#users = database.of<Addressed>(entities.users, { isDurable: true })
    this.#tokens = new MailedTokens(database, entities, 'reset_password', validForMs)
    this.#watch = watch
  }

  request(email: string): Promise<MailedToken | null> {
    return this.#tokens.request(email, mayReset)
  }

  async perform(token: string, plain: string): Promise<Stored> {
    const shown = await this.#tokens.find(token)
    const hash = await this.#database.hasher.hash(newPasswordOf(plain))
    const user = await this.#database.transactions.run(() => this.#change(shown, hash))
    return shownFields(this.#entity, user)
  }

  /** The token is used and the new password stored, or neither. */
  async #change(token: UserToken, hash: string): Promise<Stored> {
    await this.#tokens.use(token)
    const { user: _id, email } = token
    const stage = {
      password: { $literal: hash },
      loginAttempts: 0,
      lockUntil: '$$REMOVE',
      // The token proves the address. Accounts that were linked before the first proof may be another person's.
      authKeys: { $cond: [{ $eq: [{ $type: '$emailVerifiedAt' }, 'date'] }, '$authKeys', '$$REMOVE'] },
      emailVerifiedAt: { $ifNull: ['$emailVerifiedAt', '$$NOW'] },
      ...stampStage('$$NOW'),
    }
    const changed = await this.#watch.during({ _id }, ['password', 'authKeys'], () =>
      this.#users.for('resetPassword').findOneAndUpdate<Stored>({ _id, email, ...mayReset }, [{ $set: stage }]),
    )
    if (changed === null) throw tokenRefused()
    return changed
  }
}
