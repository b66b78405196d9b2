import { ObjectId } from 'mongodb'
import { kwhFromMws } from '../../metering/index.js'
import { exactOf, toDecimal } from '../exact-decimal.js'
import type { Pricing, PricingContext } from '../tariffs/pricing-context.js'
import { type SlotDay, sortedIds } from '../tariffs/slot-calendar.js'
import type { DailyAggregate, SwitchBreakdown } from './daily-aggregate.js'
import { EnergyByPrice, type PricedNumbers } from './energy-by-price.js'
import { Figures, shownCost, shownTotals, storedTotals } from './figures.js'
import { RateCost } from './rate-cost.js'
import { SlotNumbers } from './slot-numbers.js'
import { type DayTally, emptySwitchTally, type SwitchTally } from './slot-tally.js'

/** What is in the document, as a tally. */
export function tallyOf({
  device_id,
  classroom,
  date_string,
  starts_at,
  ends_at,
  currency,
  switch_breakdown,
}: DailyAggregate): DayTally {
  const day = { date: date_string, startMs: starts_at.getTime(), endMs: ends_at.getTime() }
  const switches = new Map(switch_breakdown.map((one) => [one.switch_id.toHexString(), switchTallyOf(one, currency)]))
  return { deviceId: device_id, classroom, day, switches }
}

function switchTallyOf(one: SwitchBreakdown, currency: string | null): SwitchTally {
  const { slots } = one
  const tally = emptySwitchTally(new RateCost(currency === null ? rateCostOf(one) : undefined))
  tally.adjustedCost = adjustedCostOf(one)
  for (const [n, at] of slots.at_ms.entries()) {
    const numbers = new SlotNumbers()
    numbers.energyMws = slots.energy_mws[n] ?? 0
    numbers.productionMws = slots.production_mws?.[n] ?? 0
    numbers.adjustedMws = slots.adjusted_mws?.[n] ?? 0
    numbers.adjustedProductionMws = slots.adjusted_production_mws?.[n] ?? 0
    numbers.onMs = slots.on_ms[n] ?? 0
    numbers.measuredMs = slots.measured_ms[n] ?? 0
    numbers.estimatedMs = slots.estimated_ms?.[n] ?? 0
    numbers.missingMs = slots.missing_ms?.[n] ?? 0
    tally.slots.set(at, numbers)
  }
  return tally
}

type SwitchCosts = Pick<SwitchBreakdown, 'cost_exact' | 'adjusted_cost_exact'>

/** What was added to the cost by hand: `Money`. */
export function adjustedCostOf({ adjusted_cost_exact }: Pick<SwitchCosts, 'adjusted_cost_exact'>): bigint {
  return adjusted_cost_exact === undefined ? 0n : exactOf(adjusted_cost_exact)
}

/** What a switch's energy costs by the rates of its entries, in a document of no currency: `Money`. */
export function rateCostOf(one: SwitchCosts): bigint {
  return exactOf(one.cost_exact) - adjustedCostOf(one)
}

/** Adds a change to a tally of the same device and day. */
export function addTally(tally: DayTally, change: DayTally): void {
  for (const [id, { slots, adjustedCost, rateCost }] of change.switches) {
    const one = tally.switches.get(id) ?? emptySwitchTally()
    tally.switches.set(id, one)
    one.adjustedCost += adjustedCost
    one.rateCost.addAll(rateCost)
    for (const [at, numbers] of slots) {
      const known = one.slots.get(at) ?? new SlotNumbers()
      known.add(numbers)
      one.slots.set(at, known)
    }
  }
}

type PricedSlots = Omit<SwitchBreakdown['slots'], 'on_ms' | 'measured_ms' | 'estimated_ms' | 'missing_ms'>

/** @param n Which of the slots. */
export function pricedNumbersOf(slots: PricedSlots, n: number): PricedNumbers {
  return {
    energyMws: slots.energy_mws[n] ?? 0,
    productionMws: slots.production_mws?.[n] ?? 0,
    adjustedMws: slots.adjusted_mws?.[n] ?? 0,
    adjustedProductionMws: slots.adjusted_production_mws?.[n] ?? 0,
  }
}

