import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../../core/entity.js'
import { anyValue } from '../../core/fields.js'

const checksum = () => z.string().regex(/^[0-9a-f]{64}$/)

const stepFields = z.strictObject({
  /** What kind it is. */
  kind: z.enum(['function', 'transaction', 'repeatable', 'indexes', 'backfill', 'verification']),
  /** SHA-256 of what the migration does. */
  checksum: checksum(),
  /** `started` is written for functions outside a transaction: only of these nobody knows how far they came. */
  state: z.enum(['waiting', 'started', 'done']),
  /** How far a backfill has come: where its next batch begins. */
  checkpoint: anyValue().optional(),
  /** Documents that a backfill is done with. */
  done: z.int().min(0).optional(),
  /** Documents that it found at its beginning; null where counting took too long. */
  total: z.int().min(0).nullish(),
  /** What it has noted for a person. */
  notes: z.array(z.string().min(1).max(1000)).max(100).optional(),
})

export type StoredStep = z.output<typeof stepFields>

const runFields = z.strictObject({
  /** Who ran it. */
  actor: z.string().min(1).max(256),
  /** The machine that ran it. */
  host: z.string().min(1).max(256),
  /** The process that ran it. */
  pid: z.int().min(0),
  /** The version of the package that ran it. */
  packageVersion: z.string().min(1).max(100),
  /** The fencing number of the lock that it was made under. */
  fence: z.int().min(1),
})

/** Migration run: who runs migrations, where, with which version of the package, and under which lock. */
export type MigrationRun = z.output<typeof runFields>

const states = ['running', 'failed', 'applied', 'rolling_back', 'rollback_failed'] as const

/**
 * What became of a migration. Earlier tools keep `{ name, executed_at }` in the same collection, and may go on doing so: such
 * documents fit too, and only what has a `state` is ours. That is why these documents carry no stamps, though they change.
 */
export const migrationRecordEntity = defineAppendOnlyEntity({
  name: 'migration record',
  collection: 'migrations',
  personal: {
    mentions: { in: ['run', 'error', 'kept'], onErasure: 'replace' },
    notPersonal: 'name executed_at state origin checksum steps downSteps startedAt durationMs'.split(' '),
  },
  validationLevel: 'moderate',
  fields: {
    /** The id of the migration. */
    name: z.string().min(1).max(300),
    /** When it was finished. */
    executed_at: z.date().optional(),
    /** How far it has come. */
    state: z.enum(states).optional(),
    /** How it got here: `run`, or known to be applied from before. */
    origin: z.enum(['run', 'baseline', 'adopted']).optional(),
    /** SHA-256 of what the migration does. */
    checksum: checksum().optional(),
    /** Its steps, and how far each has come. */
    steps: z.array(stepFields).max(101).optional(),
    /** The steps of its rollback. */
    downSteps: z.array(stepFields).max(101).optional(),
    /** What the steps of `up` have kept for `down`, by their place from 0. */
    kept: z.record(z.string().regex(/^\d{1,3}$/), anyValue()).optional(),
    /** When it was begun. */
    startedAt: z.date().optional(),
    /** ms */
    durationMs: z.number().min(0).max(1e12).optional(),
    /** Who ran it, and where. */
    run: runFields.optional(),
    /** What the last failure was. */
    error: z.string().max(2000).optional(),
  },
  indexes: [
    {
      key: { name: 1 },
      unique: true,
      partialFilterExpression: { state: { $exists: true } },
      serves: 'the record of a migration; one for each',
    },
  ],
})

type StoredRecord = Stored<typeof migrationRecordEntity>
/** What makes a record one of ours. */
type OwnFields = { readonly [Field in 'state' | 'origin' | 'steps']: NonNullable<StoredRecord[Field]> }
/** A document of ours: one that has a state. */
export type MigrationRecord = Omit<StoredRecord, '_id'> & OwnFields

/** Everything that was done with migrations: appended, and never changed. */
export const migrationHistoryEntity = defineAppendOnlyEntity({
  name: 'migration event',
  collection: 'migration_history',
  personal: {
    mentions: { in: ['run', 'message'], onErasure: 'replace' },
    notPersonal: ['name', 'action', 'outcome', 'at', 'durationMs', 'checksum'],
  },
  fields: {
    /** The id of the migration; of the lock, or of seeds, a word. */
    name: z.string().min(1).max(300),
    /** What was done. */
    action: z.enum(['migrate', 'rollback', 'baseline', 'adopt', 'repair', 'unlock', 'seed']),
    /** How it ended. */
    outcome: z.enum(['done', 'failed']),
    /** When it happened. */
    at: z.date(),
    /** ms */
    durationMs: z.number().min(0).max(1e12),
    /** SHA-256 of what the migration does. */
    checksum: checksum().optional(),
    /** Who ran it, and where. */
    run: runFields,
    /** What failed, or what was decided. */
    message: z.string().max(2000).optional(),
  },
  indexes: [
    { key: { name: 1, at: -1, _id: -1 }, serves: 'what was done with a migration, newest first' },
    { key: { action: 1, _id: 1 }, serves: 'what was adopted' },
    { key: { at: -1, _id: -1 }, serves: 'what was done last' },
  ],
})

export type MigrationEvent = Stored<typeof migrationHistoryEntity>
