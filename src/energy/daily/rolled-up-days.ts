import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { addDays, datesBetween } from '../days.js'
import { type ExactSum, exactOf } from '../exact-decimal.js'
import type { DailyAggregate, SwitchBreakdown } from '../roll-ups/daily-aggregate.js'
import { canBePriced, isThisDay } from '../roll-ups/day-cuts.js'
import type { PricedDay } from '../roll-ups/day-document.js'
import { notPriced, pricesOf } from '../roll-ups/repricing.js'
import type { DaySpan } from '../roll-ups/slot-tally.js'
import type { PricingContexts } from '../tariffs/pricing-context.js'
import { ClassroomDays } from './classroom-days.js'
import type { DailyKey, DailyTotals } from './daily-totals.js'
import type { EnergyNumbers } from './energy-total.js'

/** Days that the roll-ups cannot serve for, and where the ledger is to be read instead. */
export interface UnservedDays {
  readonly days: ClassroomDays
  /** The switches that may have used energy in them, and when; a switch may be there several times. */
  readonly switches: readonly { readonly switchId: ObjectId; readonly span: DaySpan }[]
}

export const nothingUnserved: UnservedDays = { days: new ClassroomDays(), switches: [] }

/** How far a civil day of one time zone can be from that of another at the same instant. */
const zonesApart = 2
const classroomsAtOnce = 100
const sums = ['energy_mws', 'production_mws', 'measured_ms', 'estimated_ms', 'missing_ms', 'cost_exact'] as const

/** What the documents of a classroom's day come to that were made alike. */
type DayGroup = Pick<DailyAggregate, 'classroom' | 'currency'> &
  Pick<SwitchBreakdown, 'energy_mws' | 'production_mws' | 'measured_ms' | 'estimated_ms' | 'missing_ms'> & {
    readonly day: string
    readonly cost_exact: ExactSum
    readonly digest: string | null
  }

/** A part of a total. */
interface Amount {
  readonly switchId: ObjectId | undefined
  readonly numbers: EnergyNumbers
  readonly cost: bigint
}

/**
 * Answers for days from their roll-ups, as far as these hold. They do where they were made with the calendar of now: its
 * digest tells, in the index. Where only prices have changed their slots are priced again. What is left is named.
 */
export class RolledUpDays {
  readonly #daily: EntityCollection<DailyAggregate>

  constructor(daily: EntityCollection<DailyAggregate>) {
    this.#daily = daily
  }

  /** Adds what roll-ups have of the days to the totals. In a snapshot. @returns those for which they cannot serve. */
  async addTo(totals: DailyTotals, span: DaySpan, by: DailyKey, contexts: PricingContexts): Promise<UnservedDays> {
    const groups = await this.#groups(around(span))
    const doubtful = new ClassroomDays()
    for (const group of groups) if (!isOfNow(group, contexts)) doubtful.add(group.classroom, group.day)
    const unserved = doubtful.isEmpty ? nothingUnserved : await this.#addDoubtful(totals, doubtful, span, by, contexts)
    const isServed = (classroom: ObjectId, day: string) =>
      !doubtful.has(classroom, day) && !unserved.days.has(classroom, day)
    if (by === 'switch') await this.#addSwitches(totals, span, isServed)
    else {
      for (const group of groups) {
        const { classroom, day } = group
        if (isServed(classroom, day)) totals.add(day, classroom, undefined, numbersOf(group), exactOf(group.cost_exact))
      }
    }
    return unserved
  }

