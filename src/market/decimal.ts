import { Decimal128 } from 'mongodb'
import { z } from 'zod'
import type { EntityRule } from '../core/entity.js'
import { DatabaseError } from '../core/errors.js'
import type { DecimalNumber } from '../core/fields.js'

/** Decimals of energy: the unit is 0.0001 kWh. */
export const energyPlaces = 4
/** Decimals of prices and amounts: the unit is 0.000001. */
export const moneyPlaces = 6

const plainText = /^-?\d{1,22}(?:\.\d{1,10})?$/
const decimalText = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]\d{1,4}))?$/

/** A decimal number as whole units of 10^-places; undefined for one that has more decimals, and for NaN and the infinities. */
export function exactUnits(value: DecimalNumber | string, places: number): bigint | undefined {
  const [, sign = '', whole, fraction = '', exponent = '0'] = decimalText.exec(value.toString()) ?? []
  if (whole === undefined) return undefined
  const digits = BigInt(whole + fraction)
  const shift = Number(exponent) - fraction.length + places
  if (shift > 60) return undefined
  const unit = 10n ** BigInt(Math.abs(shift))
  if (shift < 0 && digits % unit !== 0n) return undefined
  const units = shift >= 0 ? digits * unit : digits / unit
  return sign === '-' ? -units : units
}

/** As {@link exactUnits}, of a stored number. @throws DatabaseError `DATABASE` if it is none of this kind. */
export function unitsOf(value: DecimalNumber | string, places: number): bigint {
  const units = exactUnits(value, places)
  if (units !== undefined) return units
  throw new DatabaseError('DATABASE', `A stored number does not have at most ${places} decimals`)
}

/** Units of 10^-places with all their decimals, such as `1.5000`. */
export function textOf(units: bigint, places: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`
}

export function decimalOf(units: bigint, places: number): Decimal128 {
  return Decimal128.fromString(textOf(units, places))
}

/** An exact decimal number. Inputs give it as a text such as `1.5` or as a Decimal128; a number of JavaScript is refused, as it is no exact one. */
export const exactDecimal = (places: number): z.ZodType<DecimalNumber, DecimalNumber | string> =>
  z.preprocess(
    (value) => inFullScale(value, places),
    z
      .instanceof(Decimal128, { error: `expected a decimal text such as 1.5, with at most ${places} decimals` })
      .meta({ bsonType: 'decimal' }),
  ) as z.ZodType<DecimalNumber, DecimalNumber | string>

/** One number is stored in one form. What does not fit is left for the rules to refuse. */
function inFullScale(value: unknown, places: number): unknown {
  const isText = typeof value === 'string' && plainText.test(value)
  if (!isText && !(value instanceof Decimal128)) return value
  const units = exactUnits(value, places)
  return units === undefined ? value : decimalOf(units, places)
}

export interface DecimalRange {
  /** In units. */
  readonly atLeast: bigint
  /** A power of ten, in whole numbers. */
  readonly below: number
}

/** As {@link exactDecimal}, in a range, for what no rule of an entity looks at first. */
export const decimalIn = (places: number, range: DecimalRange): z.ZodType<DecimalNumber, DecimalNumber | string> =>
  exactDecimal(places).refine((value) => isIn(exactUnits(value, places), places, range), {
    error: sentenceOf(places, range),
  })

function isIn(units: bigint | undefined, places: number, { atLeast, below }: DecimalRange): boolean {
  return units !== undefined && units >= atLeast && units < BigInt(below) * 10n ** BigInt(places)
}

function sentenceOf(places: number, { atLeast, below }: DecimalRange): string {
  return `expected at least ${textOf(atLeast, places)} and less than ${below}, with at most ${places} decimals`
}

/** Holds a decimal field in its range and to its decimals, here and in the server. NaN and the infinities are in no range. */
export function decimalRule(path: string, places: number, range: DecimalRange): EntityRule {
  const { atLeast, below } = range
  const field = `$${path}`
  return {
    path,
    message: sentenceOf(places, range),
    check: (document) => isIn(unitsIn(document, path, places), places, range),
    expression: {
      $and: [
        // Of 0.0001 a double is only near: whole numbers of units are exact.
        { $gte: [{ $multiply: [field, 10 ** places] }, Number(atLeast)] },
        { $lt: [field, below] },
        { $eq: [field, { $round: [field, places] }] },
      ],
    },
  }
}

/** A rule between fields, which is asked once each of them keeps to a rule of its own: what is wrong is said of one field. */
export function onceSound(sound: readonly EntityRule[], rule: EntityRule): EntityRule {
  return {
    ...rule,
    check: (document) => !sound.every((one) => one.check(document)) || rule.check(document),
    expression: { $or: [{ $not: [{ $and: sound.map(({ expression }) => expression) }] }, rule.expression] },
  }
}

/** The units of a document's decimal field; undefined where there is none. */
export function unitsIn(document: Readonly<Record<string, unknown>>, path: string, places: number): bigint | undefined {
  const value = document[path]
  return value instanceof Decimal128 ? exactUnits(value, places) : undefined
}

/** `Math.min` takes no whole numbers of any size. */
export function lesser(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}

/** Whole units of the product of an amount of energy and a price, rounded down. */
export function amountOf(energyUnits: bigint, priceUnits: bigint): bigint {
  return (energyUnits * priceUnits) / energyUnit
}

/** The same rounded up: what is enough for it, in however many parts it is spent. */
export function reserveOf(energyUnits: bigint, priceUnits: bigint): bigint {
  return (energyUnits * priceUnits + energyUnit - 1n) / energyUnit
}

const energyUnit = 10n ** BigInt(energyPlaces)
