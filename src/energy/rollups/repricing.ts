import { Decimal128, type Document, type ObjectId } from 'mongodb'
import { exactOf } from '../exact-decimal.js'
import type { Place } from '../places.js'
import { sortedIds } from '../tariffs/slot-calendar.js'
import { type PricedDay, pricedNumbersOf } from './day-document.js'
import { EnergyByPrice } from './energy-by-price.js'
import { Figures, figuresOf, shownCost, shownTotals, storedMoney } from './figures.js'
import type { DayRepricing } from './rollup-store.js'

/** Whether the day's slots are cut where a price changes now. */
export function hasItsCuts({ date_string, starts_at, ends_at, price_cuts_ms = [] }: PricedDay, { calendar }: Place) {
  const day = { date: date_string, startMs: starts_at.getTime(), endMs: ends_at.getTime() }
  const cuts = calendar.priceCutsOf(day)
  return cuts.length === price_cuts_ms.length && cuts.every((cut, at) => cut === price_cuts_ms[at])
}

/** The day at the prices of now; undefined if that is what it is at. Its slots have the cuts that they are to have. */
export function repriced(before: PricedDay, place: Place): DayRepricing | undefined {
  const { currency, tariff } = place
  const whole = figuresOf(before)
  const versions = new Set<ObjectId>()
  const set: Document = {}
  whole.cost = whole.earnings = whole.carbon = 0n
  const switches = before.switch_breakdown.map((one, at) => {
    const figures = pricesOf(one, before, place, versions)
    whole.add(figures)
    const fields = { ...storedMoney(figures), cost: shownCost(figures.cost, currency) }
    return { ...one, ...setChanged(set, `switch_breakdown.${at}.`, one, fields) }
  })
  const { cost_at_calc_time, cost_per_kwh_used } = shownTotals(whole, currency)
  const shown = { cost_at_calc_time, cost_per_kwh_used, currency, tariff, cost_versions: sortedIds(versions) }
  const fields = setChanged(set, '', before, { ...storedMoney(whole), ...shown })
  if (Object.keys(set).length === 0) return undefined
  return { before, after: { ...before, ...fields, switch_breakdown: switches }, set }
}

function pricesOf(
  { slots, adjusted_cost_exact }: PricedDay['switch_breakdown'][number],
  { starts_at }: PricedDay,
  { calendar }: Place,
  versions: Set<ObjectId>,
): Figures {
  const figures = new Figures()
  const sums = new EnergyByPrice(calendar, starts_at.getTime())
  for (const [n, at] of slots.at_ms.entries()) sums.add(at, pricedNumbersOf(slots, n))
  sums.addTo(figures, versions)
  if (adjusted_cost_exact !== undefined) figures.cost += exactOf(adjusted_cost_exact)
  return figures
}

/** Notes those of the fields that are others than before. @returns the fields. */
function setChanged<Fields extends object>(set: Document, path: string, before: object, fields: Fields): Fields {
  for (const [name, value] of Object.entries(fields)) {
    if (!isSame((before as Document)[name], value)) set[path + name] = value
  }
  return fields
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(b)) return String(a) === String(b)
  return a instanceof Decimal128 && b instanceof Decimal128 ? Buffer.compare(a.bytes, b.bytes) === 0 : a === b
}
