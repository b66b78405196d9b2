import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity, Identified } from '../../core/entity.js'
import { BusyError, DatabaseError, NotFoundError } from '../../core/errors.js'
import { toObjectId } from '../../core/fields.js'
import { type Client, clientOf } from '../client.js'
import { emailAddress } from '../email-address.js'
import type { AuthProviders } from '../providers/auth-providers.js'
import { type ProviderIdentity, type ProviderOptions, ProviderSignIn } from '../providers/provider-sign-in.js'
import type { AnyUser, User } from '../user.js'
import type { UserWatch } from '../user-watch.js'
import { type AttemptNeeds, Attempts, type Credentials, type SignedIn } from './attempts.js'
import { EmailVerification } from './email-verification.js'
import { isLocked, type LockOutOptions, lockOutOptionsOf } from './lock-out.js'
import type { MailedToken } from './mailed-tokens.js'
import { PasswordChange, type PasswordChangeOptions } from './password-change.js'
import { PasswordReset } from './password-reset.js'
import { reasonOf } from './sign-in-error.js'
import type { UserToken } from './user-token.js'

export interface SignInEntities<Stored extends AnyUser> {
  readonly users: Entity<Stored>
  readonly userTokens: Entity<UserToken>
}

/** What signing in needs. */
export interface SignInNeeds extends AttemptNeeds {
  readonly watch: UserWatch
  readonly providers: AuthProviders
  readonly createUser: (fields: Readonly<Record<string, unknown>>) => Promise<Identified>
}

export interface SignInOptions {
  /** When wrong passwords lock a user out, and for how long. */
  readonly lockOut?: LockOutOptions
  /** Whom accounts elsewhere belong to. */
  readonly providers?: ProviderOptions
}

/** A password may be changed while it is being compared: then it is compared again. */
const maximumComparisons = 3

/**
 * Signing in. Every attempt is committed by itself, whatever becomes of a transaction that the caller may be in: otherwise a
 * rollback would take back that somebody guessed.
 */
export class SignIn<Stored extends AnyUser = User> {
  readonly #database: Database
  readonly #entity: Entity<Stored>
  readonly #users: EntityCollection<Credentials>
  readonly #attempts: Attempts<Stored>
  readonly #needs: SignInNeeds
  readonly #passwordReset: PasswordReset<Stored>
  readonly #passwordChange: PasswordChange
  readonly #emailVerification: EmailVerification<Stored>
  readonly #providerSignIn: ProviderSignIn<Stored>

  /** @throws DatabaseError `CONFIGURATION` for options that cannot be used. */
  constructor(
    database: Database,
    entities: SignInEntities<Stored>,
    needs: SignInNeeds,
    { lockOut, providers = {} }: SignInOptions = {},
  ) {
    this.#database = database
    const { users } = entities
    this.#entity = users
    this.#users = database.of<Credentials>(users, { isDurable: true })
    this.#needs = needs
    this.#attempts = new Attempts(database, users, needs, lockOutOptionsOf(lockOut))
    this.#passwordReset = new PasswordReset(database, entities, needs.watch)
    this.#passwordChange = new PasswordChange(database, users, this.#attempts, needs.watch)
    this.#emailVerification = new EmailVerification(database, entities, needs.auditLog)
    const { createUser } = needs
    const providerNeeds = { attempts: this.#attempts, providers: needs.providers, createUser }
    this.#providerSignIn = new ProviderSignIn(database, users, providerNeeds, providers)
  }

  /**
   * The user with this address and this password, with a new session. Wrong attempts are forgotten, and `lastLogin` is now. It
   * takes the same work whether the address exists or not. A hash of another kind, or of fewer rounds, is replaced by one of today's.
   * @param client Where the attempt comes from, for the session and the audit log.
   * @throws SignInError, with the same message whatever the reason; ValidationError for a client that is none; BusyError.
   */
  async withPassword(email: string, password: string, client: Client = {}): Promise<SignedIn<Stored>> {
    const from = clientOf(client)
    return this.#database.transactions.outside(() => this.#withPassword(email, password, from))
  }

  /**
   * The user with this account of another system, with a new session. One who is not known yet gets a user, if the identity has an address that no
   * user has. An address that a user has is enough only if the host says so (`providers.linkByVerifiedAddress`) and both sides have verified it.
   * @param identity What the provider says, which the host has verified.
   * @throws SignInError, `unlinked` where there is no such user and none can be made; ValidationError.
   */
  async withProvider(identity: ProviderIdentity, client: Client = {}): Promise<SignedIn<Stored>> {
    const from = clientOf(client)
    return this.#database.transactions.outside(() => this.#providerSignIn.perform(identity, from))
  }

  /** Lets a user try again who is locked out. @throws NotFoundError. */
  async unlock(id: ObjectId | string): Promise<void> {
    const _id = toObjectId(id)
    const update = { $set: { loginAttempts: 0 }, $unset: { lockUntil: '' } }
    await this.#database.transactions.run(async () => {
      const { matched } = await this.#users.for('unlock').updateOne({ _id, deletedAt: null }, update)
      if (matched === 0) throw new NotFoundError(this.#entity.name, `id ${_id.toHexString()}`)
      await this.#needs.auditLog.recordEvent({ entity: this.#entity, entityId: _id, action: 'unlocked' })
    })
  }

