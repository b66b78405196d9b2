import type { Document, MongoClient } from 'mongodb'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import { type Admin, numberOf } from '../admin.js'
import { onEachMember } from './members.js'

/** How often a member has used an index since when. */
export interface IndexUseOnMember {
  readonly host: string
  readonly uses: number
  /** When the member began to count: at its start, or when the index was built or hidden. */
  readonly since: Date
}

/** Index use: an index of a collection, with what each member that could be asked says of it. */
export interface IndexUse {
  readonly collection: string
  readonly name: string
  readonly key: Readonly<Record<string, unknown>>
  /** How it was declared: `unique`, `partialFilterExpression`, `expireAfterSeconds`, `hidden` and so on. */
  readonly options: Readonly<Record<string, unknown>>
  readonly sizeBytes: number
  readonly members: readonly IndexUseOnMember[]
  /** The members that could not be asked. */
  readonly unreached: readonly string[]
}

type UseByIndex = ReadonlyMap<string, { readonly uses: number; readonly since: Date }>

const atOnce = 4

/** The indexes of the collections, with their use on all members that can be reached. */
export async function indexUse(admin: Admin, collections: readonly string[]): Promise<IndexUse[]> {
  const { native } = admin.database
  const looks = await onEachMember(admin, (client) => useOn(client, native.databaseName, collections))
  const found: IndexUse[] = []
  await forEachConcurrently([...collections], atOnce, async (collection) => {
    const [stats] = await admin.aggregate(collection, [{ $collStats: { storageStats: {} } }])
    const sizes: Document = stats?.storageStats?.indexSizes ?? {}
    for (const { v: _, key, name, ...options } of await native.collection(collection).indexes()) {
      const of = `${collection} ${name}`
      found.push({
        collection,
        name: String(name),
        key: key as Record<string, unknown>,
        options,
        sizeBytes: numberOf(sizes[String(name)]),
        members: looks.flatMap(({ host, result }) => {
          const use = result?.get(of)
          return use === undefined ? [] : [{ host, ...use }]
        }),
        unreached: looks.filter(({ result }) => result === null).map(({ host }) => host),
      })
    }
  })
  return found.toSorted((a, b) => `${a.collection} ${a.name}`.localeCompare(`${b.collection} ${b.name}`))
}

async function useOn(client: MongoClient, dbName: string, collections: readonly string[]): Promise<UseByIndex> {
  const uses = new Map<string, { uses: number; since: Date }>()
  await forEachConcurrently([...collections], atOnce, async (collection) => {
    const found = await client
      .db(dbName)
      .collection(collection)
      .aggregate([{ $indexStats: {} }])
      .toArray()
    for (const { name, accesses } of found) {
      const of = `${collection} ${name}`
      // Of a sharded cluster each shard says something.
      const known = uses.get(of)
      const since = accesses.since as Date
      uses.set(of, {
        uses: numberOf(accesses.ops) + (known?.uses ?? 0),
        since: known !== undefined && known.since < since ? since : (known?.since ?? since),
      })
    }
  })
  return uses
}
