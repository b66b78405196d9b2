import { currencyDigits, kwhFromMws, type Money, NO_MONEY, roundMoney, sumMoney } from '../../metering/index.js'

/** An amount of money, rounded half-even to the currency's digits. */
export interface CurrencyAmount {
  /** ISO 4217. */
  readonly currency: string
  readonly amount: number
}

/** Costs: what something cost. Amounts in different currencies are never added up. */
export interface Costs {
  /** Currency units; null where there are several currencies, 0 where nothing had a price. */
  readonly totalCost: number | null
  /** ISO 4217; null where there are several, or none. */
  readonly currency: string | null
  /** The amount in each currency, by its code. */
  readonly costs: readonly CurrencyAmount[]
}

/** Sums of money by currency. */
export class MoneyByCurrency {
  readonly #sums = new Map<string, Money>()

  add(currency: string | null, numerator: bigint): void {
    if (currency === null) return
    this.#sums.set(currency, sumMoney([this.#sums.get(currency) ?? NO_MONEY, { numerator }]))
  }

  /** Rounded, here and once. */
  get amounts(): CurrencyAmount[] {
    return [...this.#sums]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([currency, sum]) => ({ currency, amount: roundMoney(sum, currencyDigits(currency)) }))
  }

  get costs(): Costs {
    const { amounts } = this
    const [first, ...others] = amounts
    if (others.length > 0) return { totalCost: null, currency: null, costs: amounts }
    return { totalCost: first?.amount ?? 0, currency: first?.currency ?? null, costs: amounts }
  }
}

/** kWh of whole milliwatt-seconds; null where there is nothing to share among. */
export function meanKwh(energyMws: number, count: number): number | null {
  return count === 0 ? null : kwhFromMws(energyMws) / count
}

const carbonPerGram = 3_600_000_000_000_000

/** Grams of CO2, to a thousandth. */
export function gramsOf(carbon: bigint): number {
  const perThousandth = BigInt(carbonPerGram / 1000)
  return Number((carbon + (carbon < 0n ? -perThousandth : perThousandth) / 2n) / perThousandth) / 1000
}

/** The rows in groups of one key, in the order in which keys first came. */
export function groupBy<Row>(rows: Iterable<Row>, keyOf: (row: Row) => string): Map<string, [Row, ...Row[]]> {
  const groups = new Map<string, [Row, ...Row[]]>()
  for (const row of rows) {
    const group = groups.get(keyOf(row))
    if (group === undefined) groups.set(keyOf(row), [row])
    else group.push(row)
  }
  return groups
}

export function sumOf<Row>(rows: readonly Row[], numberOf: (row: Row) => number): number {
  let sum = 0
  for (const row of rows) sum += numberOf(row)
  return sum
}
