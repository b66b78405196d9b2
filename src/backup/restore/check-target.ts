import type { Db } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { translateError } from '../../core/translate-error.js'
import { statisticsOf } from '../database-statistics.js'
import { isTimeSeries, isView, type PlannedRestore, type RestoreTarget } from './restore-plan.js'
import type { RestoreSource } from './restore-source.js'

/** @throws DatabaseError `CONFIGURATION` or `CONFLICT` if the backup cannot be restored there. Nothing is written. */
export async function checkTarget(
  database: Db,
  content: RestoreSource['content'],
  planned: readonly PlannedRestore[],
  target: RestoreTarget,
  { journals, left }: { readonly journals: { readonly collection: string }; readonly left: readonly string[] },
): Promise<void> {
  try {
    await requireVersion(database, content)
    await requireSpace(database, planned)
    if ('into' in target) await requireEmpty(database, content, journals.collection, left)
    else if (target.inPlace === 'merge') requireMergeable(planned)
  } catch (error) {
    throw translateError(error)
  }
}

/** A server reads what older ones wrote, and not the other way round. */
async function requireVersion(database: Db, { serverVersion }: RestoreSource['content']): Promise<void> {
  const { version } = await database.command({ buildInfo: 1 })
  if (majorOf(serverVersion) <= majorOf(String(version))) return
  throw new DatabaseError(
    'CONFIGURATION',
    `The backup is of MongoDB ${serverVersion}, and this server is ${version}: restore it into one that is not older`,
  )
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10)
}

/** Stored data are compressed, and indexes are not counted: about what the documents have as BSON is needed. */
async function requireSpace(database: Db, planned: readonly PlannedRestore[]): Promise<void> {
  const neededBytes = planned.reduce((sum, { collection }) => sum + collection.bsonBytes, 0)
  const freeBytes = await freeBytesOf(database)
  if (freeBytes === undefined || freeBytes >= neededBytes) return
  throw new DatabaseError(
    'CONFIGURATION',
    `The server's disk has ${freeBytes} bytes left, and the documents of the backup have ${neededBytes}`,
  )
}

/** The free space of the server's disk, which it reports for existing databases; undefined where the role may not ask. */
async function freeBytesOf(database: Db): Promise<number | undefined> {
  for (const one of [database, database.client.db('admin')]) {
    const { fsTotalSize, fsUsedSize } = await statisticsOf(one)
    if (Number(fsTotalSize) > 0) return Number(fsTotalSize) - Number(fsUsedSize)
  }
  return undefined
}

/** But for a restore of the same backup that is to go on. */
async function requireEmpty(
  database: Db,
  { id }: RestoreSource['content'],
  journals: string,
  left: readonly string[],
): Promise<void> {
  const listed = await database.listCollections({}, { nameOnly: true }).toArray()
  const others = listed.map(({ name }) => name).filter((name) => !name.startsWith('system.') && !left.includes(name))
  if (others.length === 0) return
  const journal = await database.collection(journals).findOne({ name: 'restore', mode: 'new', backupId: id })
  if (journal !== null && journal.phase !== 'closed') return
  const had = journal === null ? '' : `, and ${id} was restored into it already`
  throw new DatabaseError(
    'CONFLICT',
    `The database ${database.databaseName} has collections already (${others.slice(0, 3).join(', ')})${had}: name a new one, or restore in place`,
  )
}

function requireMergeable(planned: readonly PlannedRestore[]): void {
  const one = planned.find((candidate) => isTimeSeries(candidate) || isView(candidate))
  if (one === undefined) return
  throw new DatabaseError(
    'CONFIGURATION',
    `${one.name} is a ${one.collection.type}, which cannot be merged: name the collections that are to be`,
  )
}
