import { Binary, Decimal128, ObjectId } from 'mongodb'
import { z } from 'zod'
import { DatabaseError, ValidationError } from './errors.js'
import { isPlainObject, isRecord } from './is-record.js'
import { typeName } from './validate.js'

const hexObjectId = /^[0-9a-fA-F]{24}$/
const objectIdMessage = 'expected an ObjectId or 24 hexadecimal digits'

// The type of a preprocessed schema does not say what it takes: `objectId` and `instant` state it.

/** An ObjectId; inputs may give it as 24 hexadecimal digits, as JSON does. */
export const objectId = (): z.ZodType<ObjectId, ObjectId | string> =>
  z.preprocess(
    (value) => (isObjectIdLike(value) ? ownObjectId(value) : value),
    z.instanceof(ObjectId, { error: objectIdMessage }).meta({ bsonType: 'objectId' }),
  ) as unknown as z.ZodType<ObjectId, ObjectId | string>

/** The id as an ObjectId. @param parameter What the caller calls it. @throws ValidationError if it is none. */
export function toObjectId(id: ObjectId | string, parameter = 'id'): ObjectId {
  if (isObjectIdLike(id)) return ownObjectId(id)
  throw new ValidationError('The id', [{ path: parameter, message: objectIdMessage, received: typeName(id) }])
}

function ownObjectId(id: { toHexString(): string } | string): ObjectId {
  if (id instanceof ObjectId) return id
  return ObjectId.createFromHexString(typeof id === 'string' ? id : id.toHexString())
}

function isObjectIdLike(value: unknown): value is ObjectId | string {
  if (typeof value === 'string') return hexObjectId.test(value)
  return value instanceof ObjectId || isForeignObjectId(value)
}

/** Whether it is an ObjectId of another copy of the driver, such as one that Mongoose brought with it. */
function isForeignObjectId(value: unknown): boolean {
  if (!isRecord(value) || Object.hasOwn(value, '_bsontype') || value._bsontype !== 'ObjectId') return false
  return typeof value.toHexString === 'function'
}

/** Whatever a document can hold. */
export const anyValue = () =>
  z.unknown().meta({
    bsonType: 'string double int long decimal bool date objectId binData object array null'.split(' '),
  })

/** Bytes. */
export const binary = () => z.instanceof(Binary, { error: 'expected a Binary' }).meta({ bsonType: 'binData' })

/** A Decimal128 of the driver, by what is read of it: declarations would name the class by a package that is not ours. */
export interface DecimalNumber {
  readonly _bsontype: 'Decimal128'
  readonly bytes: Uint8Array
  toString(): string
}

/** A decimal number of up to 34 digits, which sums in the server keep exact. */
export const decimal128 = (): z.ZodType<DecimalNumber, DecimalNumber> =>
  z.instanceof(Decimal128, { error: 'expected a Decimal128' }).meta({ bsonType: 'decimal' })

const instantText = z.iso.datetime({ offset: true })

/** An instant; inputs may give it as an ISO 8601 text with a zone, as JSON does. */
export const instant = (): z.ZodType<Date, Date | string> =>
  z.preprocess(
    (value) => (typeof value === 'string' && instantText.safeParse(value).success ? new Date(value) : value),
    z.date({ error: 'expected a Date or an ISO 8601 text with a zone' }),
  ) as unknown as z.ZodType<Date, Date | string>

/** A value that JSON has words for, at most 100 levels deep. */
export const json = (): z.ZodType<z.core.util.JSONType, z.core.util.JSONType> =>
  // Not z.json(), which is recursive: a schema that it is part of cannot be compiled, and is four times as slow.
  z.custom<z.core.util.JSONType>((value) => isJson(value, 100), { error: 'expected JSON' })

function isJson(value: unknown, levels: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (levels === 0) return false
  if (Array.isArray(value)) return value.every((item) => isJson(item, levels - 1))
  return isPlainObject(value) && Object.values(value).every((item) => isJson(item, levels - 1))
}

/** A finite number with a unit in its field's name. */
export const quantity = (minimum: number, maximum: number) => {
  if (![minimum, maximum].every((bound) => typeof bound === 'number' && !Number.isNaN(bound)))
    throw new DatabaseError('CONFIGURATION', 'The bounds of a quantity are numbers')
  return z.number().min(minimum).max(maximum)
}

/** A time of day on clocks with 24 hours, such as `22:30`. */
export const timeOfDay = () =>
  z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'expected a time of day such as 22:30' })

/** A civil day, such as `2026-03-01`. */
export const civilDay = () =>
  z
    .string()
    .regex(/^\d{4}-\d\d-\d\d$/, { error: 'expected a day such as 2026-03-01' })
    .refine(isDay, { error: 'expected a day that there is' })

/** Some platforms read February 30 as one in March. */
function isDay(text: string): boolean {
  const startMs = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(startMs) && new Date(startMs).toISOString().startsWith(text)
}

/** A text without spaces at its ends, between so many characters long. */
export const trimmedText = (minimum: number, maximum: number) =>
  z
    .string()
    .trim()
    .min(minimum)
    .max(maximum)
    // The server trims nothing.
    .regex(/^[^\s]([\s\S]*[^\s])?$/, { error: 'expected no spaces at its ends' })
