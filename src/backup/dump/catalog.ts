import { isDeepStrictEqual } from 'node:util'
import { BSON, type Db, type Document } from 'mongodb'
import type { BackupCollection } from '../format/manifest.js'

/** A collection as the server describes it, in Extended JSON. */
export interface CatalogEntry extends Pick<BackupCollection, 'name' | 'type' | 'options' | 'indexes'> {
  /** In hexadecimal; undefined for a view, and for a time-series collection, which is a view of its buckets. */
  readonly uuid: string | undefined
  /** Of a time-series collection those of its buckets. */
  readonly dataUuid: string | undefined
  readonly isCapped: boolean
}

/** As the server sends it: no number changes its type, no regular expression its flags. */
const unpromoted = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const

/** The collections of a database by name, with their options and indexes; the server's own are left out. */
export async function readCatalog(database: Db): Promise<CatalogEntry[]> {
  const listed: Document[] = await database.listCollections({}, unpromoted).toArray()
  const uuids = new Map(
    listed.map(({ name, info }) => [String(name), info?.uuid?.toString('hex') as string | undefined]),
  )
  const entries: CatalogEntry[] = []
  for (const { name, type, options = {} } of listed) {
    if (!isDumped(String(name))) continue
    entries.push({
      name: String(name),
      type: type as CatalogEntry['type'],
      options: extendedJson(options),
      indexes: type === 'view' ? [] : await readIndexes(database, String(name)),
      uuid: uuids.get(String(name)),
      dataUuid: uuids.get(type === 'timeseries' ? `system.buckets.${name}` : String(name)),
      isCapped: Boolean(options.capped),
    })
  }
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** What begins with `system.` is the server's, but for stored functions; views and buckets come under their own names. */
function isDumped(name: string): boolean {
  return !name.startsWith('system.') || name === 'system.js'
}

async function readIndexes(database: Db, collection: string): Promise<CatalogEntry['indexes']> {
  const indexes: Document[] = await database.collection<Document>(collection).listIndexes(unpromoted).toArray()
  return indexes.map(({ ns, ...index }) => extendedJson(index))
}

function extendedJson(document: Document): CatalogEntry['options'] {
  return BSON.EJSON.serialize(document, { relaxed: false }) as CatalogEntry['options']
}

export function isSameCatalog(one: readonly CatalogEntry[], other: readonly CatalogEntry[]): boolean {
  return isDeepStrictEqual(one, other)
}

/** Those of the entries whose data are no longer under their name: dropped, renamed or created anew. */
export function goneFrom(entries: readonly CatalogEntry[], now: readonly CatalogEntry[]): CatalogEntry[] {
  const known = new Map(now.map(({ name, dataUuid }) => [name, dataUuid]))
  return entries.filter(({ name, dataUuid }) => !known.has(name) || known.get(name) !== dataUuid)
}
