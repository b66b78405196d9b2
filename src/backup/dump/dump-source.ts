import type { Db, Document, Timestamp } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { translateError } from '../../core/translate-error.js'
import { statisticsOf } from '../database-statistics.js'
import type { Block } from '../format/bson-blocks.js'
import type { BackupCollection, BackupContent } from '../format/manifest.js'
import { storedName } from '../format/manifest.js'
import { packageVersion } from '../package-version.js'
import { type CatalogEntry, goneFrom, readCatalog } from './catalog.js'
import { readBlocks, takeSnapshot } from './snapshot.js'

export interface SourceOptions {
  /** Only these collections. @default all */
  readonly collections?: readonly string[]
  /** Collections that are in no backup. */
  readonly left: readonly string[]
  /** The collection of the ledger's checkpoints. */
  readonly checkpoints: string
  /** Which history of the database this is. */
  readonly timeline: string
  readonly signal?: AbortSignal
}

/** Planned collection: what is known of a collection before its documents are read. */
export type PlannedCollection = Pick<BackupCollection, 'name' | 'type' | 'isAtClusterTime' | 'options' | 'indexes'> & {
  /** The collection that has the documents; null for a view. */
  readonly stored: string | null
  readonly uuid: string | undefined
}

/** Source facts: what a manifest says of the database as a whole. */
export type SourceFacts = Pick<
  BackupContent,
  | 'database'
  | 'clusterTime'
  | 'replicaSet'
  | 'isWhole'
  | 'timeline'
  | 'serverVersion'
  | 'featureCompatibilityVersion'
  | 'packageVersion'
  | 'checkpoint'
>

/** Backup source: what a backup is made of. */
export interface BackupSource {
  readonly facts: SourceFacts
  readonly collections: readonly PlannedCollection[]
  /** About how many bytes of documents there are to read; left out where nobody knows. */
  readonly expectedBytes?: number
  /** The documents of a collection. */
  read(collection: PlannedCollection): AsyncIterable<Block>
  /** Called once everything was read. @throws DatabaseError `CONFLICT` if that was not one state. */
  requireUnchanged(): Promise<void>
}

/** A database as it was at one cluster time. */
export class DumpSource implements BackupSource {
  readonly facts: SourceFacts
  readonly collections: readonly PlannedCollection[]
  readonly expectedBytes?: number
  readonly #database: Db
  readonly #catalog: readonly CatalogEntry[]
  readonly #clusterTime: Timestamp
  readonly #signal: AbortSignal | undefined

  private constructor(
    database: Db,
    facts: SourceFacts,
    catalog: readonly CatalogEntry[],
    clusterTime: Timestamp,
    signal: AbortSignal | undefined,
    expectedBytes: number | undefined,
  ) {
    this.#database = database
    if (expectedBytes !== undefined) this.expectedBytes = expectedBytes
    this.facts = facts
    this.#catalog = catalog
    this.#clusterTime = clusterTime
    this.#signal = signal
    this.collections = catalog.map(planned)
  }

  /**
   * Fixes the cluster time.
   * @throws DatabaseError `CONFIGURATION` if a collection that is named is not there, or the database is empty.
   */
  static async open(database: Db, options: SourceOptions): Promise<DumpSource> {
    const { clusterTime, catalog } = await takeSnapshot(database)
    const chosen = choose(catalog, options, database.databaseName)
    const hello = await database.command({ hello: 1 })
    const facts: SourceFacts = {
      database: database.databaseName,
      clusterTime: { seconds: clusterTime.t, increment: clusterTime.i },
      replicaSet: typeof hello.setName === 'string' ? hello.setName : null,
      isWhole: options.collections === undefined,
      timeline: options.timeline,
      serverVersion: String((await database.command({ buildInfo: 1 })).version),
      featureCompatibilityVersion: await featureCompatibilityVersion(database),
      packageVersion,
      checkpoint: chosen.some(({ name }) => name === options.checkpoints)
        ? await newestCheckpoint(database, options.checkpoints, clusterTime)
        : null,
    }
    const { dataSize }: Document = facts.isWhole ? await statisticsOf(database) : {}
    const expectedBytes = dataSize === undefined ? undefined : Number(dataSize)
    return new DumpSource(database, facts, chosen, clusterTime, options.signal, expectedBytes)
  }

  /** The documents of a collection. */
  read({ stored, isAtClusterTime }: PlannedCollection): AsyncIterable<Block> {
    const at = isAtClusterTime ? this.#clusterTime : undefined
    return readBlocks(this.#database, stored ?? '', at, this.#signal)
  }

  /**
   * A collection that was dropped or renamed meanwhile reads as an empty one: to be called once everything was read.
   * @throws DatabaseError `CONFLICT`.
   */
  async requireUnchanged(): Promise<void> {
    const gone = goneFrom(this.#catalog, await readCatalog(this.#database))
    if (gone.length === 0) return
    throw new DatabaseError(
      'CONFLICT',
      `${gone.map(({ name }) => name).join(', ')} was dropped or renamed during the backup: begin it again`,
      { retryable: true },
    )
  }
}

/** The metadata of a collection as mongodump writes it. */
export function metadataText({ name, type, options, indexes, uuid }: PlannedCollection): string {
  // Of a view, and of a time-series collection, whose uuid is that of its buckets, mongorestore wants none.
  const identity = uuid === undefined ? {} : { uuid }
  return JSON.stringify({ indexes, ...identity, collectionName: name, type, options })
}

function planned(entry: CatalogEntry): PlannedCollection {
  const { name, type, options, indexes, uuid, isCapped } = entry
  return { name, type, isAtClusterTime: !isCapped, options, indexes, uuid, stored: storedName(name, type) }
}

function choose(
  catalog: readonly CatalogEntry[],
  { collections: names, left }: Pick<SourceOptions, 'collections' | 'left'>,
  database: string,
): CatalogEntry[] {
  const missing = names?.find((name) => !catalog.some((entry) => entry.name === name))
  if (missing !== undefined) throw new DatabaseError('CONFIGURATION', `${database} has no collection ${missing}`)
  const chosen = catalog.filter(({ name }) => !left.includes(name) && (names?.includes(name) ?? true))
  if (chosen.length === 0) throw new DatabaseError('CONFIGURATION', `${database} has no collections to back up`)
  return chosen
}

/** Null where the role may not ask. */
async function featureCompatibilityVersion(database: Db): Promise<string | null> {
  try {
    const admin = database.client.db('admin')
    const reply: Document = await admin.command({ getParameter: 1, featureCompatibilityVersion: 1 })
    return String(reply.featureCompatibilityVersion?.version)
  } catch {
    return null
  }
}

async function newestCheckpoint(database: Db, checkpoints: string, at: Timestamp): Promise<string | null> {
  await using session = database.client.startSession({ causalConsistency: false })
  const readConcern = { level: 'snapshot', atClusterTime: at }
  const command = { find: checkpoints, sort: { size: -1 }, limit: 1, projection: { note: 1 }, readConcern }
  try {
    const reply: Document = await database.command(command, { session, readPreference: 'primary' })
    const note: unknown = reply.cursor.firstBatch[0]?.note
    return typeof note === 'string' ? note : null
  } catch (error) {
    throw translateError(error)
  }
}
