import type { CreateIndexesOptions, Document, DropIndexesOptions } from 'mongodb'
import type { Database } from './database.js'
import { type EntityDescription, type IndexDefinition, indexName, rebuiltName } from './entity.js'
import { ConflictError } from './errors.js'
import { insist } from './insist.js'
import { serverCode } from './server-codes.js'
import { serverErrorCode, translateError } from './translate-error.js'

/** How the indexes of a collection differ from the declared ones, by name. */
export interface IndexReport {
  readonly missing: readonly string[]
  readonly different: readonly string[]
  /** Indexes that the entity does not declare; they are left alone. */
  readonly extra: readonly string[]
}

/** The server keeps no two indexes that differ in such a thing only, nor two text indexes. */
const cannotStandBeside = new Set([67, 85, 86])
/** Building an index may last longer than any reply. The driver knows the option for a single operation too, if not for `command()`. */
const withoutSocketTimeout: CreateIndexesOptions & DropIndexesOptions & { readonly socketTimeoutMS: number } = {
  socketTimeoutMS: 0,
}

export async function compareIndexes(database: Database, entity: EntityDescription): Promise<IndexReport> {
  const { missing, different, extra } = await diffIndexes(database, entity)
  return { missing: missing.map(indexName), different: different.map(({ name }) => name), extra }
}

/** Builds what is missing, and builds anew what is different. An index that cannot be built leaves the old one in its place. */
export async function buildIndexes(database: Database, entity: EntityDescription): Promise<void> {
  const { missing, different } = await diffIndexes(database, entity)
  for (const difference of different) await setRight(database, entity, difference)
  if (missing.length > 0) await create(database, entity, missing.map(specification))
}

interface IndexDifference {
  /** What the index is called now. */
  readonly name: string
  readonly found: Document
  readonly wanted: IndexDefinition
}

interface IndexDifferences {
  readonly missing: readonly IndexDefinition[]
  readonly different: readonly IndexDifference[]
  readonly extra: readonly string[]
}

async function diffIndexes(database: Database, entity: EntityDescription): Promise<IndexDifferences> {
  const existing = await database.native.collection<Document>(entity.collection).listIndexes().toArray()
  const missing: IndexDefinition[] = []
  const different: IndexDifference[] = []
  const declared = new Set<unknown>(['_id_'])
  for (const wanted of entity.indexes) {
    // A host may have had an index on the same fields under another name.
    const found =
      existing.find(({ name }) => name === indexName(wanted)) ?? existing.find((index) => hasKeyOf(index, wanted))
    if (found === undefined) missing.push(wanted)
    else if (fingerprint(found) !== fingerprint(wanted)) different.push({ name: String(found.name), found, wanted })
    declared.add(found?.name)
  }
  const extra = existing.map(({ name }) => String(name)).filter((name) => !declared.has(name))
  return { missing, different, extra }
}

function hasKeyOf(index: Document, { key }: IndexDefinition): boolean {
  return JSON.stringify(keyOf(index.key, index.weights)) === JSON.stringify(keyOf(key, undefined))
}

function fingerprint(index: Document | IndexDefinition): string {
  const { key, weights, unique, expireAfterSeconds, partialFilterExpression, sparse, hidden, collation } =
    index as Document
  return JSON.stringify([
    keyOf(key, weights),
    [unique === true, sparse === true, hidden === true],
    expireAfterSeconds ?? null,
    partialFilterExpression ?? null,
    collation ?? null,
  ])
}

/** The key as it was declared: of a text index the server keeps the fields as weights, in an order of its own. */
function keyOf(key: Document, weights: Document | undefined): unknown {
  const entries = Object.entries(key).filter(([field]) => field !== '_fts' && field !== '_ftsx')
  const texts = Object.keys(weights ?? {}).map((field) => [field, 'text'])
  const all = [...entries, ...texts]
  return all.some(([, kind]) => kind === 'text') ? all.sort() : all
}

async function setRight(database: Database, entity: EntityDescription, difference: IndexDifference): Promise<void> {
  const { name, found, wanted } = difference
  const adjustment = adjustmentOf(found, wanted)
  if (adjustment !== undefined) {
    const index = { name, ...adjustment }
    await insist(database, () => database.native.command({ collMod: entity.collection, index }))
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
function adjustmentOf(found: Document, wanted: IndexDefinition): Document | undefined {
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

function specification({ serves, key, ...options }: IndexDefinition): Specification {
  // Else a collection with a collation of its own would pass it on.
  return { ...options, collation: { locale: 'simple' }, key: { ...key }, name: indexName({ key }) }
}

async function create(database: Database, entity: EntityDescription, indexes: readonly Specification[]): Promise<void> {
  const collection = database.native.collection(entity.collection)
  try {
    await insist(database, () => collection.createIndexes([...indexes], withoutSocketTimeout))
  } catch (error) {
    throw serverErrorCode(error) === serverCode.duplicateKey ? notUnique(entity, error) : error
  }
}

async function drop(database: Database, { collection }: EntityDescription, name: string): Promise<void> {
  const { native } = database
  await insist(
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
