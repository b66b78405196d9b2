import type { Db, Document, Timestamp } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { serverErrorCode, translateError } from '../../core/translate-error.js'
import { type RawBatch, scanRaw } from '../../ledger/raw-scan.js'
import { type Block, blockBytes } from '../format/bson-blocks.js'
import { type CatalogEntry, isSameCatalog, readCatalog } from './catalog.js'

/** A state of a database that can be read for as long as the server keeps its history. */
export interface Snapshot {
  readonly clusterTime: Timestamp
  readonly catalog: readonly CatalogEntry[]
}

const attempts = 20
const [snapshotTooOld, snapshotUnavailable] = [239, 246]

/**
 * Finds a cluster time, and the collections that there were at it. The catalog itself cannot be read at a cluster time: it is
 * read before and after, until it is the same.
 * @throws DatabaseError `REPLICA_SET_REQUIRED`; `CONFLICT` if collections and indexes change all the time.
 */
export async function takeSnapshot(database: Db): Promise<Snapshot> {
  let catalog = await readCatalog(database)
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const clusterTime = await newestClusterTime(database)
    const after = await readCatalog(database)
    if (isSameCatalog(catalog, after)) return { clusterTime, catalog }
    catalog = after
  }
  throw new DatabaseError('CONFLICT', 'Collections or indexes are being changed: begin the backup again', {
    retryable: true,
  })
}

/** The newest time that a majority has. */
async function newestClusterTime(database: Db): Promise<Timestamp> {
  await using session = database.client.startSession({ causalConsistency: false })
  // Any collection will do, also one that is not there; but then the reply names no time of its own.
  const command = { find: 'leases', limit: 1, projection: { _id: 1 }, readConcern: { level: 'snapshot' } }
  try {
    const reply: Document = await database.command(command, { session, readPreference: 'primary' })
    return reply.cursor.atClusterTime ?? reply.operationTime
  } catch (error) {
    throw translateSnapshotError(error, 'The database')
  }
}

/** The documents of a collection in blocks, as they are stored. @param at undefined for what cannot be read at a time. */
export async function* readBlocks(
  database: Db,
  collection: string,
  at: Timestamp | undefined,
  signal?: AbortSignal,
): AsyncGenerator<Block, void, undefined> {
  const readConcern =
    at === undefined ? { level: 'majority' as const } : { level: 'snapshot' as const, atClusterTime: at }
  try {
    for await (const batch of scanRaw(database, collection, { readConcern }, signal)) yield* packed(batch)
  } catch (error) {
    throw translateSnapshotError(error, collection)
  }
}

/** Puts the documents of a batch together, one after the other, in the batch itself: nothing is copied elsewhere. */
function* packed({ buffer, start, end }: RawBatch): Generator<Block, void, undefined> {
  let [first, to, documents] = [start, start, 0]
  // Each element of the array is the type, its index in digits, a zero, and the document.
  for (let at = start + 4; at < end - 1; ) {
    at = buffer.indexOf(0, at + 1) + 1
    const length = buffer.readInt32LE(at)
    buffer.copyWithin(to, at, at + length)
    to += length
    at += length
    documents += 1
    if (to - first < blockBytes && at < end - 1) continue
    yield { bytes: buffer.subarray(first, to), documents }
    ;[first, documents] = [to, 0]
  }
}

function translateSnapshotError(error: unknown, collection: string): unknown {
  const code = serverErrorCode(error)
  if (code === snapshotTooOld)
    return new DatabaseError(
      'HISTORY_LOST',
      `${collection} could not be read to its end: the server keeps its history for minSnapshotHistoryWindowInSeconds (300 unless set), and the backup took longer. Raise that parameter, or back up to a faster storage, such as a folder, first`,
      { cause: translateError(error) },
    )
  if (code === snapshotUnavailable)
    return new DatabaseError('CONFLICT', `${collection} was created anew during the backup: begin it again`, {
      cause: translateError(error),
      retryable: true,
    })
  return translateError(error)
}
