import { z } from 'zod'
import { abortSignal, callback } from '../core/option-schemas.js'
import { validateData } from '../core/validate.js'
import type { ErasedPerson } from '../privacy/index.js'
import { keepSchema } from './keep/keep-plan.js'
import type { OnProgress } from './progress.js'
import type { BackupStorage } from './storage/storage.js'

// What the calls about backups take, as it is parsed before anything else sees it.

const storageFunctions = ['write', 'read', 'list', 'remove'] as const
const storage = () => z.custom<BackupStorage>(isStorage, { error: 'expected a storage, such as folderStorage() makes' })
const text = () =>
  z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[^\0]+$/)
const names = () => z.array(text()).min(1).max(10_000)
const listeners = { onProgress: callback<OnProgress>().optional(), signal: abortSignal().optional() }
const content = { collections: names().optional(), compression: z.enum(['gzip', 'none']).default('gzip') }
const choice = { storage: storage(), backup: text().default('latest') }

const streamSchema = z.strictObject({ ...content, ...listeners })
const createSchema = z.strictObject({
  ...content,
  ...listeners,
  storage: storage(),
  encrypt: z.boolean().default(false),
})
const readSchema = z.strictObject({ ...choice, ...listeners })
const to = { to: text().optional() }
const restoreSchema = z.strictObject({
  ...choice,
  ...to,
  ...listeners,
  target: z.union([
    z.strictObject({ into: text() }),
    z.strictObject({ inPlace: z.literal('replace') }),
    z.strictObject({ inPlace: z.literal('merge'), onConflict: z.enum(['skip', 'replace', 'fail']) }),
  ]),
  dryRun: z.boolean().optional(),
  erase: z
    .custom<Iterable<string> | AsyncIterable<string>>(isIterable, { error: 'expected ids of entries' })
    .optional(),
  erasedPeople: z
    .custom<Iterable<ErasedPerson> | AsyncIterable<ErasedPerson>>(isIterable, { error: 'expected erased persons' })
    .optional(),
  collections: z.array(text()).max(10_000).optional(),
  rename: z.record(z.string(), z.string().max(4096)).optional(),
})
const drillSchema = z.strictObject({ ...choice, ...listeners, ...to })
const sliceSchema = z.strictObject({
  storage: storage(),
  encrypt: z.boolean().default(false),
  signal: abortSignal().optional(),
})
const pruneSchema = z.strictObject({
  storage: storage(),
  keep: keepSchema.prefault({}),
  dryRun: z.boolean().default(false),
  signal: abortSignal().optional(),
})
const startSchema = z.strictObject({
  ...content,
  storage: storage(),
  encrypt: z.boolean().default(false),
  every: text(),
  sliceEvery: text().optional(),
  keep: z.union([z.literal(false), keepSchema]).prefault({}),
})
const keys = z.strictObject({
  active: z.string(),
  keys: z.record(z.string(), z.union([z.string(), z.instanceof(Uint8Array)])),
})
const resealSchema = z.strictObject({ storage: storage(), keys })
const offlineSchema = z.strictObject({
  ...choice,
  ...listeners,
  keys: keys.optional(),
  verifierKeys: z.array(z.string()).max(1000).default([]),
})
const importSchema = z.strictObject({ ...listeners, from: text(), storage: storage(), database: text().optional() })

const ofBackup = 'The options of the backup'

export const parseStream = (options: unknown) => validateData(streamSchema, options, ofBackup)
export const parseCreate = (options: unknown) => validateData(createSchema, options, ofBackup)
export const parseRead = (options: unknown) => validateData(readSchema, options, ofBackup)
export const parseRestore = (options: unknown) => validateData(restoreSchema, options, 'The options of the restore')
export const parseDrill = (options: unknown) => validateData(drillSchema, options, 'The options of the drill')
export const parseSlice = (options: unknown) => validateData(sliceSchema, options, 'The options of the slice')
export const parseReseal = (options: unknown) => validateData(resealSchema, options, 'The options')
export const parsePrune = (options: unknown) => validateData(pruneSchema, options, 'What is kept')
export const parseStart = (options: unknown) => validateData(startSchema, options, ofBackup)
export const parseOffline = (options: unknown) => validateData(offlineSchema, options, ofBackup)
export const parseImport = (options: unknown) => validateData(importSchema, options, 'The options of the import')
export const parseStorage = (given: unknown) => validateData(storage(), given, 'The storage')

function isStorage(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const given = value as Readonly<Record<string, unknown>>
  return typeof given.name === 'string' && storageFunctions.every((name) => typeof given[name] === 'function')
}

function isIterable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.iterator in value || Symbol.asyncIterator in value
}
