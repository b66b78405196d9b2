import { DatabaseError } from '../../core/errors.js'
import { type BackupCollection, type BackupContent, storedName } from '../format/manifest.js'

/** Merge conflict: what becomes of a document whose id is there already. */
export type MergeConflict = 'skip' | 'replace' | 'fail'

/** Restore target: where a backup is restored to. */
export type RestoreTarget =
  /** A database that has no collections yet. */
  | { readonly into: string }
  /** The database of the handle: each collection of the backup takes the place of the one that is there. */
  | { readonly inPlace: 'replace' }
  /** The database of the handle: documents are added by their ids, and those that are there skipped, replaced, or refused. */
  | { readonly inPlace: 'merge'; readonly onConflict: MergeConflict }

export interface PlanOptions {
  /** Only these collections, by their names in the backup. @default all */
  readonly collections?: readonly string[]
  /** Other names for collections, by their names in the backup. */
  readonly rename?: Readonly<Record<string, string>>
}

/** A collection that is to be restored, and where to. */
export interface PlannedRestore {
  readonly collection: BackupCollection
  /** What it will be called. */
  readonly name: string
}

/** By bytes of a namespace, of the server. */
const longestNamespace = 255

/**
 * Views come last, for they are made of others.
 * @param left Collections of the library that say what processes do at this moment: they are in no backup of ours, and of
 * other dumps they are left out.
 * @throws DatabaseError `CONFIGURATION` for a collection that the backup does not have, or a name that cannot be.
 */
export function planRestore(
  content: Pick<BackupContent, 'collections'>,
  { collections, rename = {} }: PlanOptions,
  database: string,
  left: readonly string[],
): PlannedRestore[] {
  const known = new Set(content.collections.map(({ name }) => name))
  const unknown = [...(collections ?? []), ...Object.keys(rename)].find((name) => !known.has(name))
  if (unknown !== undefined) throw new DatabaseError('CONFIGURATION', `The backup has no collection ${unknown}`)
  const planned = content.collections
    .filter(({ name }) => !left.includes(name) && (collections?.includes(name) ?? true))
    .map((collection) => ({ collection, name: rename[collection.name] ?? collection.name }))
  for (const { name, collection } of planned) requireName(name, collection, database)
  const names = planned.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new DatabaseError('CONFIGURATION', `Two collections would be restored as ${twice}`)
  return planned.toSorted((a, b) => Number(isView(a)) - Number(isView(b)))
}

export function isView({ collection }: PlannedRestore): boolean {
  return collection.type === 'view'
}

export function isTimeSeries({ collection }: PlannedRestore): boolean {
  return collection.type === 'timeseries'
}

function requireName(name: string, { type }: BackupCollection, database: string): void {
  const isOfServer = name.startsWith('system.') && name !== 'system.js'
  const namespace = `${database}.${storedName(name, type) ?? name}`
  if (name === '' || isOfServer || /[$\0]/.test(name) || Buffer.byteLength(namespace) > longestNamespace)
    throw new DatabaseError('CONFIGURATION', `A collection cannot be restored as ${JSON.stringify(name)}`)
}
