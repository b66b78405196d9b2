import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity, Identified } from '../../core/entity.js'
import { ConflictError, NotFoundError } from '../../core/errors.js'
import { Repository } from '../../core/repository/repository.js'
import type { UserWatch } from '../user-watch.js'
import { type AuthProviderInput, authKeyOf, lastWayIn, providerOf } from './auth-key.js'
import type { ProviderToken, ProviderTokenInput } from './provider-token.js'

/** What of a user says how to get in. */
export interface Reachable extends Identified {
  readonly authKeys?: readonly string[] | undefined
  readonly password?: string | undefined
  readonly deletedAt: Date | null
}

/** More than one way in: the provider's accounts, and the password where there is one. */
const accounts = { $size: { $ifNull: ['$authKeys', []] } }
const hasPassword = { $cond: [{ $eq: [{ $type: '$password' }, 'string'] }, 1, 0] }
const hasAnotherWay = { $expr: { $gt: [{ $add: [accounts, hasPassword] }, 1] } }

/** The accounts that users have elsewhere. A unique index over all of them lets each belong to one user. */
export class AuthProviders {
  readonly #database: Database
  readonly #users: EntityCollection<Reachable>
  readonly #tokenRepository: Repository<ProviderToken, ProviderTokenInput>
  readonly #watch: UserWatch

  constructor(
    database: Database,
    users: Entity<Reachable>,
    tokens: Entity<ProviderToken, ProviderTokenInput>,
    watch: UserWatch,
  ) {
    this.#database = database
    this.#users = database.of(users, { isDurable: true })
    this.#tokenRepository = new Repository(database, tokens)
    this.#watch = watch
  }

  /** In the caller's transaction or one of its own. @throws ConflictError, NotFoundError. */
  add(_id: ObjectId, account: AuthProviderInput, session: ObjectId | undefined): Promise<void> {
    const key = authKeyOf(account)
    const users = this.#users.for('addAuthProvider')
    return this.#database.transactions.run(async () => {
      const target = { _id, deletedAt: null }
      const user = await users.findOne<Reachable>(target, { projection: { authKeys: 1 } })
      if (user === null) throw this.#missing(_id)
      const { authKeys = [] } = user
      if (!authKeys.includes(key)) {
        if (authKeys.some((other) => providerOf(other) === account.provider)) throw takenBy(account.provider)
        const update = { $addToSet: { authKeys: key } }
        await this.#watch.during(target, ['authKeys'], () => users.updateOne(target, update), session)
      }
      await this.keepTokens(_id, account)
    })
  }

  /** One guarded write decides: of two that are removed at once one stays. @throws NotFoundError, DatabaseError `LAST_WAY_IN`. */
  remove(_id: ObjectId, provider: string, session: ObjectId | undefined): Promise<void> {
    const users = this.#users.for('removeAuthProvider')
    return this.#database.transactions.run(async () => {
      const user = await users.findOne<Reachable>({ _id, deletedAt: null }, { projection: { authKeys: 1 } })
      if (user === null) throw this.#missing(_id)
      const key = user.authKeys?.find((one) => providerOf(one) === provider)
      if (key === undefined) throw new NotFoundError('account', `${provider} of the user ${_id.toHexString()}`)
      const target = { _id, deletedAt: null, authKeys: key, ...hasAnotherWay }
      const update = { $pull: { authKeys: key } }
      const { matched } = await this.#watch.during(
        { _id },
        ['authKeys'],
        () => users.updateOne(target, update),
        session,
      )
      if (matched === 0) throw lastWayIn(provider)
    })
  }

  /** In the caller's transaction. What is not given stays as it is. */
  async keepTokens(user: ObjectId, { provider, accessToken, refreshToken }: AuthProviderInput): Promise<void> {
    if (accessToken === undefined && refreshToken === undefined) return
    await this.#tokenRepository.upsert({ user, provider }, { user, provider, accessToken, refreshToken })
  }

  /** @throws NotFoundError, DatabaseError `KEY_RING`. */
  async reveal(user: ObjectId, provider: string, token: 'accessToken' | 'refreshToken'): Promise<string> {
    const found = await this.#tokenRepository.findOne({ user, provider }, { select: ['_id'] })
    if (found === null) throw new NotFoundError('provider token', `${provider} of the user ${user.toHexString()}`)
    return this.#tokenRepository.revealSecret(found._id, token)
  }

  #missing(_id: ObjectId): NotFoundError {
    return new NotFoundError(this.#users.entity.name, `id ${_id.toHexString()}`)
  }
}

function takenBy(provider: string): ConflictError {
  const message = `The user has another account of ${provider}: remove that before`
  return new ConflictError('CONFLICT', message, { fields: ['authKeys'] })
}
