import { setTimeout as sleep } from 'node:timers/promises'
import type { AnyBulkWriteOperation, ClientSession, Collection, Document } from 'mongodb'
import type { StoredStep } from '../log/migration-record.js'
import type { Backfill, MigrationContext } from '../migration.js'
import { insisting } from '../run/fence.js'
import { plainEntity } from '../run/guarded-db.js'
import type { RunParts } from '../run/run-parts.js'
import type { StepProgress } from '../run/step-progress.js'
import { type Batch, type BatchSource, batchSourceOf } from './batch-source.js'
import { namingDocument } from './failing-document.js'
import { ReplicationLag } from './replication-lag.js'

const defaultMaximumLagMs = 10_000

/** Backfill place: where the record of a backfill is. */
export interface BackfillPlace {
  readonly migration: string
  /** The path of its step in the record, such as `steps.0`. */
  readonly path: string
  /** What the record says of it now. */
  readonly stored: () => Promise<StoredStep | undefined>
}

/**
 * Changes documents in batches. Each is one transaction with its checkpoint, so that it is made once, whenever the process
 * ends; the next batch is looked for meanwhile.
 */
export class BackfillRun {
  readonly #parts: RunParts
  readonly #step: Backfill
  readonly #place: BackfillPlace
  readonly #context: MigrationContext
  readonly #source: BatchSource
  readonly #lag: ReplicationLag
  readonly #progress: StepProgress

  constructor(
    parts: RunParts,
    step: Backfill,
    place: BackfillPlace,
    context: MigrationContext,
    progress: StepProgress,
  ) {
    this.#parts = parts
    this.#step = step
    this.#place = place
    this.#context = context
    this.#source = batchSourceOf(parts.database, step, context)
    this.#lag = new ReplicationLag(parts.database)
    this.#progress = progress
  }

  /** Goes on from where the record says, again after the server was away. @throws the reason of the signal when it is aborted. */
  run(): Promise<void> {
    return insisting((isGettingOn) => this.#fromCheckpoint(isGettingOn))
  }

  async #fromCheckpoint(isGettingOn: () => void): Promise<void> {
    const stored = await this.#place.stored()
    const total = stored?.total === undefined ? await this.#source.count() : stored.total
    let done = stored?.done ?? 0
    this.#progress.resume(done)
    this.#progress.report(done, total)
    let batch = await this.#source.next(stored?.checkpoint)
    while (batch !== null) {
      this.#parts.signal.throwIfAborted()
      const following = keepRejection(this.#source.next(batch.checkpoint))
      done += batch.count
      await this.#commit(batch, done, total)
      isGettingOn()
      this.#progress.report(done, total)
      await this.#rest()
      batch = await following
    }
  }

  #commit(batch: Batch, done: number, total: number | null): Promise<void> {
    const { migration, path } = this.#place
    return this.#parts.fence.transaction(async () => {
      await this.#apply(batch)
      await this.#parts.log.change(migration, {
        [`${path}.checkpoint`]: batch.checkpoint,
        [`${path}.done`]: done,
        [`${path}.total`]: total,
      })
    })
  }

  async #apply(batch: Batch): Promise<void> {
    const step = this.#step
    if ('update' in step) {
      const { update } = step
      await this.#write('updateMany', (collection, session) =>
        collection.updateMany(batch.filter ?? {}, isPipeline(update) ? [...update] : update, session),
      )
      return
    }
    const documents = batch.documents ?? (await this.#read(batch.filter ?? {}))
    const writes = documents.length === 0 ? undefined : await step.batch(documents, this.#context)
    if (writes === undefined || writes.length === 0) return
    const operations: AnyBulkWriteOperation<Document>[] = [...writes]
    await this.#write('bulkWrite', (collection, session) =>
      collection.bulkWrite(operations, { ordered: false, ...session }),
    )
  }

  /** In the transaction, so that a change by somebody else meanwhile makes the batch begin again, and is not written over. */
  #read(filter: Document): Promise<Document[]> {
    return this.#write('find', (collection, session) =>
      collection.find(filter, { sort: { _id: 1 }, ...session }).toArray(),
    )
  }

  #write<Result>(
    name: string,
    task: (collection: Collection, session: SessionOption) => Promise<Result>,
  ): Promise<Result> {
    const { database } = this.#parts
    const { collection } = this.#step
    return database.run(plainEntity(collection), name, async (session) => {
      try {
        return await task(database.native.collection(collection), session === undefined ? {} : { session })
      } catch (error) {
        throw namingDocument(collection, error)
      }
    })
  }

  async #rest(): Promise<void> {
    const { pauseMs = 0, maximumLagMs = defaultMaximumLagMs } = this.#step
    const { signal } = this.#parts
    if (pauseMs > 0) await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    await this.#lag.settle(maximumLagMs, signal)
  }
}

type SessionOption = { readonly session?: ClientSession }

function isPipeline(update: Document | readonly Document[]): update is readonly Document[] {
  return Array.isArray(update)
}

/** Nobody waits for it yet: a failure is to come up where it is waited for, and not before. */
function keepRejection<Result>(work: Promise<Result>): Promise<Result> {
  work.catch(() => undefined)
  return work
}
