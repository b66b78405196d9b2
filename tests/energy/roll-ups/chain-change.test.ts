import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { expect, it } from 'vitest'
import { exactOf } from '../../../src/energy/exact-decimal.js'
import { addChange, type FactSource } from '../../../src/energy/roll-ups/chain-change.js'
import type { DailyAggregate } from '../../../src/energy/roll-ups/daily-aggregate.js'
import type { DayFields } from '../../../src/energy/roll-ups/day-document.js'
import { factsOf } from '../../../src/energy/roll-ups/fresh-entries.js'
import type { MonthFields } from '../../../src/energy/roll-ups/month-document.js'
import type { MonthlyAggregate } from '../../../src/energy/roll-ups/monthly-aggregate.js'
import { rollUpBatch } from '../../../src/energy/roll-ups/roll-up-batch.js'
import { dayKey, monthKey, type RollUpBatch, type RollUpStore } from '../../../src/energy/roll-ups/roll-up-store.js'
import { SlotTally } from '../../../src/energy/roll-ups/slot-tally.js'
import type { PricingContexts } from '../../../src/energy/tariffs/pricing-context.js'
import { SlotCalendar } from '../../../src/energy/tariffs/slot-calendar.js'
import { slotPartsOf } from '../../../src/energy/tariffs/slot-parts.js'
import { type Fact, inOrder } from '../../../src/ledger/facts/fact.js'
import { partTheirNeighbours } from '../../../src/ledger/facts/fact-run.js'
import type { EnergyEntry } from '../../../src/ledger/facts/stored-fact.js'
import { SwitchMeter } from '../../../src/ledger/facts/switch-meter.js'
import { costOf, moneyOf } from '../../../src/metering/index.js'
import type { HostEvent } from '../../ledger/support/events.js'
import { histories } from '../../ledger/support/histories.js'
import { runs } from '../../support/extent.js'

/** Entries in a list, read as the ledger reads them. */
class ListedFacts implements FactSource {
  readonly entries: EnergyEntry[] = []

  async newestThrough(_switchId: ObjectId, throughSequence: number): Promise<readonly Fact[]> {
    return this.#through(throughSequence)
  }

  async *from(_switchId: ObjectId, fromMs: number, _toMs: number, throughSequence = Number.POSITIVE_INFINITY) {
    const facts = this.#through(throughSequence)
    yield neededBefore(facts.filter(({ atMs }) => atMs < fromMs))
    for (const instant of new Set(facts.filter(({ atMs }) => atMs >= fromMs).map(({ atMs }) => atMs)))
      yield facts.filter(({ atMs }) => atMs === instant)
  }

  #through(sequence: number): Fact[] {
    return inOrder(factsOf(this.entries.filter((entry) => entry.sequence <= sequence)))
  }
}

/** As few of the last facts as part what is before them from what comes after. */
function neededBefore(facts: readonly Fact[]): readonly Fact[] {
  const instants = [...new Set(facts.map(({ atMs }) => atMs))].reverse()
  for (const fromMs of instants) {
    const last = facts.filter(({ atMs }) => atMs >= fromMs)
    if (partTheirNeighbours(last)) return last
  }
  return facts
}

/** Documents in a map, read and replaced as the collections' are. */
class ListedDocuments implements Pick<RollUpStore, 'days' | 'months'> {
  readonly #days = new Map<string, DailyAggregate>()
  readonly #months = new Map<string, MonthlyAggregate>()

  async days(): Promise<Map<string, DailyAggregate>> {
    return this.#days
  }

  async months(): Promise<Map<string, MonthlyAggregate>> {
    return this.#months
  }

