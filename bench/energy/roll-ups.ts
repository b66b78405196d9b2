import type { AutoVolt, LedgerEventInput } from '@autovolt/data'
import { factFields } from '../../src/ledger/facts/fact.js'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf, valueRow } from '../harness.js'
import { type Board, boards } from './roll-up-data.js'

const switches = 2000
const startMs = Date.UTC(2026, 2, 1)
const monthMs = 31 * 86_400_000
/** More than these are spread over a year. */
const entriesOfMonth = 1_000_000
const march = { from: '2026-03-01', to: '2026-03-31' }
const yearOfDays = { from: '2026-01-01', to: '2026-12-31' }
const batchSize = 2000
/** How long entries are written, with and without a worker beside it: several of its turns, which come every ten seconds. */
const ingestingSeconds = 30

/** Keeping roll-ups beside a writer, building a month anew, and re-costing a year. */
export async function benchRollUps(volt: AutoVolt, { documents, rounds, say }: GroupContext): Promise<Row[]> {
  const own = boards(switches)
  await volt.tariffs.set({ startsAt: new Date('2020-01-01'), currency: 'EUR', pricePerKwh: 0.3 })
  const months = documents > entriesOfMonth ? 12 : 1
  say(`roll-ups: ${documents} entries of ${switches} switches in ${months} months`)
  const readings = new Readings(own, (months * monthMs) / (documents / switches))
  for (let written = 0; written < documents; written += batchSize) await volt.ledger.append(readings.next(batchSize))
  await volt.rollUps.update()
  return [
    await benchDaily(volt, { rounds, say }),
    await benchKeeping(volt, new Readings(own, 10_000, startMs + months * monthMs), { rounds, say }),
    await benchRebuild(volt, { rounds, say }),
    await benchRecosting(volt, own, say),
  ]
}

/** Energy by day up to this second, which takes the roll-ups for what they cover, beside reading the entries of these days. */
async function benchDaily(volt: AutoVolt, { rounds, say }: Pick<GroupContext, 'rounds' | 'say'>): Promise<Row> {
  say('energy by classroom of two weeks, beside reading their entries')
  const weeks = { from: '2026-03-08', to: '2026-03-21' }
  const timestamp = { $gte: new Date(weeks.from), $lt: new Date('2026-03-22') }
  const measured = await alternate(
    rounds,
    async () => 1 / (await secondsOf(() => volt.energy.dailyByClassroom(weeks))),
    async () => 1 / (await secondsOf(() => readAll(volt, timestamp))),
  )
  return ratioRow('energy.daily-of-two-weeks', 'reports/s', measured, { atLeast: 10 })
}

/** How fast entries are appended while a worker keeps the roll-ups, beside how fast they are without. */
async function benchKeeping(
  volt: AutoVolt,
  readings: Readings,
  { rounds, say }: Pick<GroupContext, 'rounds' | 'say'>,
): Promise<Row> {
  say(`keeping roll-ups while entries are appended for ${ingestingSeconds} s a round`)
  const append = async () => {
    const endMs = performance.now() + ingestingSeconds * 1000
    let count = 0
    for (; performance.now() < endMs; count += batchSize) await volt.ledger.append(readings.next(batchSize))
    return count
  }
  const measured = await alternate(
    rounds,
    async () => {
      const stop = volt.rollUps.start()
      let count = 0
      const seconds = await secondsOf(async () => {
        count = await append()
        await stop()
        // What the worker has left counts too.
        await volt.rollUps.update()
      })
      return count / seconds
    },
    async () => {
      let count = 0
      const seconds = await secondsOf(async () => {
        count = await append()
      })
      await volt.rollUps.update()
      return count / seconds
    },
  )
  return ratioRow('energy.append-while-keeping-roll-ups', 'entries/s', measured, { atLeast: 0.75 })
}

/** A month built anew from the ledger, beside reading the same fields in the same order. */
async function benchRebuild(volt: AutoVolt, { rounds, say }: Pick<GroupContext, 'rounds' | 'say'>): Promise<Row> {
  say('building a month anew, beside reading it')
  const ledger = volt.database.native.collection(volt.entityOf('ledger').collection)
  const timestamp = { $gte: new Date(startMs), $lt: new Date(startMs + monthMs) }
  const entries = await ledger.countDocuments({ timestamp })
  const measured = await alternate(
    rounds,
    async () => entries / (await secondsOf(() => volt.rollUps.rebuild(march))),
    async () => entries / (await secondsOf(() => readAll(volt, timestamp))),
  )
  return ratioRow('energy.rebuild-a-month', 'entries/s', measured, { atLeast: 0.5 })
}

