import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'
import { timeZone } from '../../devices/time-zone.js'
import {
  dashboards,
  energyPreferences,
  languageTag,
  notificationPreferences,
  otherPreferences,
  privacyPreferences,
} from './preference-fields.js'

/**
 * What a user has chosen. What was not chosen is absent and not stored, so that a default that changes reaches everybody who
 * has not decided otherwise.
 */
export const userPreferencesEntity = defineEntity({
  name: 'user preferences',
  collection: 'user_preferences',
  personal: { subjects: { user: { onErasure: 'delete document' } } },
  fields: {
    /** The user, by their id. */
    user: objectId(),
    /** The colours of the page. */
    theme: z.enum(['light', 'dark', 'auto']).optional(),
    /** A BCP 47 tag, such as `en-IN`. */
    language: languageTag().optional(),
    /** What the user's hours are computed in. */
    timeZone: timeZone().optional(),
    /** What is shown, and in which order. */
    dashboards: dashboards().optional(),
    /** Which news come by which channel, and when not. */
    notifications: notificationPreferences().optional(),
    /** Units and goals of the user. */
    energy: energyPreferences().optional(),
    /** What others may see of the user. */
    privacy: privacyPreferences().optional(),
    /** What earlier systems kept that has no field here, under its names there; and what a host keeps of its own. */
    other: otherPreferences().optional(),
  },
  immutable: ['user'],
  indexes: [{ key: { user: 1 }, unique: true, serves: 'the one document of a user' }],
})

export type UserPreferences = Stored<typeof userPreferencesEntity>
export type UserPreferencesInput = Input<typeof userPreferencesEntity>
