import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { switchStretches } from '../../src/energy/switch-energy.js'
import { ledgerEntryEntity } from '../../src/ledger/entry.js'
import { type Fact, factOf, inOrder } from '../../src/ledger/fact.js'
import { sumOf } from '../../src/ledger/register.js'
import { type FactStretch, SwitchMeter } from '../../src/ledger/switch-meter.js'
import { LedgerWriter } from '../../src/ledger/writer.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'
import { chainOf, expectSound } from './support/chains.js'
import { at } from './support/events.js'
import { type Arrival, arrivalsOf, histories } from './support/histories.js'

const runs = Number(process.env.AUTOVOLT_RUNS ?? 60)
const database = testDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

/** A writer that knows no chain, as in a process that has just started. */
const newWriter = () => new LedgerWriter({ database: volt.database, collection: ledgerEntryEntity.collection })

/** What the facts come to, taken at once and in order. */
function expectedOf({ inOrder: events }: Arrival): { facts: Fact[]; stretches: FactStretch[] } {
  const facts = inOrder(events.flatMap((event) => factOf(event) ?? []))
  return { facts, stretches: new SwitchMeter().take(facts) }
}

/** Appends what arrives, and gives back the switch that it was appended to. */
async function append({ batches }: Arrival, writerOf: (batch: number) => LedgerWriter, isInTransaction: boolean) {
  const switchId = new ObjectId()
  for (const [index, batch] of batches.entries()) {
    const work = () => writerOf(index).append(batch.map((event) => ({ ...event, switchId })))
    if (isInTransaction && index % 3 === 0) await volt.transaction(work)
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
    const keeping = fc.constantFrom('one writer', 'a new writer for each batch', 'two writers in turn')
    await fc.assert(
      fc.asyncProperty(arrivalsOf(history), keeping, fc.boolean(), async (arrival, kept, isInTransaction) => {
        const writers = [newWriter(), newWriter()]
        const writerOf = (batch: number) => {
          if (kept === 'a new writer for each batch') return newWriter()
          return writers[kept === 'one writer' ? 0 : batch % 2] as LedgerWriter
        }
        await expectRegisters(arrival, await append(arrival, writerOf, isInTransaction))
      }),
      { numRuns: runs },
    )
  }, 600_000)

  it('are told by the stretches that are read from the ledger, from whatever instant on', async () => {
    const seconds = fc.integer({ min: -100, max: 8000 })
    await fc.assert(
      fc.asyncProperty(arrivalsOf(history), seconds, seconds, async (arrival, oneEnd, otherEnd) => {
        const writer = newWriter()
        const switchId = await append(arrival, () => writer, false)
        const [fromMs = 0, toMs = 0] = [at(oneEnd).getTime(), at(otherEnd).getTime()].sort((a, b) => a - b)
        const found: FactStretch[] = []
        const range = { fromMs, toMs: toMs + 1 }
        for await (const stretch of switchStretches(volt.ledger.facts, switchId, range, undefined)) found.push(stretch)
        const expected = expectedOf(arrival).stretches.filter(
          ({ stretch }) => stretch.toMs > range.fromMs && stretch.fromMs < range.toMs,
        )
        const shown = ({ stretch, since }: FactStretch) => ({
          ...stretch,
          room: String(since.classroom),
          rate: since.ratePerKwh,
        })
        expect(found.map(shown)).toEqual(expected.map(shown))
      }),
      { numRuns: runs },
    )
  }, 600_000)
})
