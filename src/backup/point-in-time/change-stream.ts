import { BSON, type ClientSession, type Db, type Document, Long } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { translateError } from '../../core/translate-error.js'
import { eventPosition, eventToken } from './change-events.js'
import { comparePositions, type Position, timestampOf } from './position.js'
import { fieldMapOf, fieldsOf } from './raw-document.js'

export interface StreamStart {
  readonly after: Position
  /** The token of the last event before it; undefined where none is known. */
  readonly token: Buffer | undefined
}

const waitMs = 200

/**
 * The newest time, and a change after it: a change stream that has shown that one has shown all before.
 * @param change Changes something in the database.
 */
export async function timeBefore(database: Db, change: () => Promise<void>): Promise<Position> {
  const { operationTime }: Document = await database.command({ ping: 1 })
  await change()
  return { seconds: operationTime.t, increment: operationTime.i }
}

/**
 * The events of a database from a start up to and including a time, as they come. There has to be a later one.
 * @throws DatabaseError `HISTORY_LOST` if the server no longer has the start, `CONFIGURATION` where it has no such streams.
 */
export async function* readChangeStream(
  database: Db,
  { after, token }: StreamStart,
  last: Position,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  let start: Document =
    token === undefined ? { startAtOperationTime: timestampOf(after) } : { startAfter: BSON.deserialize(token) }
  // The drop of the database ends a stream, and what is in it afterwards is in another.
  for (;;) {
    const ended = yield* oneStream(database, start, last, signal)
    if (ended === undefined) return
    start = { startAfter: BSON.deserialize(eventToken(ended)) }
  }
}

/** @returns the event that has ended the stream before the time; undefined if it went beyond. */
async function* oneStream(
  database: Db,
  start: Document,
  last: Position,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, Buffer | undefined, undefined> {
  await using session = database.client.startSession({ causalConsistency: false })
  const pipeline = [{ $changeStream: { showExpandedEvents: true, ...start } }]
  let cursorId = 0n
  let newest: Buffer | undefined
  try {
    let reply = await run(database, { aggregate: 1, pipeline, cursor: {} }, session)
    for (;;) {
      cursorId = reply.cursorId
      for (const event of reply.events) {
        if (comparePositions(eventPosition(event), last) > 0) return undefined
        newest = event
        yield event
      }
      if (cursorId === 0n) return newest
      signal?.throwIfAborted()
      const collection = '$cmd.aggregate'
      reply = await run(database, { getMore: Long.fromBigInt(cursorId), collection, maxTimeMS: waitMs }, session)
    }
  } finally {
    const cursors = [Long.fromBigInt(cursorId)]
    if (cursorId !== 0n)
      await database.command({ killCursors: '$cmd.aggregate', cursors }, { session }).catch(() => undefined)
  }
}

async function run(database: Db, command: Document, session: ClientSession) {
  try {
    const { cursor }: Document = await database.command(command, { raw: true, session })
    const fields = fieldMapOf(Buffer.from(cursor.buffer, cursor.byteOffset, cursor.byteLength))
    const batch = fields.get('firstBatch') ?? fields.get('nextBatch')
    const events = batch === undefined ? [] : fieldsOf(batch.value).map(({ value }) => value)
    return { events, cursorId: fields.get('id')?.value.readBigInt64LE(0) ?? 0n }
  } catch (error) {
    const translated = translateError(error)
    if (!(translated instanceof DatabaseError) || translated.code !== 'HISTORY_LOST') throw translated
    throw new DatabaseError(
      'HISTORY_LOST',
      'The change stream cannot go on from where the last slice ends: make a backup, from which slices can go on',
      { cause: translated },
    )
  }
}

/** A change stream shows nothing of time series. @throws DatabaseError `CONFIGURATION` if there is one. */
export async function requireNoTimeSeries(database: Db): Promise<void> {
  const [found] = await database.listCollections({ type: 'timeseries' }, { nameOnly: true }).toArray()
  if (found === undefined) return
  throw new DatabaseError(
    'CONFIGURATION',
    `The role may not read the oplog, and a change stream shows nothing of time series such as ${found.name}: grant the role "backup", which may`,
  )
}
