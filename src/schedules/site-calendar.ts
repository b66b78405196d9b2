import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../core/entity.js'
import { civilDay, objectId, quantity, timeOfDay } from '../core/fields.js'
import { weekdays } from './schedule-rule.js'

/** `24:00` is the end of the day. */
const endOfHours = () =>
  z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, { error: 'expected a time of day such as 17:30, or 24:00' })

/** What is known of a site besides its zone: where it is, when it is closed, and when people work there. One for each site. */
export const siteCalendarEntity = defineEntity({
  name: 'site calendar',
  collection: 'site_calendars',
  personal: 'none',
  fields: {
    /** The site that it is of. */
    classroom: objectId(),
    /** Degrees, WGS 84: what the sun rises and sets by. */
    place: z
      .strictObject({
        /** Degrees; north is positive. */
        latitude: quantity(-90, 90),
        /** Degrees; east is positive. */
        longitude: quantity(-180, 180),
      })
      .optional(),
    /** By the clocks of the site. */
    holidays: z
      .array(
        z.strictObject({
          /** The day, such as `2026-12-25`. */
          date: civilDay(),
          /** What it is called. */
          name: z.string().min(1).max(200).optional(),
        }),
      )
      .max(1_000)
      .default([]),
    /** When people work there, but on holidays: due times of cases count these hours alone. All hours count where it is left out. */
    workingHours: z
      .array(
        z
          .strictObject({
            /** On which days; Monday is 1, Sunday 7. */
            weekdays: weekdays(),
            /** From when, by the clocks of the site. */
            from: timeOfDay(),
            /** Until when, on the same day. */
            until: endOfHours(),
          })
          .refine(({ from, until }) => until > from, { error: 'expected a time after `from`', path: ['until'] }),
      )
      .min(1)
      .max(50)
      .optional(),
  },
  immutable: ['classroom'],
  indexes: [{ key: { classroom: 1 }, unique: true, serves: 'the one calendar of a site' }],
})

export type SiteCalendar = Stored<typeof siteCalendarEntity>
export type SiteCalendarInput = Input<typeof siteCalendarEntity>
