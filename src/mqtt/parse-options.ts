import { z } from 'zod'
import { Database } from '../core/database.js'
import { DatabaseError } from '../core/errors.js'
import { isRecord } from '../core/is-record.js'
import { validateData } from '../core/validate.js'

const name = () =>
  z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\0]+$/)
const count = () => z.number().min(0)
const decoder = z.looseObject({ name: z.string(), filters: z.array(z.string()), decode: z.function() })

/** What each has to be that the options name; each is looked at again where it is used. */
const optionsSchema = z.looseObject({
  url: z.string().min(1).max(2000),
  client: z.looseObject({}).optional(),
  connectTimeoutMs: z.int().min(1).max(2_147_483_647).optional(),
  name: name().optional(),
  instance: name().optional(),
  sharedSubscription: name().optional(),
  decoders: z.array(decoder).max(1000).optional(),
  earliestCredibleTime: z.date().optional(),
  measurements: z.boolean().optional(),
  telemetry: z.boolean().optional(),
  quarantine: z.record(z.string(), count().optional()).optional(),
})

/** @throws ValidationError. */
export function requireIngestionOptions(options: unknown): void {
  validateData(optionsSchema, options, 'The options of ingestion')
}

/** @throws DatabaseError `CONFIGURATION` for what is no handle. */
export function requireHandle(volt: unknown): void {
  if (isRecord(volt) && volt.database instanceof Database) return
  throw new DatabaseError('CONFIGURATION', 'MQTT needs a handle, as AutoVolt.open() gives it')
}
