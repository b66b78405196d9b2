import { z } from 'zod'
import { validateData } from '../core/validate.js'
import type { RepairAs } from './commands/repair.js'
import type { MigrationLanguage } from './create-file.js'
import type { Seed } from './migration.js'
import type { RunEvent } from './run/run-parts.js'
import type { MigrationSources } from './source/migration-list.js'

/** A host's migrations, and how they are run. */
export interface MigrationOptions extends MigrationSources {
  /** The host's sample data: seeds, or a folder with a file for each, which exports `run`. */
  readonly seeds?: string | URL | readonly Seed[]
  /**
   * What becomes of a migration of the host's that is not applied though later ones are: whether it stops the run, or is run.
   * @default 'refuse'
   */
  readonly late?: 'refuse' | 'run'
  /** Who runs migrations, for the history. @default the user of the machine */
  readonly actor?: string
  /** ms; how long the lock lasts that nobody renews any more: 1,000 to 600,000. @default 30_000 */
  readonly lockDurationMs?: number
}

/** Locked options: how to wait, to stop and to listen. */
export interface LockedOptions {
  /** ms to wait for another process that has the lock. @default 600_000 */
  readonly waitMs?: number
  /** Aborted to stop: after a batch or a step. What is done stays, and the next run goes on from there. */
  readonly signal?: AbortSignal
  /** Called with what happens. */
  readonly onEvent?: (event: RunEvent) => void
}

export interface MigrateOptions extends LockedOptions {
  /** Up to this migration, which is run too. @default all of them */
  readonly to?: string | number
}

export interface RollbackOptions extends LockedOptions {
  /** How many to roll back, the last one first. @default 1 */
  readonly steps?: number
  /** Down to this migration, which stays. */
  readonly to?: string | number
}

export interface SeedOptions extends LockedOptions {
  /** Adds the data to a database that has documents already. @default false */
  readonly intoExisting?: boolean
}

const id = () => z.union([z.string().max(300), z.int().min(0)])
const locked = {
  waitMs: z.int().min(0).max(86_400_000).default(600_000),
  signal: z.instanceof(AbortSignal).optional(),
  onEvent: z.custom<(event: RunEvent) => void>((value) => typeof value === 'function').optional(),
}
const migrationOptionsSchema = z.strictObject({
  folder: z.union([z.string().min(1), z.instanceof(URL)]).optional(),
  list: z.array(z.unknown()).optional(),
  seeds: z.union([z.string().min(1), z.instanceof(URL), z.array(z.unknown())]).optional(),
  late: z.enum(['refuse', 'run']).default('refuse'),
  actor: z.string().min(1).max(256).optional(),
  lockDurationMs: z.int().min(1_000).max(600_000).default(30_000),
})
const migrateSchema = z.strictObject({ ...locked, to: id().optional() })
const rollbackSchema = z
  .strictObject({ ...locked, to: id().optional(), steps: z.int().min(1).max(100_000).optional() })
  .refine(({ to, steps }) => to === undefined || steps === undefined, { error: 'takes `steps` or `to`, not both' })
const seedSchema = z.strictObject({ ...locked, intoExisting: z.boolean().default(false) })

const fileSchema = z.strictObject({
  folder: z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[^\0]+$/),
  name: z.string().max(300),
  language: z.enum(['ts', 'js']),
})

const what = 'The options of migrations'

/** @throws ValidationError. */
export function parseMigrationOptions(options: MigrationOptions = {}) {
  const { late, lockDurationMs } = validateData(migrationOptionsSchema, options, what)
  return { ...options, late, lockDurationMs }
}
export const parseMigrate = (options: MigrateOptions) => validateData(migrateSchema, options, what)
export const parseRollback = (options: RollbackOptions) => validateData(rollbackSchema, options, what)
export const parseLocked = (options: LockedOptions) => validateData(z.strictObject(locked), options, what)
export const parseId = (given: string | number) => validateData(id(), given, 'The id of the migration')
export const parseRepair = (given: { readonly id: string | number; readonly as: RepairAs }) =>
  validateData(z.strictObject({ id: id(), as: z.enum(['applied', 'not-applied', 'retry']) }), given, 'The repair')
export const parseFile = (given: {
  readonly folder: string
  readonly name: string
  readonly language: MigrationLanguage
}) => validateData(fileSchema, given, 'The new migration')
export const parseSeed = (options: SeedOptions) => validateData(seedSchema, options, what)

export type ParsedLocked = Pick<ReturnType<typeof parseMigrate>, 'waitMs' | 'signal' | 'onEvent'>
