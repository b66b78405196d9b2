import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { type Fact, factOf, inOrder } from '../../../src/ledger/facts/fact.js'
import { sumOf } from '../../../src/ledger/facts/register.js'
import { SwitchMeter } from '../../../src/ledger/facts/switch-meter.js'
import { setUpDatabase } from '../../support/database.js'
import { runs } from '../../support/extent.js'
import { openVolt } from '../../support/volt.js'
import { chainOf } from '../support/chains.js'
import { anEvent, aSwitchInLedger, at, type HostEvent, type OwnFields } from '../support/events.js'

const database = setUpDatabase()
const nothingBeside = { unstored: [], session: undefined }
let volt: AutoVolt
let own: OwnFields

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})
beforeEach(() => {
  own = aSwitchInLedger()
})

const counter = (minute: number, energyWh: number, overrides: Partial<HostEvent> = {}) =>
  anEvent({
    ...own,
    timestamp: at(60 * minute),
    energySource: 'counter',
    reading: { energyWh, counterQuantumWh: 1 },
    ...overrides,
  })
const factsOf = (events: readonly HostEvent[]): Fact[] => inOrder(events.flatMap((event) => factOf(event) ?? []))

/** The counts one after the other, each for so many minutes. */
function counts(...runs: readonly (readonly [energyWh: number, minutes: number])[]): HostEvent[] {
  const shown = runs.flatMap(([energyWh, minutes]) => Array<number>(minutes).fill(energyWh))
  return shown.map((energyWh, minute) => counter(minute, energyWh))
}

describe('a counter that stands still for long', () => {
  it.each([0, 120])('at %i Wh is not read from end to end', async (standingWh) => {
    const events = counts([100, 3], [110, 3], [standingWh, 3000], [standingWh + 10, 1])
    await volt.ledger.append(events.slice(0, -1))
    const { facts } = volt.ledger
    expect((await facts.newest(own.switchId, nothingBeside)).facts.length).toBeLessThan(200)
    const [late] = factsOf([counter(1500.5, standingWh + 1)])
    const around = await facts.around(own.switchId, late!, nothingBeside)
    expect(around.facts.length).toBeLessThan(400)
    expect(around.toTheEnd).toBe(true)
    const other = await openVolt(database)
    const [appended] = await other.ledger.append(events.slice(-1))
    expect(appended?.entry.cumulativeEnergy).toBe(sumOf(new SwitchMeter().take(factsOf(events))).consumedMws / 1000)
  })

  it('comes to the same as if all of it were read, whatever comes before, after, between and late', async () => {
    const shown = fc.constantFrom(0, 99, 100, 101, 102, 130, 4)
    const run = fc.tuple(shown, fc.constantFrom(1, 2, 3, 90, 250))
    const lates = fc.array(fc.tuple(fc.nat({ max: 700 }), shown, fc.boolean()), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 6 }), lates, async (runs, late) => {
        own = aSwitchInLedger()
        const inTime = counts([100, 1], ...runs).map((event, minute) => ({
          ...event,
          ratePerKwh: minute % 300 < 150 ? 7.5 : 8,
        }))
        const events = late.map(([minute, energyWh, isPower]) =>
          isPower
            ? anEvent({ ...own, timestamp: at(60 * minute + 30), reading: { powerW: energyWh } })
            : counter(minute + 0.5, energyWh),
        )
        await volt.ledger.append(inTime)
        const other = await openVolt(database)
        for (const event of events.slice(0, 3)) await other.ledger.append([event])
        await other.ledger.append(events.slice(3))
        const { consumedMws, cost } = sumOf(new SwitchMeter().take(factsOf([...inTime, ...events])))
        const last = (await chainOf(database.db, own.switchId)).at(-1)
        expect(last?.cumulativeEnergy).toBe(consumedMws / 1000)
        expect(Math.abs((last?.calculatedCost ?? 0) - cost)).toBeLessThan(1e-9)
        await other.close()
      }),
      { numRuns: runs(4) },
    )
  }, 600_000)

  it('ends at the next reading of another instant, price or source as well', async () => {
    const busy = Array.from({ length: 100 }, (_, deviceSequence) =>
      counter(200, 100, { metadata: { source: 'mqtt', deviceSequence } }),
    )
    const events = [...counts([100, 200]), ...busy, ...counts([0, 201], [100, 400]).slice(201), counter(700, 101)]
    await volt.ledger.append(events.slice(0, -1))
    const other = await openVolt(database)
    const [appended] = await other.ledger.append(events.slice(-1))
    expect(appended?.entry.cumulativeEnergy).toBe(3600)
  })
})
