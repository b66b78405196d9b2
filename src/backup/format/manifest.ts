import { z } from 'zod'
import { json } from '../../core/fields.js'
import { FormatError } from './format-error.js'
import { backupIdPattern, dataFileOf, metadataFileOf, preludeName, suffixOf } from './names.js'
import { parseSignedJson, type SignedJson, signedJsonSchema } from './signed-json.js'

const sha256 = () => z.string().regex(/^[0-9a-f]{64}$/)
const count = () => z.int().min(0)
const instant = () => z.iso.datetime({ precision: 3 })

/** What a database can be called. */
export const databaseNamePattern = /^[^/\\. "$*<>:|?\0]{1,63}$/

/** A value of MongoDB as Extended JSON (canonical), so that no number changes its type. */
const extendedJson = () => z.record(z.string(), json())

const collectionSchema = z.strictObject({
  name: z.string().min(1).max(255),
  type: z.enum(['collection', 'timeseries', 'view']),
  /** False for what cannot be read at a cluster time, capped collections: read as it was at some moment of the backup. */
  isAtClusterTime: z.boolean(),
  /** As `listCollections` gives them. */
  options: extendedJson(),
  /** As `listIndexes` gives them; of a time-series collection those of its own view of the buckets. */
  indexes: z.array(extendedJson()),
  /** How many documents there are; of a time-series collection, how many buckets. */
  documents: count(),
  /** The bytes of the documents, neither compressed nor sealed. */
  bsonBytes: count(),
  /** The file of the documents; null for a view. */
  dataFile: z.string().nullable(),
  metadataFile: z.string(),
})

const fileSchema = z.strictObject({
  path: z.string().max(1000),
  /** As stored: compressed and sealed. */
  bytes: count(),
  sha256: sha256(),
})

const contentSchema = z.strictObject({
  format: z.literal('autovolt-backup/1'),
  id: z.string().regex(backupIdPattern),
  database: z.string().regex(databaseNamePattern),
  startedAt: instant(),
  finishedAt: instant(),
  /** What all collections are as of; null for a dump that was made by another tool. */
  clusterTime: z.strictObject({ seconds: count(), increment: count() }).nullable(),
  /** Which replica set or cluster the time is of. */
  replicaSet: z.string().nullable(),
  /** Whether it has all collections of the database, and not only chosen ones: slices go on from such a backup only. */
  isWhole: z.boolean(),
  /** Which history of the database it is of: a restore begins a new one. Null for a dump that was made by another tool. */
  timeline: z.string().min(1).max(100).nullable(),
  serverVersion: z.string(),
  featureCompatibilityVersion: z.string().nullable(),
  packageVersion: z.string(),
  compression: z.enum(['gzip', 'none']),
  encryption: z.enum(['AES-256-GCM', 'none']),
  /** The newest checkpoint of the ledger in the backup, a signed note; null if there is none. */
  checkpoint: z.string().nullable(),
  collections: z.array(collectionSchema),
  /** Each with what is stored of it; none of an archive. */
  files: z.array(fileSchema),
  /** Of an archive, what is stored of it before the manifest; null for a backup of files. */
  archive: z.strictObject({ bytes: count(), sha256: sha256() }).nullable(),
})

/** Backup content: what a backup consists of. */
export type BackupContent = z.infer<typeof contentSchema>
export type BackupCollection = z.infer<typeof collectionSchema>
export type BackupFile = z.infer<typeof fileSchema>

export type Manifest = SignedJson<BackupContent>

const manifestSchema = signedJsonSchema(contentSchema)

/** @throws FormatError if a byte is other than it was written, or it says what cannot be. */
export function parseManifest(text: string): Manifest {
  const manifest = parseSignedJson(text, manifestSchema)
  requireOwnFiles(manifest.content)
  return manifest
}

/** Paths are those that we give, each once: none leads out of the backup, and no two collections share a file. */
function requireOwnFiles(content: BackupContent): void {
  const form = formOf(content)
  const expected: string[] = [`${preludeName}${suffixOf(form)}`]
  for (const { name, type, dataFile, metadataFile } of content.collections) {
    const { data, metadata } = filesOf(content, name, type)
    if (dataFile !== data || metadataFile !== metadata) throw new FormatError(`the files of ${name} are not its own`)
    expected.push(metadata, ...(data === null ? [] : [data]))
  }
  const listed = content.files.map(({ path }) => path)
  if (content.archive !== null) expected.length = 0
  const isSame = listed.length === expected.length && listed.toSorted().join('\n') === expected.toSorted().join('\n')
  if (!isSame || new Set(listed).size !== listed.length)
    throw new FormatError('its files are not those of its collections')
}

export function formOf({ compression, encryption }: Pick<BackupContent, 'compression' | 'encryption'>) {
  return { isCompressed: compression === 'gzip', isSealed: encryption !== 'none' }
}

/** Where the documents and the metadata of a collection are. */
export function filesOf(
  content: Pick<BackupContent, 'database' | 'compression' | 'encryption'>,
  name: string,
  type: BackupCollection['type'],
): { readonly data: string | null; readonly metadata: string } {
  const suffix = suffixOf(formOf(content))
  const stored = storedName(name, type)
  return {
    data: stored === null ? null : `${dataFileOf(content.database, stored)}${suffix}`,
    metadata: `${metadataFileOf(content.database, name)}${suffix}`,
  }
}

/** The collection whose documents are dumped; null for a view, which has none. */
export function storedName(name: string, type: BackupCollection['type']): string | null {
  if (type === 'view') return null
  return type === 'timeseries' ? `system.buckets.${name}` : name
}
