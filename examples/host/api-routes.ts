import { type AutoVolt, validateData } from '@autovolt/data'
import type { Ingestion } from '@autovolt/data/mqtt'
import { z } from 'zod'
import type { Route } from './http/router.js'
import type { LiveFeeds } from './live-feeds.js'
import type { PriceChanges } from './price-changes.js'
import { registerDevice } from './registration.js'
import type { DevicePlan } from './simulator/plan.js'
import type { SwitchCommands } from './switch-commands.js'
import type { Tampering } from './tampering.js'
import type { LedgerCheck } from './views/ledger-check.js'
import type { PowerHistory } from './views/power-history.js'

export interface ApiParts {
  readonly volt: AutoVolt
  readonly ingestion: Ingestion
  readonly commands: SwitchCommands
  readonly spare: DevicePlan
  readonly feeds: LiveFeeds
  readonly history: PowerHistory
  readonly check: LedgerCheck
  readonly tampering: Tampering
  readonly prices: PriceChanges
}

const command = z.strictObject({ macAddress: z.string(), gpio: z.int(), state: z.boolean() })
const price = z.strictObject({ from: z.iso.date(), peakPrice: z.number().min(0).max(1_000) })
const start = z.strictObject({ from: z.iso.date() })
const nothing = z.strictObject({})

/** Whoever looks at the page. A real service knows who is logged in. */
const visitor = { id: 'u-1', name: 'You, on the page' }

/** The JSON API. What is shown can be read at `/api/<feed>`; the page itself listens to `/api/live`. */
export function apiRoutes(parts: ApiParts): Route[] {
  const { feeds, history } = parts
  const read = ['classrooms', 'devices', 'events', 'quarantine', 'ingestion', 'ledger', 'energy'].map(
    (name): Route => ({ method: 'GET', path: `/api/${name}`, handle: () => JSON.parse(feeds.latest(name) ?? 'null') }),
  )
  return [...read, { method: 'GET', path: '/api/power', handle: () => history.samples }, ...actions(parts)]
}

function actions({ volt, ingestion, commands, spare, feeds, check, tampering, prices }: ApiParts): Route[] {
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
    // What it does shows when the device answers.
    post('switches', command, ({ macAddress, gpio, state }) => commands.send(macAddress, gpio, state, visitor)),
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