  /** From an index alone, a key for each device and day. */
  #groups({ from, to }: DaySpan): Promise<DayGroup[]> {
    const by = { day: '$date_string', classroom: '$classroom', currency: '$currency', digest: '$calendar_digest' }
    return this.#daily.aggregate<DayGroup>(
      [
        { $match: { date_string: { $gte: from, $lte: to } } },
        { $group: { _id: by, ...Object.fromEntries(sums.map((name) => [name, { $sum: `$${name}` }])) } },
        { $replaceRoot: { newRoot: { $mergeObjects: ['$$ROOT', '$_id'] } } },
        { $unset: '_id' },
      ],
      { batchSize: 10_000 },
    )
  }

  /** A document for each device and day, without its slots. */
  async #addSwitches(
    totals: DailyTotals,
    { from, to }: DaySpan,
    isServed: (classroom: ObjectId, day: string) => boolean,
  ): Promise<void> {
    const ofSwitches = ['switch_id', ...sums].map((name) => [`switch_breakdown.${name}`, 1])
    const projection = { date_string: 1, classroom: 1, ...Object.fromEntries(ofSwitches) }
    const options = { projection, batchSize: 1000 }
    for await (const day of this.#daily.stream({ date_string: { $gte: from, $lte: to } }, options)) {
      const { classroom, date_string, switch_breakdown } = day
      if (!isServed(classroom, date_string)) continue
      for (const one of switch_breakdown)
        totals.add(date_string, classroom, one.switch_id, numbersOf(one), exactOf(one.cost_exact))
    }
  }

  /** Looks at the documents of days that were made with another calendar, and takes from them what still holds. */
  async #addDoubtful(
    totals: DailyTotals,
    doubtful: ClassroomDays,
    span: DaySpan,
    by: DailyKey,
    contexts: PricingContexts,
  ): Promise<UnservedDays> {
    const unserved = new ClassroomDays()
    const amounts: [classroom: ObjectId, day: string, Amount][] = []
    for await (const day of this.#documents(doubtful)) {
      const { classroom, date_string } = day
      const pricing = contexts.pricingOf(classroom)
      if (!isThisDay(day, pricing)) {
        for (const date of daysAround(date_string)) if (isWithin(date, span)) unserved.add(classroom, date)
      } else if (!isWithin(date_string, span)) continue
      else if (!canBePriced(day, pricing)) unserved.add(classroom, date_string)
      else for (const amount of amountsOf(day, by, contexts)) amounts.push([classroom, date_string, amount])
    }
    for (const [classroom, day, { switchId, numbers, cost }] of amounts) {
      if (!unserved.has(classroom, day)) totals.add(day, classroom, switchId, numbers, cost)
    }
    return { days: unserved, switches: await this.#switchesIn(unserved) }
  }

  async *#documents(days: ClassroomDays): AsyncGenerator<PricedDay, void, undefined> {
    const filters = days.byClassroom.map((one) => ({ classroom: one.classroom, date_string: { $in: one.days } }))
    for (let at = 0; at < filters.length; at += classroomsAtOnce) {
      const options = { projection: notPriced, hint: { classroom: 1, date_string: 1 }, batchSize: 1000 }
      yield* this.#daily.stream<PricedDay>({ $or: filters.slice(at, at + classroomsAtOnce) }, options)
    }
  }

  /** What may have used energy in the days: what is in the documents of those beside them too, in whatever time zone. */
  async #switchesIn(unserved: ClassroomDays): Promise<UnservedDays['switches']> {
    const found = new Map<string, { readonly switchId: ObjectId; readonly days: Set<string> }>()
    for (const { classroom, days } of unserved.byClassroom) {
      const asked = new Set(days)
      const near = around({ from: days[0] ?? '', to: days.at(-1) ?? '' })
      const projection = { date_string: 1, 'switch_breakdown.switch_id': 1 }
      const filter = { classroom, date_string: { $gte: near.from, $lte: near.to } }
      for await (const { date_string, switch_breakdown } of this.#daily.stream(filter, { projection })) {
        const own = daysAround(date_string).filter((day) => asked.has(day))
        for (const { switch_id } of switch_breakdown) {
          const known = found.get(switch_id.toHexString()) ?? { switchId: switch_id, days: new Set() }
          for (const day of own) known.days.add(day)
          found.set(switch_id.toHexString(), known)
        }
      }
    }
    return [...found.values()].flatMap(({ switchId, days }) => spansOf([...days]).map((span) => ({ switchId, span })))
  }
}

function isOfNow({ day, classroom, currency, digest }: DayGroup, contexts: PricingContexts): boolean {
  const { calendar, currency: currencyNow } = contexts.pricingOf(classroom)
  return currency === currencyNow && digest === calendar.digestOf(day)
}

/** What a document comes to at the prices of now: in all, or by switch. */
function amountsOf(day: PricedDay, by: DailyKey, contexts: PricingContexts): Amount[] {
  const pricing = contexts.pricingOf(day.classroom)
  const ofSwitches = day.switch_breakdown.map((one) => ({
    switchId: one.switch_id,
    numbers: numbersOf(one),
    cost: pricesOf(one, day.starts_at, pricing).cost,
  }))
  if (by === 'switch') return ofSwitches
  return [{ switchId: undefined, numbers: numbersOf(day), cost: ofSwitches.reduce((sum, { cost }) => sum + cost, 0n) }]
}

function numbersOf(
  stored: Pick<SwitchBreakdown, 'energy_mws' | 'production_mws' | 'measured_ms' | 'estimated_ms' | 'missing_ms'>,
): EnergyNumbers {
  return {
    energyMws: stored.energy_mws,
    productionMws: stored.production_mws,
    measuredMs: stored.measured_ms,
    estimatedMs: stored.estimated_ms,
    missingMs: stored.missing_ms,
  }
}

function around({ from, to }: DaySpan): DaySpan {
  return { from: addDays(from, -zonesApart), to: addDays(to, zonesApart) }
}

function daysAround(day: string): string[] {
  return datesBetween(addDays(day, -zonesApart), addDays(day, zonesApart))
}

/** Days that follow each other, as one span. */
function spansOf(days: readonly string[]): DaySpan[] {
  const spans: DaySpan[] = []
  for (const day of days.toSorted()) {
    const last = spans.at(-1)
    if (last !== undefined && addDays(last.to, 1) === day) spans[spans.length - 1] = { from: last.from, to: day }
    else spans.push({ from: day, to: day })
  }
  return spans
}

function isWithin(day: string, { from, to }: DaySpan): boolean {
  return day >= from && day <= to
}
