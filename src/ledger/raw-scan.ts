import { setImmediate } from 'node:timers/promises'
import { type ClientSession, type Db, type Document, Long, MongoServerError, type Timestamp } from 'mongodb'
import { serverCode } from '../core/server-codes.js'
import type { StoredBytes } from './entry/stored-bytes.js'

/** Documents beside each other in a reply of the server, as they are stored. */
export interface RawBatch {
  readonly buffer: Buffer
  /** The BSON array that holds them. */
  readonly start: number
  readonly end: number
}

export interface RawQuery {
  readonly filter?: Document
  readonly hint?: Document
  readonly sort?: Document
  readonly limit?: number
  readonly readConcern?:
    | { readonly level: 'majority' }
    | { readonly level: 'snapshot'; readonly atClusterTime: Timestamp }
}

/** Some 3 MB: few enough to be still in the cache of the processor when they are hashed. */
const batchSize = 4000

/**
 * Reads documents as they are stored, in the replies that they come in: nothing is decoded or copied, and the next batch is
 * under way while the caller works on one. Without a hint they come in natural order.
 */
export async function* scanRaw(
  database: Db,
  collection: string,
  query: RawQuery,
  signal?: AbortSignal,
): AsyncGenerator<RawBatch, void, undefined> {
  // A session that reads at a given cluster time may not be causally consistent.
  await using session = database.client.startSession({ causalConsistency: false })
  let cursorId = 0n
  try {
    let reply = replyOf(await find(database, collection, query, session))
    for (;;) {
      signal?.throwIfAborted()
      cursorId = reply.cursorId
      const next = cursorId === 0n ? undefined : getMore(database, collection, cursorId, session)
      // It is awaited below, or not at all where the caller stops.
      next?.catch(() => undefined)
      // The driver sends it only when it gets a turn, which the caller's work would put off to its end.
      await setImmediate()
      yield reply.batch
      if (next === undefined) return
      reply = replyOf(await next)
    }
  } finally {
    if (cursorId !== 0n) {
      const cursors = [Long.fromBigInt(cursorId)]
      await database.command({ killCursors: collection, cursors }, { session }).catch(() => undefined)
    }
  }
}

async function find(database: Db, collection: string, query: RawQuery, session: ClientSession): Promise<Document> {
  const { hint, ...rest } = query
  const run = (asked: RawQuery) => database.command({ find: collection, ...asked, batchSize }, { raw: true, session })
  try {
    return await run(query)
  } catch (error) {
    if (hint === undefined || !(error instanceof MongoServerError) || error.code !== serverCode.badValue) throw error
    return run(rest)
  }
}

function getMore(database: Db, collection: string, id: bigint, session: ClientSession): Promise<Document> {
  return database.command({ getMore: Long.fromBigInt(id), collection, batchSize }, { raw: true, session })
}

/** Finds the batch and the cursor's id in a raw reply: `{ cursor: { firstBatch | nextBatch: [...], id, ns } }`. */
function replyOf({ cursor }: Document): { readonly batch: RawBatch; readonly cursorId: bigint } {
  const bytes = cursor as Uint8Array
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let batch: RawBatch = { buffer, start: 0, end: 0 }
  let cursorId = 0n
  for (const { type, name, at, length } of elementsOf(buffer, 0)) {
    if (type === 0x04 && name.endsWith('Batch')) batch = { buffer, start: at, end: at + length }
    if (type === 0x12 && name === 'id') cursorId = buffer.readBigInt64LE(at)
  }
  return { batch, cursorId }
}

/** The documents of a batch, one after the other in the same object: it is not to be kept. */
export function* documentsOf({ buffer, start, end }: RawBatch): Generator<StoredBytes, void, undefined> {
  const document = { buffer, start: 0, length: 0 }
  // Each element of the array is the type, its index in digits, a zero, and the document.
  for (let at = start + 4; at < end - 1; ) {
    at = buffer.indexOf(0, at + 1) + 1
    document.start = at
    document.length = buffer.readInt32LE(at)
    yield document
    at += document.length
  }
}

interface Element {
  readonly type: number
  readonly name: string
  readonly at: number
  readonly length: number
}

/** The elements of a BSON document that has only the types that a cursor's reply has. */
function* elementsOf(buffer: Buffer, start: number): Generator<Element, void, undefined> {
  const end = start + buffer.readInt32LE(start) - 1
  for (let at = start + 4; at < end; ) {
    const type = buffer[at] ?? 0
    const nameEnd = buffer.indexOf(0, at + 1)
    const name = buffer.toString('latin1', at + 1, nameEnd)
    at = nameEnd + 1
    const length = lengthOf(type, buffer, at)
    yield { type, name, at, length }
    at += length
  }
}

function lengthOf(type: number, buffer: Buffer, at: number): number {
  switch (type) {
    case 0x02:
      return 4 + buffer.readInt32LE(at)
    case 0x03:
    case 0x04:
      return buffer.readInt32LE(at)
    case 0x05:
      return 5 + buffer.readInt32LE(at)
    case 0x08:
      return 1
    case 0x10:
      return 4
    case 0x07:
      return 12
    case 0x0a:
      return 0
    default:
      return 8
  }
}
