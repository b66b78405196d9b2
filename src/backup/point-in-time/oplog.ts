import type { Db } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { serverErrorCode, translateError } from '../../core/translate-error.js'
import { documentsOf, scanRaw } from '../../ledger/raw-scan.js'
import { type EntryMark, markOf } from './oplog-entry.js'
import { comparePositions, type Position, showInstant, timestampOf } from './position.js'
import { sha256Of } from './sha256.js'

/** An entry of the oplog, and what proves that it is this one. */
export interface SliceEdge extends EntryMark {
  readonly sha256: string
}

/** Where a slice begins: the last entry of the one before, or the cluster time of a backup, of which no more is known. */
export interface SliceStart extends Position {
  readonly term: number | null
  readonly sha256: string | null
}

const cappedPositionLost = 136
const oplog = 'oplog.rs'
const readConcern = { level: 'majority' } as const

/**
 * The newest entry that a majority has.
 * @throws DatabaseError `NOT_AUTHORIZED` if the role may not read the oplog, `REPLICA_SET_REQUIRED` if there is none.
 */
export function newestEntry(database: Db): Promise<SliceEdge> {
  return edgeEntry(database, -1)
}

async function edgeEntry(database: Db, direction: 1 | -1): Promise<SliceEdge> {
  const query = { sort: { $natural: direction }, limit: 1, readConcern }
  try {
    for await (const batch of scanRaw(database.client.db('local'), oplog, query))
      for (const { buffer, start, length } of documentsOf(batch)) return edgeOf(buffer.subarray(start, start + length))
  } catch (error) {
    throw translateError(error)
  }
  throw new DatabaseError('REPLICA_SET_REQUIRED', 'There is no oplog: point-in-time restores need a replica set')
}

function edgeOf(entry: Buffer): SliceEdge {
  return { ...markOf(entry), sha256: sha256Of(entry) }
}

/**
 * The entries after the start, up to and including the last, that are of the database or of transactions: each is only to be
 * used until the next one is asked for.
 * @throws DatabaseError `HISTORY_LOST` if the oplog does not reach back to the start, or has another entry there.
 */
export async function* readOplog(
  database: Db,
  after: SliceStart,
  last: Position,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const name = database.databaseName
  const [from, to] = [timestampOf(after), timestampOf(last)]
  const wanted = [
    { ts: { $in: [from, to] } },
    { ns: { $gte: `${name}.`, $lt: `${name}/` } },
    { ns: 'admin.$cmd', op: 'c' },
  ]
  const filter = { ts: { $gte: from, $lte: to }, $or: wanted }
  let isStartSeen = false
  try {
    for await (const batch of scanRaw(database.client.db('local'), oplog, { filter, readConcern }, signal))
      for (const { buffer, start, length } of documentsOf(batch)) {
        const entry = buffer.subarray(start, start + length)
        if (comparePositions(markOf(entry), after) > 0) yield entry
        else isStartSeen = isSame(entry, after)
      }
  } catch (error) {
    throw serverErrorCode(error) === cappedPositionLost ? lost(after) : translateError(error)
  }
  // The cluster time of a backup need not be that of an entry.
  if (!isStartSeen && (after.sha256 !== null || !(await reachesBackTo(database, after)))) throw lost(after)
}

function isSame(entry: Buffer, { term, sha256 }: SliceStart): boolean {
  if (sha256 === null) return true
  const found = edgeOf(entry)
  return found.sha256 === sha256 && found.term === term
}

/** Asked once everything was read: what is there then was there all the time. */
async function reachesBackTo(database: Db, after: Position): Promise<boolean> {
  return comparePositions(await edgeEntry(database, 1), after) <= 0
}

function lost({ seconds }: Position): DatabaseError {
  return new DatabaseError(
    'HISTORY_LOST',
    `The oplog does not reach back to ${showInstant(seconds)}, where the last slice ends: make a backup, from which slices can go on, and make slices more often or the oplog larger`,
  )
}
