import { type AutoVolt, NotFoundError, validateData } from '@autovolt/data'
import type { Ingestion } from '@autovolt/data/mqtt'
import { z } from 'zod'
import type { FirmwareRollouts } from './firmware-rollouts.js'
import { fleetRoutes } from './fleet-routes.js'
import type { Caller, Route } from './http/router.js'
import { incidentRoutes } from './incidents/incident-routes.js'
import type { LiveFeeds } from './live-feeds.js'
import { type MarketParts, marketRoutes } from './neighbourhood/market-routes.js'
import { people, sharedPassword } from './people.js'
import type { PriceChanges } from './price-changes.js'
import { registerDevice } from './registration.js'
import type { DevicePlan } from './simulator/plan.js'
import { timeZone } from './simulator/school-plan.js'
import type { Troubles } from './simulator/troubles.js'
import type { SwitchCommands } from './switch-commands.js'
import type { Tampering } from './tampering.js'
import type { Backups } from './views/backups.js'
import type { LedgerCheck } from './views/ledger-check.js'
import { readOutlook, readPeriod } from './views/period.js'
import type { PowerHistory } from './views/power-history.js'
import type { Visitors } from './visitors.js'

export interface ApiParts {
  readonly volt: AutoVolt
  readonly ingestion: Ingestion
  readonly commands: SwitchCommands
  readonly rollouts: FirmwareRollouts
  readonly troubles: Troubles
  readonly neighbourhood: MarketParts['neighbourhood']
  readonly spare: DevicePlan
  readonly feeds: LiveFeeds
  readonly history: PowerHistory
  readonly check: LedgerCheck
  readonly tampering: Tampering
  readonly prices: PriceChanges
  readonly backups: Backups
  readonly visitors: Visitors
}

const command = z.strictObject({ macAddress: z.string(), gpio: z.int(), state: z.boolean() })
const price = z.strictObject({ from: z.iso.date(), peakPrice: z.number().min(0).max(1_000) })
const start = z.strictObject({ from: z.iso.date() })
const nothing = z.strictObject({})

const ending = z.strictObject({ session: z.string().max(24) })
const credentials = z.strictObject({ email: z.string().max(320), password: z.string().max(200) })
const ofFleet = ['devices', 'commands', 'schedules', 'rollouts', 'incidents', 'neighbourhood']
const feedNames = [...ofFleet, 'classrooms', 'events', 'quarantine', 'ingestion', 'ledger', 'energy', 'backups']

/** The JSON API. What is shown can be read at `/api/<feed>`; the page itself listens to `/api/live`. */
export function apiRoutes(parts: ApiParts): Route[] {
  const { feeds, history } = parts
  const read = feedNames.map((name) => reading(name, () => feeds.latest(name) ?? 'null'))
  const power = reading('power', () => JSON.stringify(history.samples), 'history')
  return [
    ...read,
    power,
    ...explored(parts),
    ...ofPeople(parts),
    ...fleetRoutes(parts),
    ...incidentRoutes(parts),
    ...marketRoutes(parts),
    ...actions(parts),
  ]
}

/** What a feed has, as far as the visitor may see it. */
function reading(path: string, latest: () => string, name = path): Route {
  const handle = async (_: unknown, { news }: Caller) => {
    const shown = await news?.of({ name, json: latest() })
    if (shown === undefined) throw new NotFoundError('feed', `the name ${path} for you`)
    return JSON.parse(shown.json)
  }
  return { method: 'GET', path: `/api/${path}`, isFor: 'members', handle }
}

/** What is read when it is chosen on the page. */
function explored({ volt }: ApiParts): Route[] {
  return [
    { method: 'GET', path: '/api/energy/period', handle: (_, { query }) => readPeriod(volt, query) },
    { method: 'GET', path: '/api/energy/outlook', handle: (_, { query }) => readOutlook(volt, query) },
  ]
}

function ofPeople({ visitors }: ApiParts): Route[] {
  const isFor = 'everybody'
  return [
    {
      method: 'GET',
      path: '/api/me',
      isFor,
      handle: async (_, { visitor, news }) => {
        const me = visitor && {
          id: visitor.id,
          name: visitor.name,
          role: visitor.role,
          isOperator: await news?.isOperator(),
          sees: await news?.pages(),
        }
        return { me: me ?? null, people, password: sharedPassword, timeZone }
      },
    },
    {
      method: 'POST',
      path: '/api/sign-in',
      isFor,
      handle: async (body, { request, setCookie }) => {
        const { email, password } = validateData(credentials, body, 'The request')
        const cookie = await visitors.signIn(email, password, request)
        await visitors.signOut(request)
        setCookie(cookie)
      },
    },
    {
      method: 'POST',
      path: '/api/sign-out',
      isFor,
      handle: async (_, { request, setCookie }) => setCookie(await visitors.signOut(request)),
    },
    {
      method: 'GET',
      path: '/api/sessions',
      isFor: 'members',
      handle: (_, { visitor }) => visitor?.sessions(),
    },
    {
      method: 'POST',
      path: '/api/sessions/end',
      isFor: 'members',
      handle: (body, { visitor }) => visitor?.end(validateData(ending, body, 'The request').session),
    },
    {
      method: 'POST',
      path: '/api/sessions/end-others',
      isFor: 'members',
      handle: (_, { visitor }) => visitor?.endOthers(),
    },
  ]
}

function actions({ volt, ingestion, commands, spare, feeds, check, tampering, prices, backups }: ApiParts): Route[] {
  const post = <Body>(path: string, schema: z.ZodType<Body>, handle: (body: Body) => unknown): Route => ({
    method: 'POST',
    path: `/api/${path}`,
    handle: (body) => handle(validateData(schema, body, 'The request')),
  })
  const verify = async () => {
    await check.verify()
    await feeds.refresh('ledger')
    return check.view()
  }
  return [
    {
      method: 'POST',
      path: '/api/switches',
      isFor: 'members',
      // What it does shows when the device answers.
      handle: (body, { visitor }) => {
        const { macAddress, gpio, state } = validateData(command, body, 'The request')
        return visitor && commands.send(macAddress, gpio, state, visitor)
      },
    },
    post('energy/price', price, async ({ from, peakPrice }) => {
      await prices.setPeakPrice(from, peakPrice)
      await feeds.refresh('energy')
    }),
    post('energy/take-back', start, async ({ from }) => {
      await prices.takeBack(from)
      await feeds.refresh('energy')
    }),
    post('quarantine/replay', nothing, async () => {
      const result = await ingestion.replayQuarantine()
      await feeds.refresh('quarantine')
      return result
    }),
    post('devices/register', nothing, async () => {
      await registerDevice(volt, spare)
      await feeds.refresh('devices')
      return { name: spare.name }
    }),
    post('backups/make', nothing, async () => {
      await backups.make()
      await feeds.refresh('backups')
    }),
    post('backups/drill', nothing, async () => {
      await backups.drill()
      await feeds.refresh('backups')
    }),
    post('ledger/verify', nothing, verify),
    post('ledger/alter', nothing, async () => {
      await tampering.alterOne()
      return verify()
    }),
    post('ledger/undo', nothing, async () => {
      await tampering.undo()
      return verify()
    }),
  ]
}
