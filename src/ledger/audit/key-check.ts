import { type Collection, MongoServerError, type ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { rawIn } from '../../core/raw-documents.js'
import { serverCode } from '../../core/server-codes.js'
import { firstFieldsOf, idText } from '../stored-document.js'
import type { Finding } from './finding.js'

const key = { switchId: 1, idempotencyKey: 1 } as const

/**
 * Entries whose idempotency keys earlier ones of their chains have. As long as the unique index is there, the server can have
 * let in none: without it all keys are read, and compared.
 */
export async function* repeatedKeys(
  database: Database,
  collection: string,
  switchIds: readonly ObjectId[] | undefined,
): AsyncGenerator<Finding, void, undefined> {
  const entries = database.native.collection(collection, { readPreference: 'primary' })
  const guard = await guardOf(entries)
  if (guard === 'view')
    yield { damage: 'unexplained', where: 'entry', expected: 'a collection of entries', found: 'a view in its place' }
  if (guard !== 'none') return
  const filter = switchIds === undefined ? {} : { switchId: { $in: switchIds } }
  const found = rawIn(
    entries.find(filter, {
      raw: true,
      sort: { ...key, sequence: 1 },
      projection: { ...key, sequence: 1 },
      allowDiskUse: true,
    }),
  )
  let before: Record<string, unknown> = {}
  for await (const bytes of found) {
    const entry = firstFieldsOf(bytes)
    const isRepeated =
      typeof entry.idempotencyKey === 'string' &&
      entry.idempotencyKey === before.idempotencyKey &&
      idText(entry.switchId) === idText(before.switchId)
    if (isRepeated)
      yield {
        damage: 'repeated',
        where: 'entry',
        switchId: idText(entry.switchId),
        sequence: Number(entry.sequence),
        entryId: idText(entry._id),
        expected: 'an idempotency key of its own',
        found: `that of entry ${String(before.sequence)}`,
      }
    else before = entry
  }
}

/** What keeps repeated keys out: the unique index, or nothing; a view shows whatever somebody wants it to. */
async function guardOf(entries: Collection): Promise<'index' | 'none' | 'view'> {
  try {
    return (await entries.listIndexes().toArray()).some(isTheUniqueOne) ? 'index' : 'none'
  } catch (error) {
    const code = error instanceof MongoServerError ? error.code : undefined
    // Where there is no collection there are no entries.
    if (code === serverCode.namespaceNotFound) return 'index'
    if (code === serverCode.commandNotSupportedOnView) return 'view'
    throw error
  }
}

/** Nothing may be left out by it: a partial or sparse one lets others in. */
function isTheUniqueOne(index: Readonly<Record<string, unknown>>): boolean {
  const { unique, partialFilterExpression, sparse, key: fields } = index
  return (
    unique === true &&
    partialFilterExpression === undefined &&
    sparse !== true &&
    JSON.stringify(fields) === JSON.stringify(key)
  )
}
