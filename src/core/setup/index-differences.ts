import type { Document } from 'mongodb'
import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import { type IndexDefinition, indexName, rebuiltName } from '../index-definition.js'

/** Index report: how the indexes of a collection differ from the declared ones, by name. */
export interface IndexReport {
  readonly missing: readonly string[]
  readonly different: readonly string[]
  /** Indexes in whose place a declared one comes; they go when it is there. */
  readonly superseded: readonly string[]
  /** Indexes that the entity does not declare; they are left alone. */
  readonly extra: readonly string[]
}

export interface IndexDifference {
  /** What the index is called now. */
  readonly name: string
  readonly found: Document
  readonly wanted: IndexDefinition
}

export interface IndexDifferences {
  readonly missing: readonly IndexDefinition[]
  readonly different: readonly IndexDifference[]
  readonly superseded: readonly string[]
  readonly extra: readonly Document[]
}

export async function diffIndexes(database: Database, entity: EntityDescription): Promise<IndexDifferences> {
  const existing = await database.native.collection<Document>(entity.collection).listIndexes().toArray()
  const missing: IndexDefinition[] = []
  const different: IndexDifference[] = []
  const superseded = new Set<Document>()
  const declared = new Set<unknown>()
  for (const wanted of entity.indexes) {
    // A host may have had an index on the same fields under another name.
    const alike = existing.filter((index) => hasKey(index, wanted.key) && !isOfAnother(index, wanted, entity))
    const same = alike.find((index) => fingerprint(index) === fingerprint(wanted))
    const found = same ?? alike.find(({ name }) => name === indexName(wanted)) ?? alike[0]
    if (found === undefined) missing.push(wanted)
    else if (found !== same) different.push({ name: String(found.name), found, wanted })
    declared.add(found)
    for (const index of [...alike, ...existing.filter((one) => isFormerOf(one, wanted, entity))]) {
      if (index !== found && (index.unique === true || isOurs(index, wanted))) superseded.add(index)
    }
  }
  const extra = existing.filter((index) => index.name !== '_id_' && !declared.has(index) && !superseded.has(index))
  return { missing, different, superseded: [...superseded].map(({ name }) => String(name)), extra }
}

export function reportOf({ missing, different, superseded, extra }: IndexDifferences): IndexReport {
  return {
    missing: missing.map(indexName),
    different: different.map(({ name }) => name),
    superseded,
    extra: extra.map(({ name }) => String(name)),
  }
}

/** What is left behind where a process was killed before it had dropped what it had built anew. */
function isOurs({ name }: Document, wanted: IndexDefinition): boolean {
  return name === indexName(wanted) || name === rebuiltName(wanted)
}

/** Whether it is another declared index, of the same key and under a name of its own. */
function isOfAnother(index: Document, wanted: IndexDefinition, { indexes }: EntityDescription): boolean {
  const others = indexes.filter((one) => one !== wanted && hasKey({ key: one.key }, wanted.key))
  return others.some((one) => fingerprint(index) === fingerprint(one) || isOurs(index, one))
}

/** The form of a unique index in which a deleted document's date was among the keys. */
function isFormerOf(index: Document, { key, unique }: IndexDefinition, { softDelete }: EntityDescription): boolean {
  return softDelete && unique === true && hasKey(index, { ...key, deletedAt: 1 })
}

function hasKey(index: Document, key: IndexDefinition['key']): boolean {
  return JSON.stringify(keyOf(index.key, index.weights)) === JSON.stringify(keyOf(key, undefined))
}

/** All that two indexes can differ in. */
export function fingerprint(index: Document | IndexDefinition): string {
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
