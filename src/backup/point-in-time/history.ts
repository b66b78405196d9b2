import { BSON, type Db } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { entriesOfEvents, eventToken } from './change-events.js'
import { readChangeStream, requireNoTimeSeries, timeBefore } from './change-stream.js'
import { newestEntry, readOplog, type SliceStart } from './oplog.js'
import type { Position } from './position.js'
import { sha256Of } from './sha256.js'
import type { SliceContent } from './slice-format.js'

type ResumeToken = SliceContent['resumeToken']

/** History: what has happened to a database, as far as this role can read it. */
export interface History {
  readonly source: SliceContent['source']
  /** The newest entry that a majority has. */
  readonly last: Position
  /** Entries as the oplog has them, up to the last. @throws DatabaseError `HISTORY_LOST` if the start is no longer there. */
  entries(
    start: { readonly after: SliceStart; readonly token: ResumeToken },
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Buffer, void, undefined>
  /** Once they were read to their end. @param before The token that the reading began with. */
  end(before: ResumeToken): Promise<Pick<SliceContent, 'last' | 'resumeToken'>>
}

/**
 * The oplog; where the role may not read it a change stream.
 * @param change Changes something in the database.
 * @throws DatabaseError `CONFIGURATION` if that is not enough, because there are time series.
 */
export async function openHistory(database: Db, change: () => Promise<void>): Promise<History> {
  try {
    const last = await newestEntry(database)
    return {
      source: 'oplog',
      last,
      entries: ({ after }, signal) => readOplog(database, after, last, signal),
      end: async () => ({ last, resumeToken: null }),
    }
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== 'NOT_AUTHORIZED') throw error
    return openChangeStream(database, change)
  }
}

async function openChangeStream(database: Db, change: () => Promise<void>): Promise<History> {
  await requireNoTimeSeries(database)
  const last = await timeBefore(database, change)
  let newest: Buffer | undefined
  const noted = async function* (events: AsyncIterable<Buffer>) {
    for await (const event of events) {
      newest = eventToken(event)
      yield event
    }
  }
  return {
    source: 'changeStream',
    last,
    entries: ({ after, token }, signal) => {
      newest = undefined
      const start = { after, token: token === null ? undefined : bytesOf(token) }
      return entriesOfEvents(noted(readChangeStream(database, start, last, signal)))
    },
    async end(before) {
      // One that came meanwhile was not shown either.
      await requireNoTimeSeries(database)
      const resumeToken = newest === undefined ? before : tokenOf(newest)
      const sha256 = sha256Of(resumeToken === null ? Buffer.alloc(0) : bytesOf(resumeToken))
      return { last: { ...last, term: 0, sha256 }, resumeToken }
    },
  }
}

function tokenOf(bytes: Buffer): NonNullable<ResumeToken> {
  return BSON.EJSON.serialize(BSON.deserialize(bytes), { relaxed: false }) as NonNullable<ResumeToken>
}

function bytesOf(token: NonNullable<ResumeToken>): Buffer {
  return Buffer.from(BSON.serialize(BSON.EJSON.deserialize(token, { relaxed: false })))
}
