import { kwhFromMws } from '../../metering/index.js'
import { exactOf } from '../exact-decimal.js'
import { type Costs, gramsOf, MoneyByCurrency, sumOf } from './amounts.js'
import type { CurrencySums } from './daily-pipelines.js'

/** Energy totals: what some energy comes to. */
export interface EnergyTotals extends Costs {
  /** kWh used. */
  readonly totalEnergyKwh: number
  /** kWh given. */
  readonly totalProductionKwh: number
  /** What production brought, in each currency. */
  readonly earnings: Costs['costs']
  /** Grams of CO2. */
  readonly carbonGrams: number
}

/** What rows that differ in their currencies at most cost. */
export function costsOf(rows: readonly Pick<CurrencySums, 'currency' | 'cost_exact'>[]): Costs {
  const costs = new MoneyByCurrency()
  for (const row of rows) costs.add(row.currency, exactOf(row.cost_exact))
  return costs.costs
}

/** Rows that differ in their currencies at most, as one. */
export function totalsOf(rows: readonly CurrencySums[]): EnergyTotals {
  const earnings = new MoneyByCurrency()
  let carbon = 0n
  for (const row of rows) {
    earnings.add(row.currency, exactOf(row.earnings_exact))
    carbon += exactOf(row.carbon_exact)
  }
  return {
    totalEnergyKwh: kwhFromMws(sumOf(rows, (row) => row.energy_mws)),
    totalProductionKwh: kwhFromMws(sumOf(rows, (row) => row.production_mws)),
    ...costsOf(rows),
    earnings: earnings.amounts,
    carbonGrams: gramsOf(carbon),
  }
}
