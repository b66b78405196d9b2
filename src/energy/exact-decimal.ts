import { Decimal128 } from 'mongodb'
import type { DecimalNumber } from '../core/fields.js'

/** A whole number of any size, or a sum of them as the server returns it: 0 as a number where there was nothing to add. */
export type ExactSum = DecimalNumber | number

const zero = Decimal128.fromString('0')

export function toDecimal(value: bigint): Decimal128 {
  return value === 0n ? zero : Decimal128.fromString(value.toString())
}

/** @throws SyntaxError, RangeError if it is not a whole number. */
export function exactOf(sum: ExactSum): bigint {
  if (typeof sum === 'number') return BigInt(sum)
  const text = sum.toString()
  return text.includes('E') ? expanded(text) : BigInt(text)
}

/** Sums in the server can come as `1.2E+4`. */
function expanded(text: string): bigint {
  const [digits = '', exponent = '0'] = text.split('E')
  const [whole = '', fraction = ''] = digits.split('.')
  return BigInt(whole + fraction) * 10n ** BigInt(Number(exponent) - fraction.length)
}
