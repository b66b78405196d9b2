import { z } from 'zod'
import { isTimeZone } from '../metering/index.js'

/** The name of an IANA time zone, such as `Asia/Kolkata`: whatever civil days and hours can be computed in, and nothing else. */
export const timeZone = () =>
  z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9_+\-/]+$/)
    .refine(isTimeZone, { error: 'expected the name of an IANA time zone' })
