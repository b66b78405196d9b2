import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import { shownFields } from '../../core/declared-fields.js'
import type { Entity } from '../../core/entity.js'
import { NotFoundError } from '../../core/errors.js'
import { toObjectId } from '../../core/fields.js'
import { isToken, tokenHash } from '../secret-token.js'
import type { AnyUser, User } from '../user.js'
import { Refresh } from './refresh.js'
import { type Session, type StoredSession, shownOfSession, shownSession } from './session.js'
import { isLive, type OpenedSession, type SessionStore } from './session-store.js'

/** Who shows a token. */
export interface SessionWithUser<Stored> {
  readonly session: Session
  /** As the user is now: role, status and classrooms are read each time. */
  readonly user: Stored
}

const longestSlideMs = 60_000
const hexId = /^[0-9a-f]{24}$/

/**
 * The sessions of users, which signing in opens. Each call asks the database: what was ended in one process has ended in all.
 * A session of a user who is not active any more, or was deleted, is none.
 */
export class Sessions<Stored extends AnyUser = User> {
  readonly #database: Database
  readonly #userEntity: Entity<Stored>
  readonly #users: EntityCollection<Stored>
  readonly #store: SessionStore
  readonly #refresh: Refresh<Stored>

  constructor(database: Database, userEntity: Entity<Stored>, store: SessionStore) {
    this.#database = database
    this.#userEntity = userEntity
    this.#users = database.of(userEntity, { isDurable: true })
    this.#store = store
    this.#refresh = new Refresh(store, (user) => this.#activeUser(user))
  }

  /**
   * The session whose token it is, with its user; null if there is none, or it has ended. Using a session makes it live longer, up
   * to its absolute end; that is written once a minute at most.
   */
  find(token: string): Promise<SessionWithUser<Stored> | null> {
    if (!isToken(token)) return Promise.resolve(null)
    return this.#outside(() => this.#find(tokenHash(token)))
  }

  /**
   * New tokens for a refresh token, in place of both that the client had; null if it is none, or its session has ended. A token that is used
   * again within the grace period gives the same tokens again; after it, the session ends, as one of two who used it is a thief
   * (RFC 9700, 4.14.2).
   */
  refresh(refreshToken: string): Promise<(OpenedSession & SessionWithUser<Stored>) | null> {
    return this.#outside(() => this.#refresh.perform(refreshToken))
  }

  /** The live sessions of a user, last used first. */
  async list(user: ObjectId | string): Promise<Session[]> {
    return this.#store.list(toObjectId(user, 'user'))
  }

  /** Ends the session whose token it is: its user signs out. @returns whether there was one. */
  async end(token: string): Promise<boolean> {
    if (!isToken(token)) return false
    return (await this.#store.end({ tokenHash: tokenHash(token) }, 'signed_out')) > 0
  }

  /** Ends one session of the user. @throws NotFoundError where the user has no live session of this id. */
  async revoke(user: ObjectId | string, session: ObjectId | string): Promise<void> {
    const which = { _id: toObjectId(session, 'session'), user: toObjectId(user, 'user') }
    const ended = await this.#store.end(which, 'revoked')
    if (ended === 0) throw new NotFoundError('session', `id ${which._id.toHexString()} of this user`)
  }

  /** Ends all sessions of the user. @returns how many there were. */
  async revokeAll(user: ObjectId | string): Promise<number> {
    return this.#store.end({ user: toObjectId(user, 'user') }, 'revoked')
  }

  /** Ends all sessions of the user but one. @returns how many there were. */
  async revokeOthers(user: ObjectId | string, session: ObjectId | string): Promise<number> {
    return this.#store.end({ user: toObjectId(user, 'user'), _id: { $ne: toObjectId(session, 'session') } }, 'revoked')
  }

  /**
   * Whether a JSON Web Token that was made for a session is good no more: the session has ended, or its user is not active.
   * @param jti That of the session. For anything else the answer is yes.
   */
  async isRevoked(jti: string): Promise<boolean> {
    if (typeof jti !== 'string' || !hexId.test(jti)) return true
    return this.#outside(async () => {
      const filter = { _id: toObjectId(jti, 'jti'), ...isLive }
      const found = await this.#store.sessions
        .for('isRevoked')
        .findOne<Pick<StoredSession, 'user'>>(filter, { projection: { user: 1 } })
      return found === null || (await this.#activeUser(found.user)) === null
    })
  }

  async #find(hash: string): Promise<SessionWithUser<Stored> | null> {
    const { sessions } = this.#store
    const projection = { ...shownOfSession, isSlideDue: this.#isSlideDue }
    const found = await sessions
      .for('findSession')
      .findOne<Session & { readonly isSlideDue: boolean }>({ tokenHash: hash, ...isLive }, { projection })
    if (found === null) return null
    const user = await this.#activeUser(found.user)
    if (user === null) return null
    const session = found.isSlideDue ? await this.#slide(hash) : found
    return session === null ? null : { session: shownSession(session), user }
  }

  /** Nothing is created, and what was ended meanwhile stays so. */
  #slide(hash: string): Promise<Session | null> {
    const expiresAt = { $min: [{ $add: ['$$NOW', this.#store.limits.idleMs] }, '$endsAt'] }
    const update = [{ $set: { lastUsedAt: '$$NOW', expiresAt } }]
    return this.#store.sessions
      .for('useSession')
      .findOneAndUpdate({ tokenHash: hash, ...isLive }, update, { projection: shownOfSession })
  }

  /** A short session is not to end between two uses that were not written. */
  get #isSlideDue() {
    const everyMs = Math.min(longestSlideMs, this.#store.limits.idleMs / 4)
    return { $lte: [{ $add: ['$lastUsedAt', everyMs] }, '$$NOW'] }
  }

  async #activeUser(_id: ObjectId): Promise<Stored | null> {
    const found = await this.#users.for('findSession').findOne({ _id } as { readonly _id: ObjectId })
    if (found === null || found.status !== 'active' || found.deletedAt !== null) return null
    return shownFields(this.#userEntity, found)
  }

  /** A caller's transaction would read sessions as they were, and take back that a token was used. */
  #outside<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#database.transactions.outside(work)
  }
}
