import type { Document } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import { type Admin, numberOf } from '../admin.js'
import type { SizeRecord } from './size-record.js'

export interface CollectionSize {
  readonly name: string
  /** About how many documents: by the collection's own statistics. */
  readonly documents: number
  /** Of the documents, before compression. */
  readonly dataBytes: number
  /** On disk, without indexes. */
  readonly storageBytes: number
  readonly indexBytes: number
  /** On disk, by the index's name. */
  readonly indexes: Readonly<Record<string, number>>
  /** Since the record that `growthSince` names; null for a collection that was not there then. */
  readonly growth: { readonly documents: number; readonly storageBytes: number; readonly indexBytes: number } | null
}

export interface DatabaseSizes {
  readonly dataBytes: number
  readonly storageBytes: number
  readonly indexBytes: number
  /** Of the file system that the database is on; null where the server does not say. */
  readonly freeDiskBytes: number | null
  /** When the sizes that growth is measured from were taken; null at the first look. */
  readonly growthSince: Date | null
  /** The largest first. */
  readonly collections: readonly CollectionSize[]
}

const atOnce = 4

/**
 * How large the collections are, and how they have grown since the last look on a day before. One record a day is kept, for
 * 400 days. Asks the server once for each collection.
 */
export async function collectionSizes(
  admin: Admin,
  records: EntityCollection<SizeRecord>,
  now: Date,
): Promise<DatabaseSizes> {
  const stats = await admin.run({ dbStats: 1, freeStorage: 0 })
  const found = await currentSizes(admin)
  const before = await recordBefore(records, now)
  const then = new Map(before?.collections.map((one) => [one.name, one]))
  const collections = found
    .map((size) => ({ ...size, growth: growthOf(size, then.get(size.name)) }))
    .toSorted((a, b) => b.storageBytes + b.indexBytes - a.storageBytes - a.indexBytes)
  await keep(records, collections, now)
  const { fsTotalSize, fsUsedSize } = stats
  return {
    dataBytes: numberOf(stats.dataSize),
    storageBytes: numberOf(stats.storageSize),
    indexBytes: numberOf(stats.indexSize),
    freeDiskBytes: fsTotalSize === undefined ? null : numberOf(fsTotalSize) - numberOf(fsUsedSize),
    growthSince: before?.at ?? null,
    collections,
  }
}

/** How large the collections are now. */
export async function currentSizes(admin: Admin): Promise<CollectionSize[]> {
  const found: CollectionSize[] = []
  await forEachConcurrently(await names(admin), atOnce, async (name) => {
    found.push(...(await sizeOf(admin, name)))
  })
  return found
}

/** Views have no size. The buckets of a time series are its own collection, under another name. */
async function names({ database }: Admin): Promise<string[]> {
  const found = await database.native.listCollections({ type: { $ne: 'view' } }, { nameOnly: true }).toArray()
  return found.map(({ name }) => name).filter((name) => !name.startsWith('system.'))
}

async function sizeOf(admin: Admin, name: string): Promise<CollectionSize[]> {
  const found = await admin.aggregate(name, [{ $collStats: { storageStats: {} } }])
  if (found.length === 0) return []
  const stats = found.map(({ storageStats }) => (storageStats ?? {}) as Document)
  const sum = (field: string) => stats.reduce((total, one) => total + numberOf(one[field]), 0)
  const indexes = new Map<string, number>()
  for (const { indexSizes = {} } of stats)
    for (const [index, size] of Object.entries(indexSizes))
      indexes.set(index, (indexes.get(index) ?? 0) + numberOf(size))
  return [
    {
      name,
      documents: sum('count'),
      dataBytes: sum('size'),
      storageBytes: sum('storageSize'),
      indexBytes: sum('totalIndexSize'),
      indexes: Object.fromEntries(indexes),
      growth: null,
    },
  ]
}

const dayOf = (at: Date) => at.toISOString().slice(0, 10)

function recordBefore(records: EntityCollection<SizeRecord>, now: Date): Promise<SizeRecord | null> {
  return records.for('sizes').findOne({ day: { $lt: dayOf(now) } }, { sort: { day: -1 } })
}

function growthOf(now: CollectionSize, then: SizeRecord['collections'][number] | undefined): CollectionSize['growth'] {
  if (then === undefined) return null
  return {
    documents: now.documents - then.documents,
    storageBytes: now.storageBytes - then.storageBytes,
    indexBytes: now.indexBytes - then.indexBytes,
  }
}

/** Two processes that look on the same day write the same record. */
async function keep(
  records: EntityCollection<SizeRecord>,
  collections: readonly CollectionSize[],
  at: Date,
): Promise<void> {
  const kept = collections.map(({ name, documents, dataBytes, storageBytes, indexBytes }) => ({
    name,
    documents,
    dataBytes,
    storageBytes,
    indexBytes,
  }))
  await records.for('sizes').updateOne({ day: dayOf(at) }, { $set: { at, collections: kept } }, { upsert: true })
}
