import { Decimal128, type Document, type ObjectId } from 'mongodb'
import type { Pricing, PricingContext } from '../tariffs/pricing-context.js'
import { sortedIds } from '../tariffs/slot-calendar.js'
import { adjustedCostOf, type PricedDay, pricedNumbersOf, rateCostOf } from './day-document.js'
import { EnergyByPrice } from './energy-by-price.js'
import { Figures, figuresOf, shownCost, shownTotals, storedMoney } from './figures.js'
import type { DayRepricing } from './roll-up-store.js'

/** A projection that leaves out what a day's price does not depend on, which is most of it. */
export const notPriced = Object.fromEntries(
  ['on_ms', 'measured_ms', 'estimated_ms', 'missing_ms'].map((name) => [`switch_breakdown.slots.${name}`, 0]),
)

/** The day at the prices of now; undefined if that is what it is at. It can be priced: see `canBePriced`. */
export function repriced(before: PricedDay, context: PricingContext): DayRepricing | undefined {
  const { currency, tariff, calendar } = context
  const whole = figuresOf(before)
  const versions = new Set<ObjectId>()
  const set: Document = {}
  whole.cost = whole.earnings = whole.carbon = 0n
  const switches = before.switch_breakdown.map((one, at) => {
    const figures = pricesOf(one, before.starts_at, context, versions)
    whole.add(figures)
    const fields = { ...storedMoney(figures), cost: shownCost(figures.cost, currency) }
    return { ...one, ...setChanged(set, `switch_breakdown.${at}.`, one, fields) }
  })
  const { cost_at_calc_time, cost_per_kwh_used } = shownTotals(whole, currency)
  const calendar_digest = calendar.digestOf(before.date_string)
  const cost_versions = sortedIds(versions)
  const shown = { cost_at_calc_time, cost_per_kwh_used, currency, tariff, cost_versions, calendar_digest }
  const fields = setChanged(set, '', before, { ...storedMoney(whole), ...shown })
  if (Object.keys(set).length === 0) return undefined
  return { before, after: { ...before, ...fields, switch_breakdown: switches }, set }
}

/**
 * What a switch's day costs and brings at the prices of now, and its CO2: no energy is among these figures.
 * @param versions Gets those of the tariff that there was a price of.
 */
export function pricesOf(
  one: PricedDay['switch_breakdown'][number],
  startsAt: Date,
  { calendar, currency }: Pricing,
  versions = new Set<ObjectId>(),
): Figures {
  const { slots } = one
  const figures = new Figures()
  const sums = new EnergyByPrice(calendar, startsAt.getTime())
  for (const [n, at] of slots.at_ms.entries()) sums.add(at, pricedNumbersOf(slots, n))
  sums.addTo(figures, versions)
  figures.cost += adjustedCostOf(one)
  if (currency === null) figures.cost += rateCostOf(one)
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