async function readAll(volt: AutoVolt, timestamp: object): Promise<void> {
  const ledger = volt.database.native.collection(volt.entityOf('ledger').collection)
  const hint = { switchId: 1, timestamp: 1 } as const
  const cursor = ledger.find(
    { timestamp },
    { projection: { ...factFields, switchId: 1 }, hint, sort: hint, batchSize: 5000 },
  )
  for await (const _ of cursor);
}

/** A year of days, of which each switch has one reading an hour, under a tariff that changes at its start. */
async function benchRecosting(volt: AutoVolt, own: readonly Board[], say: GroupContext['say']): Promise<Row> {
  say('re-costing a year')
  const daily = volt.database.native.collection(volt.entityOf('dailyAggregates').collection)
  await spreadOverYear(volt, own)
  const days = await daily.countDocuments({ date_string: { $gte: yearOfDays.from, $lte: yearOfDays.to } })
  await volt.rollUps.recost()
  await volt.tariffs.set({ startsAt: new Date('2025-12-31'), currency: 'EUR', pricePerKwh: 0.31 })
  const seconds = await secondsOf(() => volt.rollUps.recost())
  say(`${days} documents`)
  return valueRow('energy.recost-a-year', 's', { value: seconds }, { atMost: 60 })
}

/** Puts copies of a day in every day of the year that has none, as the updater would have written them. */
async function spreadOverYear(volt: AutoVolt, own: readonly Board[]): Promise<void> {
  const daily = volt.database.native.collection(volt.entityOf('dailyAggregates').collection)
  for (const { _id } of own) {
    const model = await daily.findOne({ device_id: _id, date_string: '2026-03-15' })
    if (model === null) throw new Error('A board has no roll-up')
    const known = new Set(await daily.distinct('date_string', { device_id: _id }))
    const copies = daysOfYear().flatMap((date) =>
      known.has(date)
        ? []
        : [
            {
              ...model,
              _id: undefined,
              date_string: date,
              starts_at: new Date(date),
              ends_at: new Date(Date.parse(date) + 86_400_000),
            },
          ],
    )
    if (copies.length > 0) await daily.insertMany(copies.map(({ _id: none, ...copy }) => copy))
  }
}

function daysOfYear(): string[] {
  const first = Date.parse(yearOfDays.from)
  return Array.from({ length: 365 }, (_, day) => new Date(first + day * 86_400_000).toISOString().slice(0, 10))
}

interface BoardSwitch {
  readonly board: Board
  readonly switchId: Board['switches'][number]
}

/** Power readings of all switches in turn. */
class Readings {
  readonly #own: readonly BoardSwitch[]
  readonly #everyMs: number
  readonly #fromMs: number
  #serial = 0

  constructor(own: readonly Board[], everyMs: number, fromMs = startMs) {
    this.#own = own.flatMap((board) => board.switches.map((switchId) => ({ board, switchId })))
    this.#everyMs = everyMs
    this.#fromMs = fromMs
  }

  next(count: number): LedgerEventInput[] {
    return Array.from({ length: count }, () => this.#reading(this.#serial++))
  }

  #reading(n: number): LedgerEventInput {
    const turn = Math.floor(n / this.#own.length)
    const { board, switchId } = this.#own[n % this.#own.length] as BoardSwitch
    const timestamp = new Date(this.#fromMs + Math.floor(turn * this.#everyMs))
    return {
      switchId,
      deviceId: board._id,
      classroom: board.classroom,
      timestamp,
      receivedAt: timestamp,
      eventType: 'power_reading',
      powerState: true,
      powerRating: 60,
      energySource: 'power',
      reading: { powerW: 55 + (n % 10) },
      gapLimitMs: 86_400_000,
      ratePerKwh: 0.3,
      flags: [],
      metadata: { source: 'mqtt', bootId: 'b1', deviceSequence: turn },
      idempotencyKey: `v2:${this.#fromMs}-${n}`,
    }
  }
}
