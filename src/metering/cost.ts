const MWS_PER_KWH = 3_600_000_000n
const PRICE_DIGITS = 6
const PRICE_SCALE = 10 ** PRICE_DIGITS
const PERCENT_SCALE = 10_000n
/** All amounts have this denominator, so their sums are exact and do not depend on their order. */
const DENOMINATOR = MWS_PER_KWH * BigInt(PRICE_SCALE)
const MOST_DIGITS = 15

/** An exact amount of money: `numerator` 3.6·10¹⁵ths of the currency's unit. */
export interface Money {
  readonly numerator: bigint
}

/** No money. */
export const NO_MONEY: Money = Object.freeze({ numerator: 0n })

/**
 * The exact cost of an energy (whole milliwatt-seconds) at a price per kWh.
 *
 * @throws RangeError if the energy is not a safe integer, or if the price has more than six decimals.
 */
export function costOf(energyMws: number, pricePerKwh: number): Money {
  if (!Number.isSafeInteger(energyMws)) throw new RangeError(`An energy of ${energyMws} mW·s is not a whole number`)
  return { numerator: BigInt(energyMws) * scaledPrice(pricePerKwh) }
}

/**
 * An amount as it is given, in the currency's unit.
 *
 * @throws RangeError if it has more than six decimals.
 */
export function moneyOf(amount: number): Money {
  return { numerator: scaledPrice(amount) * MWS_PER_KWH }
}

/**
 * A price with taxes on it, each a percentage of the price itself and none of another tax: exact, then rounded half-even to
 * six decimals, once.
 *
 * @throws RangeError if the price has more than six decimals, or a percentage more than four.
 */
export function taxedPrice(pricePerKwh: number, taxPercents: Iterable<number>): number {
  let scaledPercent = 100n * PERCENT_SCALE
  for (const percent of taxPercents) {
    if (!isPercent(percent)) throw new RangeError(`A tax of ${percent} % has more than four decimals`)
    scaledPercent += BigInt(Math.round(percent * Number(PERCENT_SCALE)))
  }
  const dividend = scaledPrice(pricePerKwh) * scaledPercent
  const rounded = divideHalfEven(absolute(dividend), 100n * PERCENT_SCALE)
  return Number(dividend < 0n ? -rounded : rounded) / PRICE_SCALE
}

/** Whether the percentage is a number that has at most four decimals. */
export function isPercent(percent: number): boolean {
  return hasDecimals(percent, Number(PERCENT_SCALE))
}

/** Whether the price is a number that has at most six decimals. */
export function isPrice(pricePerKwh: number): boolean {
  return hasDecimals(pricePerKwh, PRICE_SCALE)
}

/** The exact sum of amounts in one currency. */
export function sumMoney(amounts: Iterable<Money>): Money {
  let numerator = 0n
  for (const amount of amounts) numerator += amount.numerator
  return { numerator }
}

/**
 * An amount rounded half-even to a number of decimals, as a number. Do this once, at the edge: rounded amounts do not add
 * up.
 *
 * @throws RangeError if `digits` is not a whole number from 0 to 15.
 */
export function roundMoney(amount: Money, digits: number): number {
  return Number(formatMoney(amount, digits))
}

/**
 * An amount rounded half-even to a number of decimals, as decimal text such as `-0.05`.
 *
 * @throws RangeError if `digits` is not a whole number from 0 to 15.
 */
export function formatMoney(amount: Money, digits: number): string {
  if (!Number.isInteger(digits) || digits < 0 || digits > MOST_DIGITS) {
    throw new RangeError(`Money cannot be rounded to ${digits} digits`)
  }
  const rounded = divideHalfEven(absolute(amount.numerator) * 10n ** BigInt(digits), DENOMINATOR)
  const text = rounded.toString().padStart(digits + 1, '0')
  const sign = amount.numerator < 0n && rounded > 0n ? '-' : ''
  if (digits === 0) return sign + text
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

function hasDecimals(value: number, scale: number): boolean {
  const scaled = Math.round(value * scale)
  // The nearest double to the decimal number is the only one that stands for it.
  return Number.isSafeInteger(scaled) && scaled / scale === value
}

function scaledPrice(pricePerKwh: number): bigint {
  if (!isPrice(pricePerKwh)) throw new RangeError(`A price of ${pricePerKwh} per kWh has more than six decimals`)
  return BigInt(Math.round(pricePerKwh * PRICE_SCALE))
}

function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  const twice = (dividend % divisor) * 2n
  const up = twice > divisor || (twice === divisor && quotient % 2n === 1n)
  return up ? quotient + 1n : quotient
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value
}
