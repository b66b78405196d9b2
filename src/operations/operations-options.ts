import { z } from 'zod'
import { abortSignal, callback } from '../core/option-schemas.js'
import { validateData } from '../core/validate.js'
import type { CallObserver } from './calls/call-source.js'

const name = () => z.string().regex(/^[^$\0]{1,255}$/, { error: 'expected a name' })

const slowQueriesSchema = z.strictObject({
  overMs: z.int().min(0).max(3_600_000).default(100),
  forMs: z.int().min(1).max(3_600_000).default(60_000),
  limit: z.int().min(1).max(1_000).default(20),
  signal: abortSignal().optional(),
})
const limitSchema = z.strictObject({ limit: z.int().min(1).max(1_000).default(20) })
const runningSchema = z.strictObject({ longerThanMs: z.number().min(0).max(1e9).default(3_000) })
const adviceSchema = z.strictObject({ minimumDays: z.number().min(0).max(10_000).default(7) })
const validateSchema = z.strictObject({ full: z.boolean().default(false) })
const compactSchema = z.strictObject({ force: z.boolean().default(false) })
const indexSchema = z.strictObject({ collection: name(), index: name() })
const collectionSchema = z.strictObject({ collection: name() })
const referenceSchema = z.strictObject({ collection: name(), field: name(), to: name() })
const referencesSchema = z.array(referenceSchema).max(200)
const cleaningSchema = z.strictObject({
  action: z.enum(['delete', 'unset']),
  dryRun: z.boolean().default(true),
  signal: abortSignal().optional(),
})

const subject = 'The options'

export const parseSlowQueries = (options: unknown) => validateData(slowQueriesSchema, options, subject)
export const parseLimit = (options: unknown) => validateData(limitSchema, options, subject)
export const parseRunning = (options: unknown) => validateData(runningSchema, options, subject)
export const parseAdvice = (options: unknown) => validateData(adviceSchema, options, subject)
export const parseValidate = (options: unknown) => validateData(validateSchema, options, subject)
export const parseCompact = (options: unknown) => validateData(compactSchema, options, subject)
export const parseReferences = (references: unknown) => validateData(referencesSchema, references, 'The references')
export const parseReference = (reference: unknown) => validateData(referenceSchema, reference, 'The reference')
export const parseCleaning = (options: unknown) => validateData(cleaningSchema, options, subject)
export const parseIndex = (collection: unknown, index: unknown) =>
  validateData(indexSchema, { collection, index }, 'What is named')
export const parseCollection = (collection: unknown) =>
  validateData(collectionSchema, { collection }, 'What is named').collection
export const requireObserver = (observer: unknown) => validateData(callback<CallObserver>(), observer, 'The observer')
