import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { databaseNamePattern } from '../format/manifest.js'
import { backupIdPattern, keyName, sliceFolder, suffixOf } from '../format/names.js'
import { signedJsonSchema } from '../format/signed-json.js'
import type { Position } from './position.js'

const sha256 = () => z.string().regex(/^[0-9a-f]{64}$/)
const count = () => z.int().min(0)
const position = { seconds: count(), increment: count() }
/** Where a slice begins or ends. What the entry there is, its term and its bytes, no other history has. */
const edge = () => z.strictObject({ ...position, term: z.int(), sha256: sha256() })

const contentSchema = z.strictObject({
  format: z.literal('autovolt-slice/1'),
  id: z.string().max(200),
  database: z.string().regex(databaseNamePattern),
  /** Which history of the database it is of: a restore begins a new one. */
  timeline: z.string().min(1).max(100),
  replicaSet: z.string().nullable(),
  serverVersion: z.string(),
  packageVersion: z.string(),
  createdAt: z.iso.datetime({ precision: 3 }),
  /** A change stream shows nothing of time series, and is only for roles that may not read the oplog. */
  source: z.enum(['oplog', 'changeStream']),
  /** Where a change stream goes on from, as Extended JSON; null for the oplog, and before there was an event. */
  resumeToken: z.record(z.string(), z.json()).nullable(),
  /** The last entry before it: that which the slice before ends with. Of the first after a backup its cluster time. */
  after: z.strictObject({ ...position, term: z.int().nullable(), sha256: sha256().nullable() }),
  /** The last entry of the oplog that it reaches to, of whichever database. */
  last: edge(),
  /** The SHA-256 of the manifest of the slice before; null for the first of a chain. */
  previous: sha256().nullable(),
  /** The backup that the chain begins with. */
  base: z.string().regex(backupIdPattern),
  /** Entries that are of this database. */
  entries: count(),
  bsonBytes: count(),
  /** What cannot be done once more: no instant from then on can be reached from a backup before. */
  unreplayable: z.array(z.strictObject({ ...position, what: z.string().max(500) })).max(1000),
  encryption: z.enum(['AES-256-GCM', 'none']),
  file: z.strictObject({ path: z.string().max(200), bytes: count(), sha256: sha256() }),
})

/** Slice content: what a slice of the oplog consists of. */
export type SliceContent = z.infer<typeof contentSchema>

export const sliceManifestSchema = signedJsonSchema(contentSchema)
export const sliceManifestName = 'slice.json'

export function entriesName(isSealed: boolean): string {
  return `entries.bson${suffixOf({ isCompressed: true, isSealed })}`
}

/** What the paths of all slices of a database begin with. */
export function slicesPrefix(database: string): string {
  return `${sliceFolder}/${database}/`
}

export function sliceFolderOf({ database, timeline, id }: Pick<SliceContent, 'database' | 'timeline' | 'id'>): string {
  return `${slicesPrefix(database)}${timeline}/${id}`
}

/** Sorted by name slices are sorted by time. Two that are the same differ by something random. */
export function newSliceId(after: Position, last: Position): string {
  return `${showPosition(after)}_${showPosition(last)}_${randomBytes(3).toString('hex')}`
}

function showPosition({ seconds, increment }: Position): string {
  return `${String(seconds).padStart(10, '0')}-${String(increment).padStart(10, '0')}`
}

const pathPattern = /^slices\/([^/]+)\/([^/]+)\/((\d{10})-(\d{10})_(\d{10})-(\d{10})_[0-9a-f]{6})\/([^/]+)$/

/** A file of a slice by its path; undefined for what is none. */
export function parseSlicePath(path: string) {
  const [, database = '', timeline = '', id = '', ...rest] = pathPattern.exec(path) ?? []
  const file = rest[4] ?? ''
  const isOwn = [sliceManifestName, keyName, entriesName(false), entriesName(true)].includes(file)
  if (!isOwn) return undefined
  const [fromSeconds, fromIncrement, toSeconds, toIncrement] = rest.map(Number)
  return {
    database,
    timeline,
    id,
    file,
    after: { seconds: fromSeconds ?? 0, increment: fromIncrement ?? 0 },
    last: { seconds: toSeconds ?? 0, increment: toIncrement ?? 0 },
  }
}
