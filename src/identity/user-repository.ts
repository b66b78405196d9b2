import { type Filter as DriverFilter, ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { StoreFilter } from '../core/collection/store-query.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { NotFoundError } from '../core/errors.js'
import { objectId, quantity, toObjectId } from '../core/fields.js'
import type { Place } from '../core/geo-point.js'
import type { Change, Changes } from '../core/repository/changes.js'
import type { Filter } from '../core/repository/conditions.js'
import type { FindManyOptions, PageOptions } from '../core/repository/list-options.js'
import type { Page } from '../core/repository/page.js'
import { Repository, type UpdateOptions } from '../core/repository/repository.js'
import { requireOptions } from '../core/repository/selection.js'
import { validateData } from '../core/validate.js'
import { emailAddress } from './email-address.js'
import { bcryptHash } from './passwords/bcrypt-hash.js'
import {
  type AuthProviderInput,
  type AuthProviderName,
  accountOf,
  accountSchema,
  authKeyOf,
  localProvider,
  providerNameOf,
} from './providers/auth-key.js'
import type { AuthProviders } from './providers/auth-providers.js'
import type { AnyUser, User, UserInput } from './user.js'
import { type UserStatistics, userStatistics } from './user-statistics.js'
import { fullNameOf, type NamedUser, type SafeUser, safeUser } from './user-views.js'
import type { UserWatch } from './user-watch.js'

/** Of the sphere that MongoDB computes distances on. */
const earthRadiusKm = 6378.1
const circleSchema = z.strictObject({
  latitude: quantity(-90, 90),
  longitude: quantity(-180, 180),
  distanceKm: quantity(0, 20_000),
})

const pageAroundOptions = ['withDeleted', 'sort', 'page', 'limit'] as const
/** Numbers and changes of numbers, which the update looks at. */
const updatesSchema = z.record(z.string(), z.custom<number | Change<number>>())
const namedUserSchema = z.looseObject({
  name: z.string(),
  firstName: z.string().optional(),
  lastName: z.string().optional(),
  walletAddress: z.string().optional(),
})

/** What of a user is never read but here. */
interface Credentials {
  readonly password?: string
}

/** What changes of users need. */
export interface UserRepositoryNeeds {
  readonly watch: UserWatch
  readonly providers: AuthProviders
}

export interface ProviderChangeOptions {
  /** The session that goes on; all others end. */
  readonly session?: ObjectId | string | undefined
}

/** The people and households that energy is accounted to. */
export class UserRepository<Stored extends AnyUser = User, Input extends object = UserInput> extends Repository<
  Stored,
  Input
> {
  readonly #watch: UserWatch
  readonly #providers: AuthProviders

  constructor(
    database: Database,
    entity: Entity<Stored, Input>,
    { watch, providers }: UserRepositoryNeeds,
    documents?: EntityCollection<Stored>,
  ) {
    super(database, entity, documents)
    this.#watch = watch
    this.#providers = providers
  }

  /** @internal */
  override over(documents: EntityCollection<Stored>): UserRepository<Stored, Input> {
    const needs = { watch: this.#watch, providers: this.#providers }
    return new UserRepository(this.database, this.entity, needs, documents)
  }

  /** As of every repository. Another address is not verified, unless the changes say so. */
  override async update(
    id: ObjectId | string,
    changes: Changes<Stored, Input>,
    options: UpdateOptions = {},
  ): Promise<Stored> {
    const updated = await super.update(id, changes, options)
    return Object.hasOwn(changes, 'email') ? ((await this.get(id)) as Stored) : updated
  }

  /** The user with this address, in any spelling; null if there is none. */
  async findByEmail(email: string): Promise<Stored | null> {
    const address = emailAddress().safeParse(email)
    if (!address.success) return null
    return (await this.findOne({ email: address.data } as Filter<Stored>)) as Stored | null
  }

  /** The users whose status is `active`, up to the limit. */
  findActive(options: Omit<FindManyOptions<Stored, keyof Stored>, 'select'> = {}): Promise<Stored[]> {
    return this.find({ status: 'active' } as Filter<Stored>, options) as Promise<Stored[]>
  }

  /** The user with this account of another system, or, for `local`, with this id and a password; null if there is none. */
  async findByAuth(provider: AuthProviderName, providerId: string): Promise<Stored | null> {
    if (provider === localProvider) return this.#findLocal(providerId)
    const account = accountSchema.safeParse({ provider, providerId })
    if (!account.success) return null
    return (await this.findOne({ authKeys: authKeyOf(account.data) } as Filter<Stored>)) as Stored | null
  }

  /**
   * Stores a new user with the defaults of all other fields, with an account elsewhere where one is given.
   * @throws ValidationError, ConflictError if the address or the account is taken.
   */
  async createUser(email: string, name: string, auth?: AuthProviderInput): Promise<Stored> {
    if (auth === undefined) return this.create({ email, name } as Input)
    const account = accountOf(auth)
    return this.database.transactions.run(async () => {
      const user = await this.create({ email, name, authKeys: [authKeyOf(account)] } as Input)
      await this.#providers.keepTokens(user._id, account)
      return user
    })
  }

  /**
   * Lets the user sign in by an account elsewhere, and keeps its tokens sealed; of one that is there, the tokens are replaced. Other sessions end.
   * @throws ValidationError, NotFoundError, ConflictError if it is another user's, or the user has another one there; DatabaseError `KEY_RING`.
   */
  async addAuthProvider(
    id: ObjectId | string,
    auth: AuthProviderInput,
    options: ProviderChangeOptions = {},
  ): Promise<void> {
    await this.#providers.add(toObjectId(id), accountOf(auth), keptSession(options))
  }

  /**
   * Takes the account away with its tokens. Other sessions end.
   * @throws NotFoundError where the user has none there; DatabaseError `LAST_WAY_IN` where it has no other account and no password.
   */
  async removeAuthProvider(
    id: ObjectId | string,
    provider: AuthProviderName,
    options: ProviderChangeOptions = {},
  ): Promise<void> {
    await this.#providers.remove(toObjectId(id), providerNameOf(provider), keptSession(options))
  }

  /** A token of the user for the provider's services, decrypted. @throws NotFoundError, DatabaseError `KEY_RING`. */
  async revealProviderToken(
    id: ObjectId | string,
    provider: AuthProviderName,
    token: 'accessToken' | 'refreshToken',
  ): Promise<string> {
    return this.#providers.reveal(toObjectId(id), providerNameOf(provider), token)
  }

  /** A page of the users whose location is at most so far from the place, as the crow flies. @throws ValidationError. */
  async pageAround(
    place: Place,
    distanceKm: number,
    options: Omit<PageOptions<Stored, keyof Stored>, 'select'> = {},
  ): Promise<Page<Stored>> {
    const circle = validateData(circleSchema, { ...place, distanceKm }, 'The circle')
    requireOptions(options, pageAroundOptions)
    const $centerSphere = [[circle.longitude, circle.latitude], circle.distanceKm / earthRadiusKm]
    const query = this.alive({ location: { $geoWithin: { $centerSphere } } } as DriverFilter<Stored>, options)
    return (await this.pageOfQuery(query, options)) as Page<Stored>
  }

  /** How many users there are by role, type, status, way in and month. Reads all of them: a matter of seconds for a million. */
  getStatistics(): Promise<UserStatistics> {
    return userStatistics(this.documents.for('getStatistics'))
  }

  /** Sets some of the user's figures, or changes them with `change.inc` and the like. @throws ValidationError, NotFoundError. */
  async updateStats(
    id: ObjectId | string,
    updates: Readonly<Record<string, number | Change<number>>>,
  ): Promise<Stored> {
    const changes = Object.entries(validateData(updatesSchema, updates, 'The figures')).map(([name, value]) => [
      `stats.${name}`,
      value,
    ])
    return this.update(id, Object.fromEntries(changes) as Changes<Stored, Input>)
  }

  /**
   * Whether this is the user's password; false for a user without one. Counts no attempts and knows no lock: for a user who is
   * signed in already and is asked again.
   * @throws NotFoundError, BusyError.
   */
  async comparePassword(id: ObjectId | string, candidate: string): Promise<boolean> {
    const _id = toObjectId(id)
    const options = { projection: { password: 1 } }
    const documents = this.documents.for('comparePassword')
    const found = await documents.findOne<Credentials>(this.target(_id, undefined), options)
    if (found === null) throw new NotFoundError(this.entity.name, `id ${_id.toHexString()}`)
    return this.database.hasher.verify(candidate, found.password)
  }

  /**
   * Gives the user a password by its bcrypt hash, as another system has made it (`$2a$`, `$2b$` or `$2y$`, 4 to 15 rounds).
   * @throws ValidationError for what is no such hash, NotFoundError.
   */
  async setPasswordHash(id: ObjectId | string, hash: string): Promise<void> {
    const _id = toObjectId(id)
    const password = validateData(z.string().regex(bcryptHash, { error: 'expected a bcrypt hash' }), hash, 'The hash')
    const documents = this.documents.for('setPasswordHash')
    const target = this.target(_id, undefined)
    const { matched } = await this.changing(target, ['password'], () =>
      documents.updateOne(target, { $set: { password } as object }),
    )
    if (matched === 0) throw new NotFoundError(this.entity.name, `id ${_id.toHexString()}`)
  }

  /** Changes of rights and of ways in are audited, and end sessions. */
  protected override changing<Result>(
    filter: StoreFilter<Stored>,
    fields: readonly string[],
    work: () => Promise<Result>,
  ): Promise<Result> {
    return this.#watch.during(filter, fields, work)
  }

  /** First and last name where both are known, otherwise the name. */
  fullName(user: NamedUser): string {
    return fullNameOf(validateData(namedUserSchema, user, 'The user'))
  }

  /** The user as it may be shown to others. */
  toSafeObject(user: Stored): SafeUser<Stored> {
    validateData(namedUserSchema, user, 'The user')
    return safeUser(user)
  }

  async #findLocal(id: string): Promise<Stored | null> {
    if (!ObjectId.isValid(id)) return null
    const query = { _id: toObjectId(id), deletedAt: null, password: { $exists: true } }
    const found = await this.documents.for('findByAuth').findOne(query as object)
    return found === null ? null : this.shown(found)
  }
}

function keptSession(options: ProviderChangeOptions): ObjectId | undefined {
  const schema = z.strictObject({ session: objectId().optional() })
  return validateData(schema, options, 'The options').session
}
