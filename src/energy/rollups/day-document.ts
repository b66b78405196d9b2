import { ObjectId } from 'mongodb'
import { kwhFromMws } from '../../metering/index.js'
import { exactOf, toDecimal } from '../exact-decimal.js'
import type { Place } from '../places.js'
import { type SlotCalendar, type SlotDay, sortedIds } from '../tariffs/slot-calendar.js'
import type { DailyAggregate, SwitchDay } from './daily-aggregate.js'
import { EnergyByPrice, type PricedNumbers } from './energy-by-price.js'
import { Figures, shownCost, shownTotals, storedTotals } from './figures.js'
import { SlotNumbers } from './slot-numbers.js'
import type { DayTally, SwitchTally } from './slot-tally.js'

/** What is in the document, as a tally. */
export function tallyOf({
  device_id,
  classroom,
  date_string,
  starts_at,
  ends_at,
  switch_breakdown,
}: DailyAggregate): DayTally {
  const day = { date: date_string, startMs: starts_at.getTime(), endMs: ends_at.getTime() }
  const switches = new Map(switch_breakdown.map((one) => [one.switch_id.toHexString(), switchTallyOf(one)]))
  return { deviceId: device_id, classroom, day, switches }
}

function switchTallyOf({ slots, adjusted_cost_exact }: SwitchDay): SwitchTally {
  const found = new Map<number, SlotNumbers>()
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
    found.set(at, numbers)
  }
  return { slots: found, adjustedCost: adjusted_cost_exact === undefined ? 0n : exactOf(adjusted_cost_exact) }
}

/** Adds a change to a tally of the same device and day. */
export function addTally(tally: DayTally, change: DayTally): void {
  for (const [id, { slots, adjustedCost }] of change.switches) {
    const one = tally.switches.get(id) ?? { slots: new Map<number, SlotNumbers>(), adjustedCost: 0n }
    tally.switches.set(id, one)
    one.adjustedCost += adjustedCost
    for (const [at, numbers] of slots) {
      const known = one.slots.get(at) ?? new SlotNumbers()
      known.add(numbers)
      one.slots.set(at, known)
    }
  }
}

type PricedSlots = Omit<SwitchDay['slots'], 'on_ms' | 'measured_ms' | 'estimated_ms' | 'missing_ms'>

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
  readonly switch_breakdown: readonly (Omit<SwitchDay, 'slots'> & { readonly slots: PricedSlots })[]
}
/** The same as it is stored. */
export type PricedDay = DayTotals & Pick<DailyAggregate, '_id' | '__v' | 'createdAt' | 'updatedAt'>

/** The fields of a daily document that follow from the tally and the tariff; undefined if there is nothing in it. */
export type DayFields = Omit<DailyAggregate, '_id' | '__v' | 'createdAt' | 'updatedAt'>

export function dayFields(tally: DayTally, place: Place): DayFields | undefined {
  const { calendar, currency } = place
  const whole = new Figures()
  const versions = new Set<ObjectId>()
  const switches: SwitchDay[] = []
  let used = 0
  for (const [id, one] of [...tally.switches].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const figures = pricedFigures(one, tally.day, calendar, versions)
    const slots = storedSlots(one.slots)
    if (slots.at_ms.length === 0 && one.adjustedCost === 0n) continue
    whole.add(figures)
    if (figures.numbers.energyMws !== 0 || figures.numbers.productionMws !== 0) used += 1
    switches.push({
      switch_id: ObjectId.createFromHexString(id),
      switch_name: place.switchOf(id).name,
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
    esp32_name: place.deviceName,
    classroom: tally.classroom,
    time_zone: calendar.timeZone,
    tariff: place.tariff,
    date_string: tally.day.date,
    starts_at: new Date(tally.day.startMs),
    ends_at: new Date(tally.day.endMs),
    ...(cuts.length > 0 && { price_cuts_ms: [...cuts] }),
    ...storedTotals(whole),
    ...shownTotals(whole, currency),
    currency,
    cost_versions: sortedIds(versions),
    switch_count: used,
    switch_breakdown: switches,
  }
}

function pricedFigures(
  { slots, adjustedCost }: SwitchTally,
  day: SlotDay,
  calendar: SlotCalendar,
  versions: Set<ObjectId>,
): Figures {
  const figures = new Figures()
  const sums = new EnergyByPrice(calendar, day.startMs)
  for (const [at, numbers] of slots) {
    figures.numbers.add(numbers)
    sums.add(at, numbers)
  }
  sums.addTo(figures, versions)
  figures.cost += adjustedCost
  return figures
}

type SlotField = Exclude<keyof SlotNumbers, 'isEmpty' | 'add' | 'addStretch' | 'adjust'>

function storedSlots(slots: ReadonlyMap<number, SlotNumbers>): SwitchDay['slots'] {
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
