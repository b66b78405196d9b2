import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { NotFoundError } from '../../core/errors.js'
import { toObjectId } from '../../core/fields.js'
import type { Changes } from '../../core/repository/changes.js'
import { Repository, type UpdateOptions } from '../../core/repository/repository.js'
import { retryCreation } from '../../core/retry-on-conflict.js'
import { validateData } from '../../core/validate.js'
import { timeZone } from '../../devices/time-zone.js'
import type { AnyUser } from '../user.js'
import {
  type EffectivePreferences,
  type ShortPreferences,
  shortPreferences,
  withDefaults,
} from './preference-defaults.js'
import { notificationPreferences } from './preference-fields.js'
import { isQuiet } from './quiet-hours.js'
import type { UserPreferences, UserPreferencesInput } from './user-preferences.js'

/** Ways to reach a user, in the order in which they are tried. */
const channels = ['push', 'email', 'telegram'] as const
export type NotificationChannel = (typeof channels)[number]

const reachableSchema = z.looseObject({ timeZone: timeZone(), notifications: notificationPreferences() })

/** What users have chosen: how the host looks, how they are reached, what they show of themselves. */
export class UserPreferencesRepository extends Repository<UserPreferences, UserPreferencesInput> {
  readonly #users: Entity<AnyUser>

  constructor(
    database: Database,
    entity: Entity<UserPreferences, UserPreferencesInput>,
    users: Entity<AnyUser>,
    documents?: EntityCollection<UserPreferences>,
  ) {
    super(database, entity, documents)
    this.#users = users
  }

  /** @internal */
  override over(documents: EntityCollection<UserPreferences>): UserPreferencesRepository {
    return new UserPreferencesRepository(this.database, this.entity, this.#users, documents)
  }

  /**
   * The preferences of a user, with the defaults of what was not chosen. The first call creates the document; of many at once,
   * in any number of processes, one does.
   * @throws NotFoundError if there is no such user.
   */
  async forUser(user: ObjectId | string): Promise<EffectivePreferences> {
    return withDefaults(await this.#documentOf(toObjectId(user, 'user')))
  }

  /**
   * Changes some of a user's preferences, such as `{ 'notifications.email': false }`; the others stay as they are.
   * @returns all of them. @throws ValidationError, NotFoundError, ConflictError `STALE_VERSION`.
   */
  async changeForUser(
    user: ObjectId | string,
    changes: Changes<UserPreferences, UserPreferencesInput>,
    options: UpdateOptions = {},
  ): Promise<EffectivePreferences> {
    const { _id } = await this.#documentOf(toObjectId(user, 'user'))
    return withDefaults(await this.update(_id, changes, options))
  }

  /** The short view, which the origin systems kept in the user's document. @throws NotFoundError if there is no such user. */
  async shortForUser(user: ObjectId | string): Promise<ShortPreferences> {
    return shortPreferences(await this.forUser(user))
  }

  /** The ways in which the user wants to be reached at that instant: none in the quiet hours. @throws ValidationError. */
  channelsAt(
    preferences: Pick<EffectivePreferences, 'notifications' | 'timeZone'>,
    instant: Date,
  ): readonly NotificationChannel[] {
    const { notifications, timeZone } = validateData(reachableSchema, preferences, 'The preferences')
    const at = validateData(z.date(), instant, 'The instant')
    const { quietHours } = notifications
    if (quietHours !== undefined && isQuiet(quietHours, at, timeZone)) return []
    return channels.filter((channel) => notifications[channel] === true)
  }

  async #documentOf(user: ObjectId): Promise<UserPreferences> {
    const documents = this.documents.for('forUser')
    const found = await documents.findOne({ user })
    if (found !== null) return this.shown(found)
    const known = await this.database
      .of(this.#users)
      .findOne({ _id: user, deletedAt: null }, { projection: { _id: 1 } })
    if (known === null) throw new NotFoundError(this.#users.name, `id ${user.toHexString()}`)
    const created = await retryCreation(
      this.database,
      async () => (await documents.findOne({ user })) ?? (await documents.insertOne({ user })),
    )
    return this.shown(created)
  }
}
