import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { stampStage } from '../../core/collection/stamps.js'
import type { StoreFilter } from '../../core/collection/store-query.js'
import type { Database } from '../../core/database.js'
import type { Entity, Identified } from '../../core/entity.js'
import { DatabaseError } from '../../core/errors.js'
import { retryCreation } from '../../core/retry-on-conflict.js'
import { emailAddress } from '../email-address.js'
import { isToken, newToken, tokenHash } from '../secret-token.js'
import type { TokenPurpose, UserToken } from './user-token.js'

/** By the server's clock: what has expired may be there for another minute. */
const unexpired = { $expr: { $gt: ['$expiresAt', '$$NOW'] } }

/** What is to be mailed, to this address and no other. */
export interface MailedToken {
  /** 256 random bits in base64url; it is given once, and good once. */
  readonly token: string
  /** The user's address as it is stored. */
  readonly email: string
  readonly expiresAt: Date
}

/** What of a user a token is bound to. */
export interface Addressed extends Identified {
  readonly email: string
  readonly status: string
  readonly emailVerifiedAt?: Date | undefined
  readonly deletedAt: Date | null
}

/** Tokens that are mailed for one purpose: who shows one gets mail at the address of its user. */
export class MailedTokens {
  readonly #database: Database
  readonly #users: EntityCollection<Addressed>
  readonly #tokens: EntityCollection<UserToken>
  readonly #purpose: TokenPurpose
  readonly #validForMs: number

  constructor(
    database: Database,
    { users, userTokens }: { readonly users: Entity<Addressed>; readonly userTokens: Entity<UserToken> },
    purpose: TokenPurpose,
    validForMs: number,
  ) {
    this.#database = database
    this.#users = database.of(users, { isDurable: true })
    this.#tokens = database.of(userTokens, { isDurable: true }).for(purpose)
    this.#purpose = purpose
    this.#validForMs = validForMs
  }

  /** A token for the user with this address, in place of an earlier one; null where no user has it who matches the filter. */
  async request(email: string, filter: StoreFilter<Addressed>): Promise<MailedToken | null> {
    const address = emailAddress().safeParse(email)
    if (!address.success) return null
    const found = await this.#users
      .for(this.#purpose)
      .findOne<Pick<Addressed, '_id' | 'email'>>({ ...filter, email: address.data }, { projection: { email: 1 } })
    if (found === null) return null
    const token = newToken()
    return { token, email: found.email, expiresAt: await this.#store(token, found) }
  }

  /** The stored token. @throws DatabaseError `TOKEN_REFUSED` for what was never given, was used, was replaced or has expired. */
  async find(shown: unknown): Promise<UserToken> {
    if (!isToken(shown)) throw tokenRefused()
    const found = await this.#tokens.findOne({ tokenHash: tokenHash(shown), purpose: this.#purpose, ...unexpired })
    if (found === null) throw tokenRefused()
    return found
  }

  /** The caller that removes the token has used it; in the transaction of what it is used for. @throws DatabaseError `TOKEN_REFUSED`. */
  async use({ _id, tokenHash: hash }: UserToken): Promise<void> {
    const isMine = await this.#tokens.deleteOne({ _id, tokenHash: hash, ...unexpired })
    if (!isMine) throw tokenRefused()
  }

  async #store(token: string, { _id: user, email }: Pick<Addressed, '_id' | 'email'>): Promise<Date> {
    const expiresAt = { $add: ['$$NOW', this.#validForMs] }
    const stage = { tokenHash: tokenHash(token), email: { $literal: email }, expiresAt, ...stampStage('$$NOW') }
    const target = { user, purpose: this.#purpose }
    const stored = await retryCreation(this.#database, () =>
      this.#tokens.findOneAndUpdate(target, [{ $set: stage }], { upsert: true, projection: { expiresAt: 1 } }),
    )
    if (stored === null) throw new DatabaseError('DATABASE', 'The server did not give the token back')
    return stored.expiresAt
  }
}

/** One answer whatever is wrong with a token. */
export function tokenRefused(): DatabaseError {
  return new DatabaseError('TOKEN_REFUSED', 'The token is not known, was used already, or has expired')
}