/** As much of a day as its price, and its month, are made of. */
export type DayTotals = Omit<DayFields, 'switch_breakdown'> & {
  readonly switch_breakdown: readonly (Omit<SwitchBreakdown, 'slots'> & { readonly slots: PricedSlots })[]
}
/** The same as it is stored. */
export type PricedDay = DayTotals & Pick<DailyAggregate, '_id' | '__v' | 'createdAt' | 'updatedAt'>

/** The fields of a daily document that follow from the tally and the tariff; undefined if there is nothing in it. */
export type DayFields = Omit<DailyAggregate, '_id' | '__v' | 'createdAt' | 'updatedAt'>

export function dayFields(tally: DayTally, context: PricingContext): DayFields | undefined {
  const { calendar, currency } = context
  const whole = new Figures()
  const versions = new Set<ObjectId>()
  const switches: SwitchBreakdown[] = []
  let used = 0
  let isCostKnown = true
  for (const [id, one] of [...tally.switches].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const figures = switchFigures(one, tally.day, context, versions)
    const slots = storedSlots(one.slots)
    if (slots.at_ms.length === 0 && one.adjustedCost === 0n) continue
    whole.add(figures)
    if (currency === null && one.rateCost.numerator === undefined) isCostKnown = false
    if (figures.numbers.energyMws !== 0 || figures.numbers.productionMws !== 0) used += 1
    switches.push({
      switch_id: ObjectId.createFromHexString(id),
      switch_name: context.switchOf(id).name,
      ...storedTotals(figures),
      ...(one.adjustedCost !== 0n && { adjusted_cost_exact: toDecimal(one.adjustedCost) }),
      energy_kwh: kwhFromMws(figures.numbers.energyMws),
      on_time_sec: figures.numbers.onMs / 1000,
      cost: shownCost(figures.cost, currency),
      slots,
    })
  }
  if (switches.length === 0) return undefined
  const cuts = calendar.priceCutsOf(tally.day)
  return {
    device_id: tally.deviceId,
    esp32_name: context.deviceName,
    classroom: tally.classroom,
    time_zone: calendar.timeZone,
    tariff: context.tariff,
    date_string: tally.day.date,
    starts_at: new Date(tally.day.startMs),
    ends_at: new Date(tally.day.endMs),
    ...(cuts.length > 0 && { price_cuts_ms: [...cuts] }),
    ...(isCostKnown && { calendar_digest: calendar.digestOf(tally.day.date) }),
    ...storedTotals(whole),
    ...shownTotals(whole, currency),
    currency,
    cost_versions: sortedIds(versions),
    switch_count: used,
    switch_breakdown: switches,
  }
}

/**
 * What a switch's day comes to: by the prices of the classroom's tariff, or by the rates of the entries where that has no
 * version.
 * @param versions Gets those of the tariff that there was a price of.
 */
export function switchFigures(
  { slots, adjustedCost, rateCost }: SwitchTally,
  day: SlotDay,
  { calendar, currency }: Pricing,
  versions = new Set<ObjectId>(),
): Figures {
  const figures = new Figures()
  const sums = new EnergyByPrice(calendar, day.startMs)
  for (const [at, numbers] of slots) {
    figures.numbers.add(numbers)
    sums.add(at, numbers)
  }
  sums.addTo(figures, versions)
  if (currency === null) figures.cost += rateCost.numerator ?? 0n
  figures.cost += adjustedCost
  return figures
}

type SlotField = Exclude<keyof SlotNumbers, 'isEmpty' | 'add' | 'addStretch' | 'adjust'>

function storedSlots(slots: ReadonlyMap<number, SlotNumbers>): SwitchBreakdown['slots'] {
  const filled = [...slots].filter(([, numbers]) => !numbers.isEmpty).sort(([a], [b]) => a - b)
  const list = (field: SlotField) => filled.map(([, numbers]) => numbers[field])
  const unlessZero = (name: string, values: number[]) => (values.some((value) => value !== 0) ? { [name]: values } : {})
  return {
    at_ms: filled.map(([at]) => at),
    energy_mws: list('energyMws'),
    ...unlessZero('production_mws', list('productionMws')),
    ...unlessZero('adjusted_mws', list('adjustedMws')),
    ...unlessZero('adjusted_production_mws', list('adjustedProductionMws')),
    on_ms: list('onMs'),
    measured_ms: list('measuredMs'),
    ...unlessZero('estimated_ms', list('estimatedMs')),
    ...unlessZero('missing_ms', list('missingMs')),
  }
}
