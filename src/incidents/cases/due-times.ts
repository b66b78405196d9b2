import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { Classroom } from '../../devices/classroom.js'
import type { SiteCalendar } from '../../schedules/site-calendar.js'
import type { IncidentLimits } from '../incident-options.js'
import type { Priority } from '../severity.js'
import { afterWorkingTime, type WorkingSite } from './working-time.js'

/** The entities that say when people work at a site. */
export interface WorkingSiteEntities {
  readonly classrooms: Entity<Classroom>
  readonly siteCalendars: Entity<SiteCalendar>
}

const minuteMs = 60_000
const anywhere: WorkingSite = { timeZone: 'UTC', workingHours: undefined, holidays: new Set() }

/** When cases are due: so many working minutes of their site after they were opened. */
export class DueTimes {
  readonly #classrooms: EntityCollection<Classroom>
  readonly #calendars: EntityCollection<SiteCalendar>
  readonly #limits: IncidentLimits

  constructor(database: Database, { classrooms, siteCalendars }: WorkingSiteEntities, limits: IncidentLimits) {
    this.#classrooms = database.of(classrooms)
    this.#calendars = database.of(siteCalendars)
    this.#limits = limits
  }

  /** @returns undefined for a site at which nobody works within two years. */
  async dueAt(openedAt: Date, priority: Priority, classroom: ObjectId | undefined): Promise<Date | undefined> {
    const durationMs = this.#limits.dueAfterMinutes[priority] * minuteMs
    return afterWorkingTime(openedAt, durationMs, await this.#siteOf(classroom)) ?? undefined
  }

  /** All hours count of a site that is not known, or whose calendar says nothing of working hours. */
  async #siteOf(classroom: ObjectId | undefined): Promise<WorkingSite> {
    if (classroom === undefined) return anywhere
    const found = await this.#classrooms.findOne({ _id: classroom }, { projection: { timeZone: 1 } })
    const calendar = await this.#calendars.findOne({ classroom })
    if (found === null || calendar === null) return anywhere
    return {
      timeZone: found.timeZone,
      workingHours: calendar.workingHours,
      holidays: new Set(calendar.holidays.map(({ date }) => date)),
    }
  }
}
