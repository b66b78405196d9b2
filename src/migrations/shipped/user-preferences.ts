import { type Document, ObjectId } from 'mongodb'
import type { EntityDescription } from '../../core/entity.js'
import { preferencesOf, settingsFields } from '../earlier-preferences.js'
import type { Migration } from '../migration.js'
import type { EntitiesByKey } from '../run/context.js'
import { copying } from './copying.js'
import { type ChangeLog, rewriting, undoing } from './rewriting.js'

const settingsId = 'autovolt-9-user-settings'
const defaultsId = 'autovolt-10-default-preferences'

/** What these migrations need of the handle. */
export type PreferenceEntities = EntitiesByKey & { readonly [Key in 'users' | 'userPreferences']: EntityDescription }

/** Reads the preferences that a migration has made: these have the ids of their users. */
export type ReadMade = (users: readonly Document[]) => Promise<readonly { readonly _id: unknown }[]>

const hasSettings = { $or: settingsFields.map((name) => ({ [name]: { $type: 'object' } })) }
/**
 * What users chose moves out of their documents into their preferences. Where a user has preferences already, both stay. The
 * preferences are stored before the settings go, and get the id of the user, by which a run that was broken off goes on.
 */
export function userSettings(log: ChangeLog, entities: PreferenceEntities, readMade: ReadMade): Migration {
  const { users, userPreferences } = entities
  return {
    id: settingsId,
    description: 'what users have chosen is in their preferences',
    up: [
      copying(log, {
        from: users.collection,
        entity: userPreferences,
        adapt: (user) => {
          const preferences = preferencesOf(user)
          const document = documentOf(log, user)
          return preferences && document && { ...document, ...preferences }
        },
      }),
      rewriting(log, {
        collection: users.collection,
        filter: hasSettings,
        changesOf: async (documents) => {
          const made = new Set((await readMade(documents)).map(({ _id }) => String(_id)))
          const moved = Object.fromEntries(settingsFields.map((name) => [name, undefined]))
          return documents.map(({ _id }) => (made.has(String(_id)) ? moved : undefined))
        },
      }),
    ],
    down: undoing(log, settingsId),
    verify: async ({ db, note }) => {
      const left = await db.collection(users.collection).countDocuments(hasSettings, { hint: { _id: 1 } })
      if (left > 0)
        note(`${left} users keep their settings in their documents: they have preferences already, or no ObjectId`)
    },
  }
}

/** Every user has preferences. What a user has not chosen is not stored: defaults are filled in when they are read. */
export function defaultPreferences(log: ChangeLog, { users, userPreferences }: PreferenceEntities): Migration {
  return {
    id: defaultsId,
    description: 'every user has preferences',
    up: copying(log, {
      from: users.collection,
      entity: userPreferences,
      adapt: (user) => (user.deletedAt instanceof Date ? undefined : documentOf(log, user)),
    }),
    down: undoing(log, defaultsId),
  }
}

/** New preferences of a user; undefined for one whose id is a text, which is for an adoption. */
function documentOf({ clock }: ChangeLog, { _id }: Document): Document | undefined {
  if (!(_id instanceof ObjectId)) return undefined
  const now = clock.now()
  return { _id, user: _id, createdAt: now, updatedAt: now, __v: 0 }
}
