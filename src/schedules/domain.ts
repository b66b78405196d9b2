import type { Database } from '../core/database.js'
import { DatabaseError } from '../core/errors.js'
import { Repository } from '../core/repository/repository.js'
import { type CommandActionNeeds, commandAction } from './command-action.js'
import type { Rights } from './owner-rights.js'
import { scheduleEntity } from './schedule.js'
import type { ScheduleAction } from './schedule-action.js'
import { ScheduleRepository } from './schedule-repository.js'
import { ScheduleSites, type SiteEntities } from './schedule-sites.js'
import { ScheduleWorker } from './schedule-worker.js'
import { type SiteCalendar, type SiteCalendarInput, siteCalendarEntity } from './site-calendar.js'

export type { Rights } from './owner-rights.js'

export type SchedulesCollection = 'schedules' | 'siteCalendars'

export const schedulesEntities = { schedules: scheduleEntity, siteCalendars: siteCalendarEntity } satisfies Record<
  SchedulesCollection,
  object
>

export interface ScheduleOptions {
  readonly schedules?: {
    /** What due actions become. @default commands to devices */
    readonly action?: ScheduleAction
  }
}

/** What schedules bring to the handle. */
export interface SchedulesServices {
  /** When switches, devices and classrooms are to be moved. */
  readonly schedules: ScheduleRepository
  /** Where sites are, and when they are closed. */
  readonly siteCalendars: Repository<SiteCalendar, SiteCalendarInput>
}

export interface ScheduleNeeds extends CommandActionNeeds {
  /** What the owners of schedules may control. */
  readonly rights: Rights
}

/** @throws DatabaseError `CONFIGURATION` for an action that is no function. */
export function openSchedules(
  database: Database,
  entities: typeof schedulesEntities & Omit<SiteEntities, 'siteCalendars'>,
  needs: ScheduleNeeds,
  { schedules: { action } = {} }: ScheduleOptions,
): SchedulesServices {
  if (action !== undefined && typeof action !== 'function')
    throw new DatabaseError('CONFIGURATION', '`schedules.action` has to be a function')
  const sites = new ScheduleSites(database, entities)
  const { rights } = needs
  const worker = new ScheduleWorker(database, entities.schedules, {
    sites,
    action: action ?? commandAction(needs),
    rights,
  })
  return {
    schedules: new ScheduleRepository(database, entities.schedules, { sites, worker }),
    siteCalendars: new Repository(database, entities.siteCalendars),
  }
}
