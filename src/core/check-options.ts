import { z } from 'zod'
import type { EntityDescription } from './entity.js'
import { DatabaseError, ValidationError } from './errors.js'
import { isRecord } from './is-record.js'
import { havingFunctions } from './option-schemas.js'
import type { SubjectKeyStore } from './subject-keys/subject-key-store.js'
import { validateData } from './validate.js'

/** Checks the options of a host before use: later a missing part would show up as a TypeError, far from its cause. */
export function checkOptions(options: unknown): void {
  if (!isRecord(options)) throw new DatabaseError('CONFIGURATION', 'The options have to be an object')
  requireTypes(options)
  const { logger, clock, hostEntities = [] } = options
  requireFunctions('logger', logger, ['debug', 'info', 'warn', 'error'])
  requireFunctions('clock', clock, ['now'])
  if (!Array.isArray(hostEntities) || !hostEntities.every(isEntity)) {
    throw new DatabaseError('CONFIGURATION', '`hostEntities` has to be a list of what defineEntity() returns')
  }
}

const texts = () => z.array(z.string()).max(1000)
const names = z.record(z.string(), z.string().optional())

/** What each option has to be; what is wrong inside it shows where it is used. */
const optionsSchema = z.looseObject({
  keys: z
    .looseObject({ active: z.string(), keys: z.record(z.string(), z.union([z.string(), z.instanceof(Uint8Array)])) })
    .optional(),
  subjectKeys: z
    .union([
      z.strictObject({ database: z.string().regex(/^[^/\\. "$*<>:|?\0]{1,63}$/) }),
      havingFunctions<SubjectKeyStore>('a store of keys', 'read', 'write', 'destroy'),
    ])
    .optional(),
  entities: z.record(z.string(), z.looseObject({}).optional()).optional(),
  collections: names.optional(),
  logQueries: z.boolean().optional(),
  monitorCommands: z.boolean().optional(),
  closeOnSignals: z.boolean().optional(),
  auditLog: z.looseObject({}).optional(),
  dataAccessLog: z
    .strictObject({ expireAfterSeconds: z.number().nullable().optional(), maximumRecords: z.number().optional() })
    .optional(),
  deviceLogs: z.looseObject({}).optional(),
  notifications: z.looseObject({}).optional(),
  schedules: z.looseObject({}).optional(),
  firmware: z.looseObject({}).optional(),
  incidents: z.looseObject({}).optional(),
  providers: z.strictObject({ linkByVerifiedAddress: z.boolean().optional() }).optional(),
  cacheReports: z.boolean().optional(),
  expireAfterSeconds: z.looseObject({}).optional(),
  ledgerLog: z
    .looseObject({
      signerKeys: texts().optional(),
      verifierKeys: texts().optional(),
      anchors: z
        .array(z.looseObject({ name: z.string() }))
        .max(1000)
        .optional(),
    })
    .optional(),
})

function requireTypes(options: object): void {
  try {
    validateData(optionsSchema, options, 'The options')
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error
    throw new DatabaseError('CONFIGURATION', error.message)
  }
}

function requireFunctions(option: string, value: unknown, names: readonly string[]): void {
  if (value === undefined) return
  const missing = names.filter((name) => !isRecord(value) || typeof value[name] !== 'function')
  if (missing.length === 0) return
  throw new DatabaseError('CONFIGURATION', `The ${option} lacks the functions ${missing.join(', ')}`)
}

/** @throws DatabaseError `CONFIGURATION` for what no defineEntity() has made. */
export function requireEntity(entity: unknown): void {
  if (isEntity(entity)) return
  throw new DatabaseError('CONFIGURATION', 'An entity is what defineEntity() returns')
}

function isEntity(value: unknown): value is EntityDescription {
  return isRecord(value) && typeof value.collection === 'string' && isRecord(value.storedSchema)
}