  put({ days, months }: RollUpBatch): void {
    for (const { before, after } of days) {
      const key = ({ device_id, classroom, date_string }: DayFields) =>
        dayKey({ deviceId: device_id, classroom, date: date_string })
      replace(this.#days, key, before as DayFields | undefined, after as DayFields | undefined)
    }
    for (const { before, after } of months) {
      const key = ({ device_id, classroom, month }: MonthFields) => monthKey({ deviceId: device_id, classroom, month })
      replace(this.#months, key, before, after)
    }
  }

  get contents() {
    return [this.#days, this.#months].map((documents) => [...documents].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  get allDays(): DailyAggregate[] {
    return [...this.#days.values()]
  }
}

function replace<Fields extends object, Stored>(
  documents: Map<string, Stored>,
  keyOf: (fields: Fields) => string,
  before: Fields | undefined,
  after: Fields | undefined,
): void {
  if (before !== undefined) documents.delete(keyOf(before))
  if (after !== undefined) documents.set(keyOf(after), after as unknown as Stored)
}

const zones = ['UTC', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/St_Johns']
const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
const exactSum = (numbers: readonly bigint[]) => numbers.reduce((total, one) => total + one, 0n)

it.each([['rated'], ['power'], ['counter'], ['rated', 'power', 'counter']] as const)(
  'comes to the same energy, documents and cost, whatever the order, the batches and the price cuts (%s)',
  async (...sources) => {
    await fc.assert(
      fc.asyncProperty(
        histories(...sources),
        fc.infiniteStream(fc.nat()),
        fc.constantFrom(...zones),
        fc.nat({ max: 3_599_999 }),
        async (history, stream, zone, cutMs) => {
          const draw = (below: number) => (stream.next().value as number) % below
          const calendar = calendarCutAt(zone, cutMs)
          const contexts = contextsUnder(calendar)
          const switchId = new ObjectId()
          const facts = new ListedFacts()
          const documents = new ListedDocuments()
          let through = 0
          let meter: SwitchMeter | undefined
          const update = async () => {
            const head = facts.entries.length
            const entries = facts.entries.slice(through)
            const tally = new SlotTally(() => calendar)
            meter = await addChange(tally, facts, { switchId, through, head, entries }, meter)
            documents.put(await rollUpBatch(documents, contexts, [...tally.days.values()], []))
            through = head
          }
          for (const event of shuffled(history, draw)) {
            const isKnown = facts.entries.some(({ idempotencyKey }) => idempotencyKey === event.idempotencyKey)
            if (!isKnown) facts.entries.push({ ...event, switchId, sequence: facts.entries.length + 1 })
            if (draw(8) === 0) facts.entries.push(adjustmentAt(event, switchId, facts.entries.length + 1, draw))
            if (draw(4) === 0) await update()
          }
          await update()

          const whole = new SlotTally(() => calendar)
          const found = new SwitchMeter().take(inOrder(factsOf(facts.entries)))
          for (const one of found) whole.add(switchId.toHexString(), one, 1)
          const adjusted = facts.entries.filter(({ adjustment }) => adjustment !== undefined)
          for (const one of adjusted)
            whole.adjust(switchId.toHexString(), one, one.timestamp.getTime(), one.adjustment as Adjustment)
          const anew = new ListedDocuments()
          anew.put(await rollUpBatch(anew, contexts, [...whole.days.values()], []))
          expect(documents.contents).toEqual(anew.contents)

          const adjustedOf = (of: (adjustment: Adjustment) => number) =>
            adjusted.map(({ adjustment }) => of(adjustment as Adjustment))
          expect(sum(documents.allDays.map(({ energy_mws }) => energy_mws))).toBe(
            sum([...found.map(({ stretch }) => stretch.consumedMws), ...adjustedOf(({ energyWs }) => energyWs * 1000)]),
          )
          const costs = found.flatMap(({ stretch }) =>
            [...slotPartsOf(stretch, calendar)].map(
              ({ slot, stretch: part }) => costOf(part.consumedMws, slot.price?.pricePerKwh ?? 0).numerator,
            ),
          )
          expect(exactSum(documents.allDays.map(({ cost_exact }) => exactOf(cost_exact)))).toBe(
            exactSum([...costs, ...adjustedOf(({ cost }) => cost).map((cost) => moneyOf(cost).numerator)]),
          )
        },
      ),
      { numRuns: runs(150) },
    )
  },
)

type Adjustment = NonNullable<EnergyEntry['adjustment']>

function adjustmentAt(
  event: HostEvent,
  switchId: ObjectId,
  sequence: number,
  draw: (below: number) => number,
): EnergyEntry {
  const adjustment = { energyWs: draw(2000) - 1000, productionWs: draw(100), cost: draw(1000) / 8 }
  const idempotencyKey = `adjustment ${sequence}`
  return {
    ...event,
    switchId,
    sequence,
    eventType: 'manual_adjustment',
    reading: undefined,
    adjustment,
    idempotencyKey,
  }
}

const version = new ObjectId()
const [cheap, dear] = [0.25, 0.5].map((pricePerKwh) => ({
  version,
  pricePerKwh,
  feedInPricePerKwh: 0.08,
  carbonIntensityGPerKwh: 400,
}))

/** Hours are cut once more, so long after they begin: energy is dearer from there on. */
function calendarCutAt(zone: string, cutMs: number): SlotCalendar {
  return new SlotCalendar(zone, (fromMs, toMs) =>
    cutMs > 0 && fromMs + cutMs < toMs
      ? [
          { fromMs, price: cheap },
          { fromMs: fromMs + cutMs, price: dear },
        ]
      : [{ fromMs, price: cheap }],
  )
}

/** Every context has this calendar. */
function contextsUnder(calendar: SlotCalendar): Pick<PricingContexts, 'of'> {
  const switchOf = () => ({ name: 'Lamp' })
  return { of: () => ({ deviceName: 'Relay box', tariff: 'default', currency: 'EUR', calendar, switchOf }) }
}

/** Half of the events in their order, half of them anywhere, some twice. */
function shuffled(history: readonly HostEvent[], draw: (below: number) => number): HostEvent[] {
  const left = [...history]
  const events: HostEvent[] = []
  while (left.length > 0) {
    const [event] = left.splice(draw(2) === 0 ? 0 : draw(left.length), 1)
    if (event !== undefined) events.push(event, ...(draw(5) === 0 ? [event] : []))
  }
  return events
}
