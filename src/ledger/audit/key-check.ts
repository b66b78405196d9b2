import type { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { rawIn } from '../../core/raw-documents.js'
import { hasSoundIndex } from '../chain-index.js'
import { firstFieldsOf } from '../stored-document.js'
import { numberIn, wordsOf } from '../stored-words.js'
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
  if (await hasSoundIndex(entries, key)) return
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
      wordsOf(entry.switchId) === wordsOf(before.switchId)
    if (isRepeated)
      yield {
        damage: 'repeated',
        where: 'entry',
        switchId: wordsOf(entry.switchId),
        sequence: numberIn(entry.sequence),
        entryId: wordsOf(entry._id),
        expected: 'an idempotency key of its own',
        found: `that of entry ${wordsOf(before.sequence)}`,
      }
    else before = entry
  }
}
