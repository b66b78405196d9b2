import type { CreateIndexesOptions, Document, DropIndexesOptions } from 'mongodb'
import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import { ConflictError } from '../errors.js'
import { type IndexDefinition, indexName, rebuiltName } from '../index-definition.js'
import { serverCode } from '../server-codes.js'
import { serverErrorCode, translateError } from '../translate-error.js'
import { diffIndexes, fingerprint, type IndexDifference } from './index-differences.js'
import { retryWhileBusy } from './retry-while-busy.js'

/** The server keeps no two indexes that differ in such a thing only, nor two text indexes. */
const cannotStandBeside = new Set([67, 85, 86])
/** Building an index may last longer than any reply. The driver knows the option for a single operation too, if not for `command()`. */
const withoutSocketTimeout: CreateIndexesOptions & DropIndexesOptions & { readonly socketTimeoutMS: number } = {
  socketTimeoutMS: 0,
}

/** Builds what is missing, and builds anew what is different. An index that cannot be built leaves the old one in its place. */
export async function buildIndexes(database: Database, entity: EntityDescription): Promise<void> {
  const { missing, different, superseded } = await diffIndexes(database, entity)
  for (const difference of different) await setRight(database, entity, difference)
  if (missing.length > 0) await create(database, entity, missing.map(specification))
  for (const name of superseded) await drop(database, entity, name)
}

async function setRight(database: Database, entity: EntityDescription, difference: IndexDifference): Promise<void> {
  const { name, found, wanted } = difference
  const adjustment = adjustmentOf(found, wanted)
  if (adjustment !== undefined) {
    const index = { name, ...adjustment }
    await retryWhileBusy(database, () => database.native.command({ collMod: entity.collection, index }))
    return
  }
  const next = { ...specification(wanted), name: name === indexName(wanted) ? rebuiltName(wanted) : indexName(wanted) }
  try {
    // Beside the old one, which goes only when the new one is there: between two builds anybody could write duplicates.
    await create(database, entity, [next])
  } catch (error) {
    if (!cannotStandBeside.has(serverErrorCode(error) ?? 0)) throw error
    await replace(database, entity, difference)
    return
  }
  await drop(database, entity, name)
}

/** The differences that can be set right without building the index anew; undefined if there are others. */
export function adjustmentOf(found: Document, wanted: IndexDefinition): Document | undefined {
  const { expireAfterSeconds } = wanted
  const isExpiryKept = typeof found.expireAfterSeconds !== 'number' || expireAfterSeconds === undefined
  const adjusted = { ...found, hidden: false, ...(isExpiryKept ? {} : { expireAfterSeconds }) }
  if (fingerprint(adjusted) !== fingerprint(wanted)) return undefined
  return { ...(isExpiryKept ? {} : { expireAfterSeconds }), ...(found.hidden === true ? { hidden: false } : {}) }
}

async function replace(
  database: Database,
  entity: EntityDescription,
  { name, found, wanted }: IndexDifference,
): Promise<void> {
  await drop(database, entity, name)
  try {
    await create(database, entity, [specification(wanted)])
  } catch (error) {
    const { v, ns, ...old } = found
    await create(database, entity, [old as Specification])
    throw error
  }
}

type Specification = Document & { readonly key: Record<string, 1 | -1 | '2dsphere' | 'text'>; readonly name: string }

function specification(index: IndexDefinition): Specification {
  const { serves, key, ...options } = index
  // Else a collection with a collation of its own would pass it on.
  return { ...options, collation: { locale: 'simple' }, key: { ...key }, name: indexName(index) }
}

async function create(database: Database, entity: EntityDescription, indexes: readonly Specification[]): Promise<void> {
  const collection = database.native.collection(entity.collection)
  try {
    await retryWhileBusy(database, () => collection.createIndexes([...indexes], withoutSocketTimeout))
  } catch (error) {
    throw serverErrorCode(error) === serverCode.duplicateKey ? notUnique(entity, error) : error
  }
}

async function drop(database: Database, { collection }: EntityDescription, name: string): Promise<void> {
  const { native } = database
  await retryWhileBusy(
    database,
    () => native.collection(collection).dropIndex(name, withoutSocketTimeout),
    serverCode.indexNotFound,
  )
}

function notUnique({ collection }: EntityDescription, error: unknown): ConflictError {
  const fields = Object.keys((error as { keyPattern?: Document }).keyPattern ?? {})
  return new ConflictError(
    'CONFLICT',
    `The unique index of ${collection} on ${fields.join(', ')} cannot be built: there are documents that agree in it`,
    { fields },
    { cause: translateError(error) },
  )
}
