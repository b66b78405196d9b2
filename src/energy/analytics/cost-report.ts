import { z } from 'zod'
import { NotFoundError } from '../../core/errors.js'
import type { Reader } from '../../core/repository/reader.js'
import { validateData } from '../../core/validate.js'
import { costOf, kwhFromMws, splitStretch, type Tariff, tariffOf } from '../../metering/index.js'
import { exactOf } from '../exact-decimal.js'
import type { CostVersion } from '../tariffs/cost-version.js'
import { gramsOf, groupBy, MoneyByCurrency } from './amounts.js'
import { dailySummaryPipeline } from './daily-pipelines.js'
import { DayHours, type DayWithSlots, daySlotsPipeline, partsOfSlot } from './day-hours.js'
import { monthlySumsPipeline } from './monthly-pipelines.js'
import { coverOf } from './periods.js'
import { daysQuestionSchema, type ParsedDays } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'
import { type EnergyTotals, totalsOf } from './totals.js'

export const costsSchema = daysQuestionSchema.safeExtend({
  by: z.enum(['day', 'month']).default('day'),
  /** The name of a tariff: what it would have cost under it. What it did cost, if left out. What was adjusted by hand keeps its cost. */
  tariff: z.string().min(1).max(100).optional(),
})
export type CostsQuestion = z.input<typeof costsSchema>

/** Energy, cost and CO2 of a civil day or month. */
export interface PeriodCosts extends EnergyTotals {
  /** `YYYY-MM-DD` or `YYYY-MM`. */
  readonly period: string
}

export async function costs(
  reader: RollUpReader,
  versions: Reader<CostVersion>,
  question: CostsQuestion,
): Promise<PeriodCosts[]> {
  const { by, tariff: name, ...scope } = validateData(costsSchema, question, 'The question')
  if (name === undefined) return asComputed(reader, scope, by)
  const { tariff, currency } = await tariffNamed(versions, name)
  return underTariff(reader, scope, by, tariff, currency)
}

async function asComputed(reader: RollUpReader, scope: ParsedDays, by: 'day' | 'month'): Promise<PeriodCosts[]> {
  const { months, days } = by === 'day' ? { months: undefined, days: [scope] } : coverOf(scope)
  const ofMonths = months === undefined ? [] : await reader.monthly(monthlySumsPipeline({ ...scope, ...months }))
  const rows = ofMonths.map(({ month, ...row }) => ({ period: month, ...row }))
  for (const range of days) {
    for (const { day, ...row } of await reader.daily(dailySummaryPipeline({ ...scope, ...range }))) {
      rows.push({ period: periodOf(day, by), ...row })
    }
  }
  return [...groupBy(rows, ({ period }) => period)]
    .map(([period, group]) => ({ period, ...totalsOf(group) }))
    .sort(byPeriod)
}

/** What each slot used, at the prices of a tariff; where they change within a slot, its energy is taken as even. */
async function underTariff(
  reader: RollUpReader,
  scope: ParsedDays,
  by: 'day' | 'month',
  tariff: Tariff<CostVersion>,
  currency: string,
): Promise<PeriodCosts[]> {
  const hours = new DayHours()
  const sums = new Map<string, RepricedSums>()
  for await (const day of reader.dailyStream(daySlotsPipeline(scope))) {
    const period = periodOf(day.date_string, by)
    const sum = sums.get(period) ?? new RepricedSums(tariff, currency)
    sums.set(period, sum)
    sum.add(day, hours)
  }
  return [...sums].map(([period, sum]) => ({ period, ...sum.totals })).sort(byPeriod)
}

/** Sums of a period under another tariff. */
class RepricedSums {
  readonly #tariff: Tariff<CostVersion>
  readonly #currency: string
  readonly #cost = new MoneyByCurrency()
  readonly #earnings = new MoneyByCurrency()
  #energyMws = 0
  #productionMws = 0
  #carbon = 0n

  constructor(tariff: Tariff<CostVersion>, currency: string) {
    this.#tariff = tariff
    this.#currency = currency
  }

  add(day: DayWithSlots, hours: DayHours): void {
    this.#energyMws += day.energy_mws
    this.#productionMws += day.production_mws
    for (const { adjusted_cost_exact: adjusted } of day.switch_breakdown) {
      if (adjusted !== undefined) this.#cost.add(day.currency, exactOf(adjusted))
    }
    for (const { hour, slots, at } of hours.switchSlots(day)) {
      const { consumedMws, producedMws, adjustedMws } = partsOfSlot(slots, at)
      if (consumedMws === 0 && producedMws === 0 && adjustedMws === 0) continue
      const { fromMs, toMs } = spanOfSlot(day, slots.at_ms[at] ?? 0, hour.endMs)
      this.#addCarbon(fromMs, adjustedMws, day.time_zone)
      const stretch = { fromMs, toMs, consumedMws, producedMws, quality: 'measured' as const }
      for (const part of splitStretch(stretch, this.#tariff.priceCutsBetween(fromMs, toMs, day.time_zone))) {
        this.#addPart(part.fromMs, part.consumedMws, part.producedMws, day.time_zone)
      }
    }
  }

  get totals(): EnergyTotals {
    return {
      totalEnergyKwh: kwhFromMws(this.#energyMws),
      totalProductionKwh: kwhFromMws(this.#productionMws),
      ...this.#cost.costs,
      earnings: this.#earnings.amounts,
      carbonGrams: gramsOf(this.#carbon),
    }
  }

  #addPart(atMs: number, energyMws: number, productionMws: number, timeZone: string): void {
    const inForce = this.#tariff.priceAt(atMs, timeZone)
    if (inForce === undefined) return
    const { version, pricePerKwh } = inForce
    this.#cost.add(this.#currency, costOf(energyMws, pricePerKwh).numerator)
    this.#earnings.add(this.#currency, costOf(productionMws, version.feedInPricePerKwh ?? 0).numerator)
    this.#addCarbon(atMs, energyMws, timeZone)
  }

  #addCarbon(atMs: number, energyMws: number, timeZone: string): void {
    const intensity = energyMws === 0 ? 0 : this.#tariff.priceAt(atMs, timeZone)?.version.carbonIntensityGPerKwh
    this.#carbon += costOf(energyMws, intensity ?? 0).numerator
  }
}

/** From where a slot begins to the next change of price, or of the hour. */
function spanOfSlot(
  { starts_at, price_cuts_ms = [] }: DayWithSlots,
  atMs: number,
  hourEndMs: number,
): { fromMs: number; toMs: number } {
  const dayStartMs = starts_at.getTime()
  const fromMs = dayStartMs + atMs
  const cut = price_cuts_ms.find((cutMs) => cutMs > atMs)
  return { fromMs, toMs: cut === undefined ? hourEndMs : Math.min(hourEndMs, dayStartMs + cut) }
}

async function tariffNamed(versions: Reader<CostVersion>, name: string) {
  const found = []
  for await (const version of versions.stream({ tariff: name })) found.push(version)
  const [first] = found
  if (first === undefined) throw new NotFoundError('tariff', `name ${name}`)
  return { tariff: tariffOf(found), currency: first.currency }
}

function periodOf(day: string, by: 'day' | 'month'): string {
  return by === 'day' ? day : day.slice(0, 7)
}

function byPeriod(a: PeriodCosts, b: PeriodCosts): number {
  return a.period < b.period ? -1 : 1
}
