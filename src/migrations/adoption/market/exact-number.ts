import { Long } from 'mongodb'
import { exactUnits } from '../../../market/decimal.js'
import { isGiven } from '../map/values.js'

/** No amount of a market has as many digits, in units. */
const beyond = 10n ** 30n

/**
 * A number of the origin as whole units of 10^-places, or why it is none. Of a double it is the shortest decimal text that stands for it, which is
 * what whoever wrote it has seen.
 * @param what What it is, for the reason.
 */
export function exactOf(value: unknown, places: number, what: string): bigint | string {
  if (!isGiven(value)) return `no ${what}`
  const text = decimalText(value)
  if (text === undefined) return `${what} is no number`
  const units = exactUnits(text, places)
  if (units === undefined) return `${what} has more than ${places} decimals, or is out of range`
  return units < beyond && -units < beyond ? units : `${what} is out of range`
}

/** As {@link exactOf}, for what need not be there. */
export function exactOrNone(value: unknown, places: number, what: string): bigint | string | undefined {
  return isGiven(value) ? exactOf(value, places, what) : undefined
}

function decimalText(value: unknown): string | undefined {
  if (value instanceof Long) return value.toString()
  if (typeof value === 'number') return Number.isFinite(value) ? String(value).toUpperCase() : undefined
  return typeof value === 'string' && /^-?\d{1,30}(?:\.\d{1,30})?$/.test(value.trim()) ? value.trim() : undefined
}
