import type { AnyBulkWriteOperation, ClientSession, Db, Document, IndexDescription } from 'mongodb'
import type { Model } from 'mongoose'
import type { Logger } from '../core/logger.js'

/** Migration context: what the functions of a migration are given. */
export interface MigrationContext {
  /** The id of the migration, as a text. */
  readonly id: string
  /**
   * The database. What is written through its collections is written only while this process holds the migration lock; in a
   * transactional step and in a backfill it is part of the step's transaction without further ado.
   */
  readonly db: Db
  /** The Mongoose models by what the handle calls their collections, such as `devices`. Their writes are not fenced. */
  readonly models: Readonly<Record<string, Model<Document>>>
  /** The session of the step's transaction; undefined where there is none. */
  readonly session: ClientSession | undefined
  /** Runs the work in one transaction of the database, which fails if this process has lost the migration lock. */
  readonly transaction: <Result>(work: () => Promise<Result>) => Promise<Result>
  readonly logger: Logger
  /** Aborted when the migration lock is lost, when the handle is closed, or when the caller that started the run stops it. */
  readonly signal: AbortSignal
  /** Reports how far a function has come. */
  readonly progress: (done: number, total?: number) => void
  /**
   * Keeps a value in the log once the function has ended, for `down`: what it will have to undo. One for each function.
   * @throws DatabaseError `CONFIGURATION` for what is no BSON, or more than 100 kB of it.
   */
  readonly keep: (value: unknown) => void
  /** In `down`: what the steps of `up` have kept, by their place; undefined where one kept nothing. */
  readonly kept: readonly unknown[]
  /**
   * Notes something that a person should know of the run, such as documents that were left: it is in the record once the step has
   * ended, and `status` shows it. The first 100 of a step are kept, 1,000 characters of each.
   */
  readonly note: (text: string) => void
}

/** Does one thing. */
export type MigrationFunction = (context: MigrationContext) => Promise<unknown>

/** Builds indexes as far as they are not there; may be repeated. */
export interface IndexStep {
  readonly collection: string
  readonly indexes: readonly IndexDescription[]
}

interface BackfillPace {
  /** Documents of one batch, which is one transaction: 1 to 10,000. @default 1_000 */
  readonly batchSize?: number
  /** Milliseconds to rest between two batches. @default 0 */
  readonly pauseMs?: number
  /** Milliseconds that a secondary may be behind before the backfill waits for it. @default 10_000 */
  readonly maximumLagMs?: number
}

interface BackfillFilter {
  readonly collection: string
  /** The documents that are to be changed. They are taken in the order of their `_id`. @default all of them */
  readonly filter?: Document
}

/** Changes the documents of each batch by one update of MongoDB's: operators, or an aggregation pipeline. */
export interface UpdateBackfill extends BackfillPace, BackfillFilter {
  readonly update: Document | readonly Document[]
}

/**
 * Is given each batch, inside its transaction. What it returns is written to the backfill's collection in one bulk write; it may
 * write to others by `context.db`. A batch may be run again after a transient error, so it must have no other effects.
 */
export type BackfillFunction = (
  documents: readonly Document[],
  context: MigrationContext,
) => Promise<readonly AnyBulkWriteOperation<Document>[] | undefined>

/** Changes the documents of each batch by a function. */
export interface FunctionBackfill extends BackfillPace, BackfillFilter {
  readonly batch: BackfillFunction
}

/** One batch of a cursor. */
export interface BackfillPage {
  readonly documents: readonly Document[]
  /** Where the next batch begins, to be kept in the log: a BSON value of whatever type. */
  readonly checkpoint: unknown
}

/** Takes documents in an order of its own, where that of their `_id` will not do. */
export interface BackfillCursor {
  /** @param after The checkpoint of the batch before; undefined at the beginning. @returns null at the end. */
  readonly next: (after: unknown, limit: number, context: MigrationContext) => Promise<BackfillPage | null>
  /** How many documents there are, for the progress. */
  readonly count?: (context: MigrationContext) => Promise<number>
}

/** Changes what a cursor gives. */
export interface CursorBackfill extends BackfillPace {
  /** What the returned writes are for. */
  readonly collection: string
  readonly cursor: BackfillCursor
  readonly batch: BackfillFunction
}

export type Backfill = UpdateBackfill | FunctionBackfill | CursorBackfill

/** A step of a migration: a function, a backfill, or indexes. */
export type MigrationStep = MigrationFunction | Backfill | IndexStep

/** Planned change: what a migration would do to a collection. */
export interface PlannedChange {
  readonly collection: string
  /** How many documents; null where counting them takes too long. */
  readonly documents?: number | null
  /** The indexes that would be built, by name. */
  readonly indexes?: readonly string[]
  readonly note?: string
}

/** A change of the database, made once, in its turn. */
export interface Migration {
  /** A name, or an integer version. The number that a name begins with decides about its turn, then the name. */
  readonly id: string | number
  readonly description?: string
  /** Runs each function of it in a transaction, together with its record. Not for what MongoDB refuses there. @default false */
  readonly transaction?: boolean
  /**
   * Whether each function of it leads to the same result if it is run again after it was broken off: then it is, and nobody has to
   * decide. Not together with `transaction`. @default false
   */
  readonly repeatable?: boolean
  readonly up: MigrationStep | readonly MigrationStep[]
  /** Undoes what `up` did, and nothing else. Without it the migration cannot be rolled back. */
  readonly down?: MigrationStep | readonly MigrationStep[]
  /** Looks, after `up`, whether all is as it should be; throws if not. It must not write: it may be run again. */
  readonly verify?: (context: MigrationContext) => Promise<void>
  /** Says what functions of `up` would change, for `plan()`. It must not write. */
  readonly plan?: (context: MigrationContext) => Promise<readonly PlannedChange[]>
}

/** Data to try things with. It is run in one transaction, and has to give the same data however often it is run. */
export interface Seed {
  readonly name: string
  readonly run: (context: MigrationContext) => Promise<void>
}

/** Gives the migration its type. Nothing else. */
export function defineMigration(migration: Migration): Migration {
  return migration
}
