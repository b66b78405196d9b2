import { ObjectId } from 'mongodb'
import type { AuditLog } from '../../activity/audit-log.js'
import type { AuditAction } from '../../activity/audit-record.js'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { StoreFilter } from '../../core/collection/store-query.js'
import type { Database } from '../../core/database.js'
import { shownFields } from '../../core/declared-fields.js'
import type { Entity, Identified } from '../../core/entity.js'
import type { Client } from '../client.js'
import { authKeyOf, type ProviderAccount } from '../providers/auth-key.js'
import type { OpenedSession, SessionStore } from '../sessions/session-store.js'
import type { AnyUser } from '../user.js'
import {
  countedFailure,
  isLockOfNow,
  type LockOutLimits,
  passwordSuccess,
  providerSuccess,
  unlocked,
} from './lock-out.js'
import { type RefusalReason, SignInError } from './sign-in-error.js'

/** An authenticated user, with the session that was opened. */
export interface SignedIn<Stored> extends OpenedSession {
  readonly user: Stored
}

/** What of a user decides on signing in. */
export interface Credentials extends Identified {
  readonly email: string
  readonly status: string
  readonly password?: string
  readonly authKeys?: readonly string[] | undefined
  readonly loginAttempts?: number | undefined
  readonly lockUntil?: Date | undefined
  readonly deletedAt: Date | null
  /** By the server's clock, when the user was read. */
  readonly isLocked?: boolean
  /** Whether the write that it is read after has locked the user out. */
  readonly isLockedNow?: boolean
}

/** What attempts need. */
export interface AttemptNeeds {
  readonly auditLog: AuditLog
  readonly sessions: SessionStore
}

/**
 * The outcomes of attempts to sign in, each in a transaction of its own with its audit record and, on success, with the session.
 * To be called outside the caller's transaction: a rollback would remove a counted failure.
 */
export class Attempts<Stored extends AnyUser> {
  readonly #database: Database
  readonly #entity: Entity<Stored>
  readonly #users: EntityCollection<Credentials>
  readonly #auditLog: AuditLog
  readonly #sessions: SessionStore
  readonly #limits: LockOutLimits

  constructor(database: Database, entity: Entity<Stored>, { auditLog, sessions }: AttemptNeeds, limits: LockOutLimits) {
    this.#database = database
    this.#entity = entity
    this.#users = database.of<Credentials>(entity, { isDurable: true }).for('signIn')
    this.#auditLog = auditLog
    this.#sessions = sessions
    this.#limits = limits
  }

  /** Counts a wrong password. Where there is no such user, or one who is locked out already, that is counted by the hour, with as many writes. */
  async failed(known: Credentials | null, client: Client): Promise<SignInError> {
    const update = countedFailure(this.#limits)
    const projection = { email: 1, lockUntil: 1, isLockedNow: isLockOfNow(this.#limits) }
    return this.#database.transactions.run(async () => {
      const _id = known?._id ?? new ObjectId()
      const after = await this.#users.findOneAndUpdate({ _id, deletedAt: null }, update, { projection })
      const lockUntil = after?.lockUntil
      if (after?.isLockedNow) await this.#record(_id, 'locked_out', client, { lockedUntil: lockUntil })
      else if (after === null || lockUntil !== undefined)
        await this.#auditLog.countEvent(this.#entity, 'sign_in_failed')
      else await this.#record(_id, 'sign_in_failed', client, { reason: 'wrong' })
      return lockUntil === undefined ? new SignInError('wrong') : new SignInError('locked', lockUntil)
    })
  }

  /** Refuses an authenticated user; null where there is no such user. */
  async refused(
    user: { readonly _id: ObjectId; readonly lockUntil?: Date | undefined } | null,
    reason: RefusalReason,
    client: Client,
  ): Promise<SignInError> {
    // Who tries again and again while locked out would fill the log: that it is locked is in it.
    if (reason === 'locked') return new SignInError(reason, user?.lockUntil)
    if (user === null) await this.#auditLog.countEvent(this.#entity, 'sign_in_failed')
    else await this.#record(user._id, 'sign_in_failed', client, { reason })
    return new SignInError(reason)
  }

  /**
   * Takes the right password for good, unless the user was locked out, or may not sign in, or has got another password since it
   * was read. A right guess among wrong ones counts only before the last of them that is allowed.
   */
  rightPassword({ _id, password }: Credentials, client: Client): Promise<SignedIn<Stored> | null> {
    return this.#admit({ _id, password, ...unlocked }, passwordSuccess, client, 'password')
  }

  /** In the caller's transaction or one of its own. A lock is not looked at: it is against guessing passwords. */
  byProvider(_id: ObjectId, account: ProviderAccount, client: Client): Promise<SignedIn<Stored> | null> {
    return this.#admit({ _id, authKeys: authKeyOf(account) }, providerSuccess, client, account.provider)
  }

  /** The write of the user comes first: it orders this sign-in among others of the user, and among changes of the user. */
  #admit(
    filter: StoreFilter<Credentials>,
    update: readonly object[],
    client: Client,
    provider: string,
  ): Promise<SignedIn<Stored> | null> {
    return this.#database.transactions.run(async () => {
      const mayEnter = { ...filter, deletedAt: null, status: 'active' }
      const user = await this.#users.findOneAndUpdate<Stored>(mayEnter, update)
      if (user === null) return null
      const opened = await this.#sessions.open(user._id, client)
      await this.#record(user._id, 'signed_in', client, { provider, session: opened.session._id })
      return { ...opened, user: shownFields(this.#entity, user) }
    })
  }

  #record(user: ObjectId, action: AuditAction, client: Client, details: object): Promise<ObjectId> {
    const event = { entity: this.#entity, entityId: user, action, details: { ...client, ...details } }
    // Who failed need not be the user.
    return this.#auditLog.recordEvent(action === 'signed_in' ? { ...event, actor: user.toHexString() } : event)
  }
}
