import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../../src/autovolt.js'
import { switchStretches } from '../../../src/energy/switch-energy.js'
import { type Fact, factOf, inOrder } from '../../../src/ledger/facts/fact.js'
import { sumOf } from '../../../src/ledger/facts/register.js'
import { type FactStretch, SwitchMeter } from '../../../src/ledger/facts/switch-meter.js'
import { setUpDatabase } from '../../support/database.js'
import { runs } from '../../support/extent.js'
import { openVolt } from '../../support/volt.js'
import { chainOf, expectSound } from '../support/chains.js'
import { at } from '../support/events.js'
import { type Arrival, arrivalsOf, histories } from '../support/histories.js'

const cases = runs(4)
const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

/** A handle that knows no chain, as in a process that has just started. */
const newHandle = () => AutoVolt.attach(volt.database.connection)

/** What the facts come to, taken at once and in order. */
function expectedOf({ inOrder: events }: Arrival): { facts: Fact[]; stretches: FactStretch[] } {
  const facts = inOrder(events.flatMap((event) => factOf(event) ?? []))
  return { facts, stretches: new SwitchMeter().take(facts) }
}

/** Appends what arrives, and gives back the switch that it was appended to. */
async function append({ batches }: Arrival, handleOf: (batch: number) => AutoVolt, isInTransaction: boolean) {
  const switchId = new ObjectId()
  for (const [index, batch] of batches.entries()) {
    const handle = handleOf(index)
    const work = () => handle.ledger.append(batch.map((event) => ({ ...event, switchId })))
    if (isInTransaction && index % 3 === 0) await handle.transaction(work)
    else await work()
  }
  return switchId
}

async function expectRegisters(arrival: Arrival, switchId: ObjectId): Promise<void> {
  const entries = await chainOf(database.db, switchId)
  expect(entries).toHaveLength(arrival.inOrder.length)
  expectSound(entries)
  const { consumedMws, producedMws, cost } = sumOf(expectedOf(arrival).stretches)
  const last = entries.at(-1)
  expect([last?.cumulativeEnergy ?? 0, last?.cumulativeProduction ?? 0]).toEqual([
    consumedMws / 1000,
    producedMws / 1000,
  ])
  expect(Math.abs((last?.calculatedCost ?? 0) - cost)).toBeLessThan(1e-9)
}

const sources = [
  ['rated', histories('rated')],
  ['power', histories('power')],
  ['counter', histories('counter')],
  ['changing', histories('rated', 'power', 'counter')],
] as const

describe.each(sources)('the registers of a switch whose source is %s', (_, history) => {
  it('end at the energy and cost of all facts, in whatever order, batches, and how often they arrive', async () => {
    const keeping = fc.constantFrom('one handle' as const, 'two handles in turn', 'a new handle for each batch')
    await fc.assert(
      fc.asyncProperty(arrivalsOf(history), keeping, fc.boolean(), async (arrival, kept, isInTransaction) => {
        const handles = arrival.batches.map(newHandle)
        const turns = { 'one handle': 1, 'two handles in turn': 2, 'a new handle for each batch': handles.length }
        const handleOf = (batch: number) => handles[batch % turns[kept]] ?? volt
        await expectRegisters(arrival, await append(arrival, handleOf, isInTransaction))
        for (const handle of handles) await handle.close()
      }),
      { numRuns: cases },
    )
  }, 600_000)

  it('are told by the stretches that are read from the ledger, from whatever instant on', async () => {
    const seconds = fc.integer({ min: -100, max: 8000 })
    await fc.assert(
      fc.asyncProperty(arrivalsOf(history), seconds, seconds, async (arrival, oneEnd, otherEnd) => {
        const handle = newHandle()
        const switchId = await append(arrival, () => handle, false)
        const [fromMs = 0, toMs = 0] = [at(oneEnd).getTime(), at(otherEnd).getTime()].sort((a, b) => a - b)
        const found: FactStretch[] = []
        const range = { fromMs, toMs: toMs + 1 }
        for await (const stretch of switchStretches(handle.ledger.facts, switchId, range, undefined))
          found.push(stretch)
        const expected = expectedOf(arrival).stretches.filter(
          ({ stretch }) => stretch.toMs > range.fromMs && stretch.fromMs < range.toMs,
        )
        const shown = ({ stretch, since }: FactStretch) => ({
          ...stretch,
          room: String(since.classroom),
          rate: since.ratePerKwh,
        })
        expect(found.map(shown)).toEqual(expected.map(shown))
        await handle.close()
      }),
      { numRuns: cases },
    )
  }, 600_000)
})
