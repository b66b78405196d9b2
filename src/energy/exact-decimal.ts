import { Decimal128 } from 'mongodb'
import { DatabaseError } from '../core/errors.js'
import type { DecimalNumber } from '../core/fields.js'

/** A whole number of any size, or a sum of them as the server returns it: 0 as a number where there was nothing to add. */
export type ExactSum = DecimalNumber | number

/** More digits than these a Decimal128 has not. */
const limit = 10n ** 34n
/** In the upper half of a Decimal128: the sign, the exponent (6176 stands for 0), and 49 bits of the digits. */
const signBit = 1n << 63n
const exponentZero = 6176n << 49n
const upperDigits = (1n << 49n) - 1n

/** Whole numbers are written bit by bit, as IEEE 754-2008 has them: ten times as fast as by way of their text. */
export function toDecimal(value: bigint): Decimal128 {
  const digits = value < 0n ? -value : value
  if (digits >= limit) return Decimal128.fromString(value.toString())
  const bytes = Buffer.allocUnsafe(16)
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
  view.setBigUint64(0, digits & 0xffff_ffff_ffff_ffffn, true)
  view.setBigUint64(8, (value < 0n ? signBit : 0n) | exponentZero | (digits >> 64n), true)
  return new Decimal128(bytes)
}

/** @throws DatabaseError `DATABASE` if it is not a whole number. */
export function exactOf(sum: ExactSum): bigint {
  if (typeof sum === 'number') return Number.isInteger(sum) ? BigInt(sum) : notWhole(String(sum))
  const { bytes } = sum
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
  const upper = view.getBigUint64(8, true)
  if ((upper & ~signBit & ~upperDigits) !== exponentZero) return expanded(sum.toString())
  const digits = ((upper & upperDigits) << 64n) | view.getBigUint64(0, true)
  // Digits past the limit are no canonical number: IEEE 754-2008 reads them as zero.
  if (digits >= limit) return 0n
  return upper < signBit ? digits : -digits
}

const decimalText = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]\d{1,4}))?$/

/** One number has many forms: `12000` is also `1.2E+4` and `12000.00`, and zero has every exponent. */
function expanded(text: string): bigint {
  const [, sign = '', whole, fraction = '', exponent = '0'] = decimalText.exec(text) ?? []
  if (whole === undefined) return notWhole(text)
  const digits = BigInt(whole + fraction)
  const places = Number(exponent) - fraction.length
  const value = places >= 0 ? digits * 10n ** BigInt(places) : shortened(digits, -places, text)
  return sign === '-' ? -value : value
}

/** Without the last digits, all of which have to be zero. */
function shortened(digits: bigint, places: number, text: string): bigint {
  const unit = 10n ** BigInt(places)
  return digits % unit === 0n ? digits / unit : notWhole(text)
}

function notWhole(text: string): never {
  throw new DatabaseError('DATABASE', `A stored sum is not a whole number: ${text}`)
}
