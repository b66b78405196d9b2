import type { Document, ObjectId } from 'mongodb'
import { stampStage } from '../../core/collection/stamps.js'
import { newToken, tokenHash } from '../secret-token.js'
import { type Session, type StoredSession, shownOfSession } from './session.js'
import { isLive, type OpenedSession, opened, type SessionStore } from './session-store.js'
import { partsOfRefreshToken, type TokenParts, tokensAfter } from './session-tokens.js'

/** Another refresh of the same token may come first: then its outcome is read. */
const maximumAttempts = 3

interface Family extends StoredSession {
  /** By the server's clock, when the session was read: whether the token before may still be used. */
  readonly isInGrace: boolean
}

/** What came of one refresh. */
type Refreshed<Stored> = OpenedSession & { readonly user: Stored }

/** New tokens for a refresh token. Of any number that are used at once, in any number of processes, one is good. */
export class Refresh<Stored> {
  readonly #store: SessionStore
  readonly #activeUser: (user: ObjectId) => Promise<Stored | null>

  constructor(store: SessionStore, activeUser: (user: ObjectId) => Promise<Stored | null>) {
    this.#store = store
    this.#activeUser = activeUser
  }

  async perform(refreshToken: unknown): Promise<Refreshed<Stored> | null> {
    const parts = partsOfRefreshToken(refreshToken)
    if (parts === undefined) return null
    const usedHash = tokenHash(parts.secret)
    for (let attempt = 1; attempt <= maximumAttempts; attempt += 1) {
      const family = await this.#find(parts)
      if (family === null) return null
      const user = await this.#activeUser(family.user)
      if (user === null) return null
      if (family.refreshHash === usedHash) {
        const rotated = await this.#rotate(family, parts)
        if (rotated !== null) return { ...rotated, user }
      } else if (family.predecessor?.hash === usedHash && family.isInGrace) {
        const { salt, usedAt } = family.predecessor
        return { ...opened(family, tokensAfter(parts, salt), usedAt), user }
      } else {
        await this.#store.end({ _id: family._id }, 'token_reused')
        return null
      }
    }
    return null
  }

  /** Nobody who has not had a token of the family gets further than this, and so nobody else can end it. */
  #find({ session, family }: TokenParts): Promise<Family | null> {
    // From the first use of the token on: further ones do not make it longer.
    const graceEnd = { $add: ['$predecessor.usedAt', this.#store.limits.graceMs] }
    const isInGrace = { $gt: [graceEnd, '$$NOW'] }
    const projection = { ...shownOfSession, refreshHash: 1, predecessor: 1, isInGrace }
    return this.#store.sessions
      .for('refreshSession')
      .findOne<Family>({ _id: session, familyHash: tokenHash(family), ...isLive }, { projection })
  }

  /** One write: the token is used and the next one is there, or neither. */
  async #rotate({ _id, refreshHash }: Family, parts: TokenParts): Promise<OpenedSession | null> {
    const salt = newToken()
    const next = tokensAfter(parts, salt)
    const stage: Document = {
      tokenHash: next.tokenHash,
      refreshHash: next.refreshHash,
      predecessor: { hash: refreshHash, usedAt: '$$NOW', salt },
      lastUsedAt: '$$NOW',
      expiresAt: { $min: [{ $add: ['$$NOW', this.#store.limits.idleMs] }, '$endsAt'] },
      ...stampStage('$$NOW'),
    }
    const session = await this.#store.sessions
      .for('refreshSession')
      .findOneAndUpdate<Session>({ _id, refreshHash, ...isLive }, [{ $set: stage }], { projection: shownOfSession })
    return session === null ? null : opened(session, next, session.lastUsedAt)
  }
}
