import { ObjectId } from 'mongodb'
import { z } from 'zod'

const hexObjectId = /^[0-9a-fA-F]{24}$/

/** An ObjectId; inputs may give it as 24 hexadecimal digits, as JSON does. */
export const objectId = () =>
  z
    .union([z.instanceof(ObjectId), z.string().regex(hexObjectId)], {
      error: 'expected an ObjectId or 24 hexadecimal digits',
    })
    .transform((value) => (typeof value === 'string' ? ObjectId.createFromHexString(value) : value))
    .pipe(z.instanceof(ObjectId).meta({ bsonType: 'objectId' }))

/** An instant; inputs may give it as an ISO 8601 text with a zone, as JSON does. */
export const instant = () =>
  z
    .union([z.date(), z.iso.datetime({ offset: true })], { error: 'expected a Date or an ISO 8601 text with a zone' })
    .transform((value) => (typeof value === 'string' ? new Date(value) : value))
    .pipe(z.date())

/** A finite number with a unit in its field's name. */
export const quantity = (minimum: number, maximum: number) => z.number().min(minimum).max(maximum)

/** The name of an IANA time zone, such as `Asia/Kolkata`. */
export const timeZone = () =>
  z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9_+\-/]+$/)
    .refine(isTimeZone, { error: 'expected the name of an IANA time zone' })

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
