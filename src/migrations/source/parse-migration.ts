import { z } from 'zod'
import { DatabaseError, type ValidationIssue } from '../../core/errors.js'
import { issuesOf } from '../../core/validate.js'
import type { Backfill, IndexStep, Migration, MigrationFunction } from '../migration.js'
import { idText, isOfPackage } from '../migration-id.js'
import { checksumOf } from './checksum.js'
import type { LoadedMigration, LoadedStep } from './loaded-migration.js'

const isFunction = (value: unknown) => typeof value === 'function'
const work = () => z.custom<MigrationFunction>(isFunction, { error: 'expected a function' })
const text = (maximum: number) => z.string().min(1).max(maximum)
const data = () => z.record(z.string(), z.unknown())

const pace = {
  batchSize: z.int().min(1).max(10_000).optional(),
  pauseMs: z.int().min(0).max(3_600_000).optional(),
  maximumLagMs: z.int().min(1).max(3_600_000).optional(),
}
const filtered = { collection: text(255), filter: data().optional(), ...pace }
const stepSchema = z.union([
  work(),
  z.strictObject({
    collection: text(255),
    indexes: z
      .array(z.looseObject({ key: z.unknown() }))
      .min(1)
      .max(64),
  }),
  z.strictObject({ ...filtered, update: z.union([data(), z.array(data()).min(1)]) }),
  z.strictObject({ ...filtered, batch: work() }),
  z.strictObject({
    collection: text(255),
    ...pace,
    cursor: z.strictObject({ next: work(), count: work().optional() }),
    batch: work(),
  }),
])
const steps = z.union([stepSchema, z.array(stepSchema).min(1).max(100)])

const migrationSchema = z
  .strictObject({
    id: z.union([z.string(), z.number()]),
    description: text(1000).optional(),
    transaction: z.boolean().optional(),
    repeatable: z.boolean().optional(),
    up: steps,
    down: steps.optional(),
    verify: work().optional(),
    plan: work().optional(),
  })
  .refine(({ transaction, repeatable }) => transaction !== true || repeatable !== true, {
    path: ['repeatable'],
    error: 'what runs in a transaction needs not be repeatable: give one of the two',
  })

/**
 * @param given What a file exports, or a host gives.
 * @param file The file that it is from.
 * @throws DatabaseError `CONFIGURATION` if it is no migration, with what is missing or wrong.
 */
export function parseMigration(given: unknown, file?: string): LoadedMigration {
  const found = migrationSchema.safeParse(given)
  if (!found.success) throw notOne(issuesOf(found.error, given), file)
  // As it was given: the schema's own copy would part a migration's functions from their object.
  const migration = given as Migration
  const { description, verify, plan } = migration
  const load = (step: Step, at: number) => loadStep(migration, step, at)
  const id = idText(migration.id)
  const up = listOf(migration.up).map(load)
  return {
    id,
    description,
    file,
    checksum: isOfPackage(id) ? checksumOf(id) : checksumOf(up.map(({ checksum }) => checksum)),
    up: verify === undefined ? up : [...up, verification(migration, verify)],
    down: migration.down === undefined ? undefined : listOf(migration.down).map(load),
    plan: plan?.bind(migration),
  }
}

type Step = MigrationFunction | IndexStep | Backfill

function listOf(given: Migration['up']): readonly Step[] {
  return (Array.isArray(given) ? given : [given]) as readonly Step[]
}

function loadStep(migration: Migration, step: Step, at: number): LoadedStep {
  const checksum = isOfPackage(String(migration.id)) ? checksumOf([migration.id, at]) : sourceChecksum(migration, step)
  if (typeof step === 'function') return { kind: kindOf(migration), run: step.bind(migration), checksum }
  return 'indexes' in step ? { kind: 'indexes', step, checksum } : { kind: 'backfill', step, checksum }
}

/**
 * Of what a step of a host's declares. The package's own count by their ids: each version may write them in another way, and
 * names of collections are the host's, but none may do anything else than before.
 */
function sourceChecksum(migration: Migration, step: Step): string {
  if (typeof step === 'function') return checksumOf([kindOf(migration), step])
  if ('indexes' in step) return checksumOf(['indexes', step])
  // How fast it goes makes no difference to what it does.
  const { batchSize, pauseMs, maximumLagMs, ...effect } = step
  return checksumOf(['backfill', effect])
}

function kindOf({ transaction, repeatable }: Migration): 'function' | 'transaction' | 'repeatable' {
  if (transaction === true) return 'transaction'
  return repeatable === true ? 'repeatable' : 'function'
}

function verification(migration: Migration, verify: NonNullable<Migration['verify']>): LoadedStep {
  return { kind: 'verification', run: verify.bind(migration), checksum: checksumOf(['verification']) }
}

function notOne(issues: readonly ValidationIssue[], file: string | undefined): DatabaseError {
  const [first] = issues
  const what =
    first === undefined ? 'it is empty' : `${first.path === '' ? 'it' : `\`${first.path}\``}: ${first.message}`
  const hint =
    first?.path === 'up' && first.received === 'undefined' ? '; export a function `up`, or an object that has one' : ''
  const next = file === undefined ? '' : '. Next: correct it, or move what is no migration out of the folder'
  return new DatabaseError('CONFIGURATION', `${file ?? 'What was given'} is no migration: ${what}${hint}${next}`)
}
