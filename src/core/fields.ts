import { Binary, Decimal128, ObjectId } from 'mongodb'
import { z } from 'zod'
import { ValidationError } from './errors.js'
import { isPlainObject, isRecord } from './is-record.js'
import { typeName } from './validate.js'

const hexObjectId = /^[0-9a-fA-F]{24}$/
const objectIdMessage = 'expected an ObjectId or 24 hexadecimal digits'

/** An ObjectId; inputs may give it as 24 hexadecimal digits, as JSON does. */
export const objectId = (): z.ZodType<ObjectId, ObjectId | string> =>
  z.preprocess(
    (value) => (isObjectIdLike(value) ? ownObjectId(value) : value),
    z.instanceof(ObjectId, { error: objectIdMessage }).meta({ bsonType: 'objectId' }),
  ) as unknown as z.ZodType<ObjectId, ObjectId | string>

/** The id as an ObjectId. @throws ValidationError if it is none. */
export function toObjectId(id: ObjectId | string): ObjectId {
  if (isObjectIdLike(id)) return ownObjectId(id)
  throw new ValidationError('The id', [{ path: '_id', message: objectIdMessage, received: typeName(id) }])
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
export const quantity = (minimum: number, maximum: number) => z.number().min(minimum).max(maximum)

/** The name of an IANA time zone, such as `Asia/Kolkata`. */
export const timeZone = () =>
  z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9_+\-/]+$/)
    .refine(isTimeZone, { error: 'expected the name of an IANA time zone' })

const knownTimeZones = new Set<string>()
const maximumKnown = 2_000

/** Asking is slow, so the answer is kept; there are some 600 names, in any spelling of upper and lower case. */
function isTimeZone(name: string): boolean {
  if (knownTimeZones.has(name)) return true
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
  } catch {
    return false
  }
  if (knownTimeZones.size < maximumKnown) knownTimeZones.add(name)
  return true
}