  /**
   * A token for a new password, which takes the place of an earlier one and is good for an hour. Null where no active or pending
   * user has the address: answer the same either way, and do not let the caller wait for this.
   */
  requestPasswordReset(email: string): Promise<MailedToken | null> {
    return this.#passwordReset.request(email)
  }

  /**
   * Gives the user whose token it is a new password, lifts a lock, and ends all sessions. The user signs in with it then; this does not.
   * @returns the user.
   * @throws DatabaseError `TOKEN_REFUSED` for a token that is not known, was used, or has expired; ValidationError for a
   * password that is not to be used, which leaves the token as it is; BusyError.
   */
  resetPassword(token: string, password: string): Promise<Stored> {
    return this.#passwordReset.perform(token, password)
  }

  /**
   * Gives a user another password who knows the present one, and ends all other sessions. A wrong one counts as a failed attempt to sign in.
   * @param options `session`: the id of the session that goes on; all end without it. `client`: where the attempt comes from.
   * @throws SignInError for a wrong password, and for a user who may not sign in; ValidationError for a new one that is not to be used; BusyError.
   */
  async changePassword(
    id: ObjectId | string,
    present: string,
    next: string,
    options: PasswordChangeOptions = {},
  ): Promise<void> {
    return this.#database.transactions.outside(() =>
      this.#passwordChange.perform(toObjectId(id), present, next, options),
    )
  }

  /**
   * A token that proves that the user gets the mail of the address, which takes the place of an earlier one and is good for a day. Null where no active
   * or pending user has the address, or it is verified: see {@link requestPasswordReset} for what to answer.
   */
  requestEmailVerification(email: string): Promise<MailedToken | null> {
    return this.#emailVerification.request(email)
  }

  /**
   * Notes that the user whose token it is gets mail at the address (`emailVerifiedAt`). The status stays as it is.
   * @returns the user.
   * @throws DatabaseError `TOKEN_REFUSED` as for {@link resetPassword}.
   */
  verifyEmail(token: string): Promise<Stored> {
    return this.#emailVerification.perform(token)
  }

  async #withPassword(email: string, password: string, client: Client): Promise<SignedIn<Stored>> {
    const address = emailAddress().safeParse(email)
    for (let comparison = 1; comparison <= maximumComparisons; comparison += 1) {
      const known = address.success ? await this.#find({ email: address.data, deletedAt: null }) : null
      const isRight = await this.#database.hasher.verify(password, known?.password)
      if (known === null || !isRight) throw await this.#attempts.failed(known, client)
      const signedIn = await this.#attempts.rightPassword(known, client)
      if (signedIn !== null) {
        await this.#renewHash(known, password)
        return signedIn
      }
      const now = await this.#find({ _id: known._id, deletedAt: null })
      if (now === null) throw await this.#attempts.failed(null, client)
      const reason = reasonOf(now)
      if (reason !== undefined) throw await this.#attempts.refused(now, reason, client)
    }
    throw new DatabaseError('CONTENTION', 'The password was changed again and again while it was being compared', {
      retryable: true,
    })
  }

  #find(filter: { readonly _id?: ObjectId; readonly email?: string; readonly deletedAt: null }) {
    const projection = { email: 1, status: 1, password: 1, loginAttempts: 1, lockUntil: 1, deletedAt: 1, isLocked }
    return this.#users.for('signIn').findOne(filter, { projection })
  }

  async #renewHash({ _id, password: before }: Credentials, plain: string): Promise<void> {
    const { hasher } = this.#database
    if (before === undefined || hasher.isCurrent(before)) return
    try {
      const password = await hasher.renew(plain)
      await this.#users
        .for('signIn')
        .updateOne({ _id, password: before }, [{ $set: { password: { $literal: password } } }])
    } catch (error) {
      // Who is signed in stays so: the next time will do.
      if (!(error instanceof BusyError)) throw error
      this.#database.logger.debug({ reason: error.message }, 'a password hash was not renewed')
    }
  }
}
