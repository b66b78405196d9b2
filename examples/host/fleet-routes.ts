import { type AutoVolt, validateData } from '@autovolt/data'
import { z } from 'zod'
import { readBell } from './bell.js'
import type { FirmwareRollouts } from './firmware-rollouts.js'
import type { Caller, Route } from './http/router.js'
import type { LiveFeeds } from './live-feeds.js'
import { ScheduleChanges } from './schedule-changes.js'
import { readDevicePage } from './views/device-page.js'
import type { Visitor } from './visitors.js'

export interface FleetParts {
  readonly volt: AutoVolt
  readonly rollouts: FirmwareRollouts
  readonly feeds: LiveFeeds
}

const newRollout = z.strictObject({ kind: z.enum(['good', 'hungry']) })
const rolloutChange = z.strictObject({ id: z.string().max(24), change: z.enum(['pause', 'resume', 'cancel']) })
const marks = z.strictObject({ ids: z.array(z.string().max(24)).max(100) })

/** The API of devices at work: each call does what `volt.as(user)` lets its visitor do. */
export function fleetRoutes({ volt, rollouts, feeds }: FleetParts): Route[] {
  const schedules = new ScheduleChanges(volt)
  const changing = async <Result>(feed: string, work: Promise<Result>): Promise<Result> => {
    const result = await work
    await feeds.refresh(feed)
    return result
  }
  return [
    ofMember('GET', 'device', (visitor, { query }) => readDevicePage(volt, visitor, query.get('id') ?? '')),
    ofMember('GET', 'notifications', (visitor) => readBell(visitor)),
    ofMember('POST', 'notifications/read', async ({ id, volt: own }, _, body) => {
      const read = await own.notifications.markRead(id, validateData(marks, body, 'The request').ids)
      return { read }
    }),
    ofMember('POST', 'schedules/preview', (visitor, _, body) => schedules.preview(visitor, body)),
    ofMember('POST', 'schedules/create', (visitor, _, body) => changing('schedules', schedules.create(visitor, body))),
    ofMember('POST', 'schedules/enable', (visitor, _, body) => changing('schedules', schedules.enable(visitor, body))),
    ofMember('POST', 'schedules/remove', (visitor, _, body) => changing('schedules', schedules.remove(visitor, body))),
    ofMember('POST', 'rollouts/start', (visitor, _, body) => {
      const { kind } = validateData(newRollout, body, 'The request')
      return changing('rollouts', rollouts.rollOut(visitor, kind))
    }),
    ofMember('POST', 'rollouts/change', async (visitor, _, body) => {
      const { id, change } = validateData(rolloutChange, body, 'The request')
      const { status } = await changing('rollouts', rollouts.change(visitor, id, change))
      return { status }
    }),
  ]
}

/** A route for those who are signed in. */
export function ofMember(
  method: Route['method'],
  path: string,
  handle: (visitor: Visitor, caller: Caller, body: unknown) => unknown,
): Route {
  return {
    method,
    path: `/api/${path}`,
    isFor: 'members',
    handle: (body, caller) => caller.visitor && handle(caller.visitor, caller, body),
  }
}
