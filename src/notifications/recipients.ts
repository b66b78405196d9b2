import { ObjectId } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import type { Classroom } from '../devices/classroom.js'
import {
  type EffectivePreferences,
  preferenceDefaults,
  withDefaults,
} from '../identity/preferences/preference-defaults.js'
import { quietUntil } from '../identity/preferences/quiet-hours.js'
import type { UserPreferences } from '../identity/preferences/user-preferences.js'
import type { AnyUser } from '../identity/user.js'
import type { DeliveryChannel } from './delivery-channel.js'
import type { Notification } from './notification.js'

/** The entities of the people that notifications go to. */
export interface RecipientEntities {
  readonly users: Entity<AnyUser>
  readonly userPreferences: Entity<UserPreferences>
  readonly classrooms: Entity<Classroom>
}

/** A user who is there, and what the user has chosen. */
export interface Recipient {
  readonly user: Pick<AnyUser, '_id' | 'name' | 'email'>
  readonly preferences: EffectivePreferences
  /** Undefined where the user has chosen none. */
  readonly timeZone: string | undefined
}

/** Reads users with their preferences; those of many at once. */
export class Recipients {
  readonly #users: EntityCollection<AnyUser>
  readonly #preferences: EntityCollection<UserPreferences>
  readonly #classrooms: EntityCollection<Classroom>

  constructor(database: Database, { users, userPreferences, classrooms }: RecipientEntities) {
    this.#users = database.of(users)
    this.#preferences = database.of(userPreferences)
    this.#classrooms = database.of(classrooms)
  }

  /** By their ids; without those who are not there. */
  async find(ids: readonly ObjectId[]): Promise<Map<string, Recipient>> {
    const projection = { name: 1, email: 1 }
    const users = await this.#users.find({ _id: { $in: ids }, deletedAt: null }, { projection })
    const stored = await this.#preferences.find({ user: { $in: ids } })
    const chosen = new Map(stored.map((preferences) => [preferences.user.toHexString(), preferences]))
    return new Map(
      users.map(({ _id, name, email }) => {
        const id = _id.toHexString()
        const preferences = chosen.get(id) ?? noPreferences(_id)
        const recipient = {
          user: { _id, name, email },
          preferences: withDefaults(preferences),
          timeZone: preferences.timeZone,
        }
        return [id, recipient]
      }),
    )
  }

  /** The zones of sites, by their ids. */
  async timeZones(classrooms: readonly ObjectId[]): Promise<Map<string, string>> {
    if (classrooms.length === 0) return new Map()
    const found = await this.#classrooms.find({ _id: { $in: classrooms } }, { projection: { timeZone: 1 } })
    return new Map(found.map(({ _id, timeZone }) => [_id.toHexString(), timeZone]))
  }
}

/** Whether the user wants to be reached by the channel: at some time, if not now. */
export function isWanted(channel: DeliveryChannel, preferences: EffectivePreferences): boolean {
  const { name, isWanted: isWantedBy } = channel
  if (name === 'email' || name === 'push' || name === 'telegram') return preferences.notifications[name] === true
  return isWantedBy?.(preferences) ?? true
}

/** Whether the user wants to know of such things at all. */
export function isWelcome(kind: string, preferences: EffectivePreferences): boolean {
  return kind !== 'price_alert' || preferences.energy.priceAlerts
}

/** When the user's quiet hours end; null if there are none now, or the notification goes through them. */
export function deferredUntil(
  { preferences, timeZone }: Recipient,
  notification: Pick<Notification, 'severity' | 'classroom'>,
  now: Date,
  timeZones: ReadonlyMap<string, string>,
): Date | null {
  const { quietHours } = preferences.notifications
  if (quietHours === undefined || notification.severity === 'critical') return null
  const siteZone = timeZones.get(notification.classroom?.toHexString() ?? '')
  return quietUntil(quietHours, now, timeZone ?? siteZone ?? preferenceDefaults.timeZone)
}

function noPreferences(user: ObjectId): UserPreferences {
  const never = new Date(0)
  return { _id: new ObjectId(), user, createdAt: never, updatedAt: never, __v: 0 }
}
