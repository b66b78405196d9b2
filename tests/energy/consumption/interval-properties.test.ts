import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { Reader } from '../../../src/core/repository/reader.js'
import { chosenEntities } from '../../../src/domains.js'
import type { DeviceConsumption } from '../../../src/energy/consumption/device-consumption.js'
import { IntervalDeriver } from '../../../src/energy/consumption/interval-deriver.js'
import { IntervalStore } from '../../../src/energy/consumption/interval-store.js'
import { PriceBookReader } from '../../../src/energy/tariffs/price-book.js'
import { chainOf } from '../../ledger/support/chains.js'
import { arrivalsOf, histories, rooms } from '../../ledger/support/histories.js'
import { aClassroom } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { runs } from '../../support/extent.js'
import { openVolt } from '../../support/volt.js'

const cases = runs(4)
const database = setUpDatabase()
const day = { fromMs: Date.parse('2026-02-28T00:00:00Z'), toMs: Date.parse('2026-03-05T00:00:00Z') }
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
  const zones = ['Asia/Kathmandu', 'Australia/Lord_Howe']
  for (const [index, _id] of rooms.entries()) {
    await volt.classrooms.create({ ...aClassroom({ timeZone: zones[index] ?? 'UTC' }), _id })
  }
  const bands = [{ from: '15:50', to: '17:20', pricePerKwh: 9 }]
  const startsAt = new Date('2020-01-01T00:00:00Z')
  await volt.tariffs.set({ startsAt, currency: 'INR', pricePerKwh: 5, bands })
})

const entities = chosenEntities({})

function deriverOf(facts: number, intervals: number): IntervalDeriver {
  const { database: own } = volt
  const readers = {
    classrooms: new Reader(own, entities.classrooms),
    devices: new Reader(own, entities.devices),
  }
  const prices = new PriceBookReader(own, entities.costVersions, volt.powerSettings)
  const store = new IntervalStore(own, entities.intervals, entities.intervalRevisions)
  return new IntervalDeriver({ database: own, facts: volt.ledger.facts, readers, prices, store }, { facts, intervals })
}

async function intervalsOf(switchId: ObjectId): Promise<DeviceConsumption[]> {
  const found: DeviceConsumption[] = []
  for await (const one of volt.intervals.stream({ switch_id: switchId }, { sort: { start_ts: 1 } })) found.push(one)
  return found
}

/** What does not depend on which switch it was, and on when entries came. */
function essence({
  _id,
  createdAt,
  updatedAt,
  __v,
  switch_id,
  switch_name,
  ledger_entries,
  ...rest
}: DeviceConsumption) {
  return rest
}

describe('derived intervals', () => {
  it('are the same in whatever order, batches, and how often facts come, and however they are derived', async () => {
    const arrivals = arrivalsOf(histories('rated', 'power', 'counter'))
    // Small limits make many transactions.
    const limits = fc.record({ facts: fc.constantFrom(1, 1000), intervals: fc.constantFrom(1, 3, 1000) })
    const derivations = fc.array(fc.tuple(fc.nat({ max: 96 }), fc.integer({ min: 1, max: 96 })), { maxLength: 2 })
    const property = fc.asyncProperty(arrivals, limits, derivations, async (arrival, { facts, intervals }, between) => {
      const [switchId, other] = [new ObjectId(), new ObjectId()]
      const deriver = deriverOf(facts, intervals)
      for (const [index, batch] of arrival.batches.entries()) {
        await volt.ledger.append(batch.map((event) => ({ ...event, switchId })))
        const [fromHour, hours] = between[index] ?? []
        if (fromHour === undefined || hours === undefined) continue
        const fromMs = day.fromMs + fromHour * 3_600_123
        await deriver.derive(switchId, { fromMs, toMs: fromMs + hours * 3_600_000 })
      }
      await deriver.derive(switchId, day)
      await volt.ledger.append(arrival.inOrder.map((event) => ({ ...event, switchId: other })))
      await deriverOf(1e6, 1e6).derive(other, day)

      const found = await intervalsOf(switchId)
      expect(found.map(essence)).toEqual((await intervalsOf(other)).map(essence))
      await expectRegisters(switchId, found)
      expectApart(found)
      expect(await deriver.derive(switchId, day)).toMatchObject({ created: 0, changed: 0, removed: 0 })
    })
    await fc.assert(property, { numRuns: cases })
  }, 600_000)
})

/** Their energy is the chain's, to the milliwatt-second. */
async function expectRegisters(switchId: ObjectId, found: readonly DeviceConsumption[]): Promise<void> {
  const last = (await chainOf(database.db, switchId)).at(-1)
  const sum = (name: 'energy_mws' | 'production_mws') => found.reduce((total, one) => total + one[name], 0)
  expect(sum('energy_mws')).toBe(Math.round((last?.cumulativeEnergy ?? 0) * 1000))
  expect(sum('production_mws')).toBe(Math.round((last?.cumulativeProduction ?? 0) * 1000))
}

function expectApart(found: readonly DeviceConsumption[]): void {
  for (const [index, { start_ts, end_ts, ledger_entries, energy_mws, cost_calculation }] of found.entries()) {
    const nextMs = found[index + 1]?.start_ts.getTime() ?? Number.POSITIVE_INFINITY
    expect(end_ts.getTime()).toBeLessThanOrEqual(nextMs)
    expect(end_ts.getTime() - start_ts.getTime()).toBeLessThanOrEqual(3_600_000)
    expect(ledger_entries).toBeDefined()
    const price = cost_calculation?.cost_per_kwh ?? Number.NaN
    expect([5, 9]).toContain(price)
    expect(cost_calculation?.amount).toBeCloseTo((energy_mws / 3.6e9) * price, 5)
  }
}
