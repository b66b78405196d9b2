import { ObjectId } from 'mongodb'
import type { AuditLog } from '../../activity/audit-log.js'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { stampStage } from '../../core/collection/stamps.js'
import type { Database } from '../../core/database.js'
import type { Entity, EntityDescription } from '../../core/entity.js'
import { DatabaseError } from '../../core/errors.js'
import type { Client } from '../client.js'
import { type Session, type SessionEnding, type StoredSession, shownOfSession, shownSession } from './session.js'
import type { SessionLimits } from './session-options.js'
import { firstTokens, type SessionTokens } from './session-tokens.js'

/** What a sign-in and a refresh give to the client. The tokens are given once: only hashes of them are kept. */
export interface OpenedSession extends SessionTokens {
  readonly session: Session
  /** For the `jti` of a JSON Web Token of this session: `isRevoked` takes it. */
  readonly jti: string
  /** For its `iat`. */
  readonly issuedAt: Date
}

/** Which sessions are to end. */
export interface SessionChoice {
  readonly _id?: ObjectId | { readonly $ne: ObjectId } | { readonly $in: readonly ObjectId[] }
  readonly tokenHash?: string
  readonly user?: ObjectId
}

/** By the server's clock. What has ended may be there for another day. */
export const isLive = { revokedAt: null, $expr: { $gt: ['$expiresAt', '$$NOW'] } }

/** Sessions are read from the primary and written durably: what was ended in one process has ended in all of them. */
export class SessionStore {
  readonly sessions: EntityCollection<StoredSession>
  readonly limits: SessionLimits
  readonly #database: Database
  readonly #userEntity: EntityDescription
  readonly #auditLog: AuditLog

  constructor(
    database: Database,
    { sessions, users }: { readonly sessions: Entity<StoredSession>; readonly users: EntityDescription },
    limits: SessionLimits,
    auditLog: AuditLog,
  ) {
    this.#database = database
    this.sessions = database.of(sessions, { isDurable: true })
    this.limits = limits
    this.#userEntity = users
    this.#auditLog = auditLog
  }

  /**
   * Opens a session. To be called in a transaction that has written the user before: so sign-ins of one user come one after the
   * other, and none passes by the limit of sessions, or by a change of the user.
   */
  async open(user: ObjectId, client: Client): Promise<OpenedSession> {
    await this.#endSurplus(user)
    const _id = new ObjectId()
    const { token, refreshToken, ...hashes } = firstTokens(_id)
    const now = '$$NOW'
    const stage = {
      user,
      ...hashes,
      authenticatedAt: now,
      lastUsedAt: now,
      expiresAt: { $add: [now, Math.min(this.limits.idleMs, this.limits.absoluteMs)] },
      endsAt: { $add: [now, this.limits.absoluteMs] },
      revokedAt: null,
      client: { $literal: client },
      ...stampStage(now),
    }
    const session = await this.sessions
      .for('openSession')
      .findOneAndUpdate<Session>({ _id }, [{ $set: stage }], { upsert: true, projection: shownOfSession })
    if (session === null) throw new DatabaseError('DATABASE', 'The server did not give the session back')
    return opened(session, { token, refreshToken }, session.authenticatedAt)
  }

  /** The live sessions of a user, last used first. */
  async list(user: ObjectId): Promise<Session[]> {
    const filter = { user, ...isLive }
    const found = await this.sessions.for('listSessions').find<Session>(filter, { projection: shownOfSession })
    return found.map(shownSession).sort((one, other) => other.lastUsedAt.getTime() - one.lastUsedAt.getTime())
  }

  /** Ends those of the sessions that have not ended, with a record of each, or nothing. @returns how many that were. */
  end(which: SessionChoice, ending: SessionEnding): Promise<number> {
    return this.#database.transactions.run(() => this.#end(which, ending))
  }

  async #end(which: SessionChoice, ending: SessionEnding): Promise<number> {
    const sessions = this.sessions.for('endSession')
    const found = await sessions.find<Pick<StoredSession, '_id' | 'user' | 'client'>>(
      { ...which, ...isLive },
      { projection: { user: 1, client: 1 } },
    )
    if (found.length === 0) return 0
    const ids = { _id: { $in: found.map(({ _id }) => _id) } }
    const ended = await sessions.updateMany(ids, [
      { $set: { revokedAt: '$$NOW', revokedFor: ending, ...stampStage('$$NOW') } },
    ])
    for (const { _id, user, client } of found) {
      await this.#auditLog.recordEvent({
        entity: this.#userEntity,
        entityId: user,
        action: ending === 'token_reused' ? 'token_reused' : 'session_ended',
        details: { session: _id, reason: ending, ...client },
      })
    }
    return ended
  }

  /** Leaves room for one more. */
  async #endSurplus(user: ObjectId): Promise<void> {
    const live = await this.list(user)
    const surplus = live.slice(this.limits.maximumPerUser - 1).map(({ _id }) => _id)
    if (surplus.length > 0) await this.end({ _id: { $in: surplus } }, 'surplus')
  }
}

/** What a client is given. */
export function opened(session: Session, tokens: SessionTokens, issuedAt: Date): OpenedSession {
  const { token, refreshToken } = tokens
  return { session: shownSession(session), token, refreshToken, jti: session._id.toHexString(), issuedAt }
}
