import { hash, randomBytes } from 'node:crypto'

/** What a backup's id looks like: when it was begun, and something random, for two may begin at once. */
export const backupIdPattern = /^autovolt_backup_\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{3}Z_[0-9a-f]{6}$/

/** What the paths of all backups begin with. */
export const backupIdPrefix = 'autovolt_backup_'

/** Where slices are, beside the backups. */
export const sliceFolder = 'slices'

export function newBackupId(now: Date): string {
  const instant = now.toISOString().replace(/[:.]/g, '-')
  return `${backupIdPrefix}${instant}_${randomBytes(3).toString('hex')}`
}

/** When the backup was begun, as its id says. */
export function instantOfId(id: string): Date {
  const [day = '', time = ''] = id.slice(backupIdPrefix.length, -'_000000'.length).split('T')
  const [hours, minutes, seconds, milliseconds = ''] = time.split('-')
  return new Date(`${day}T${hours}:${minutes}:${seconds}.${milliseconds}`)
}

export const manifestName = 'manifest.json'
export const keyName = 'key.txt'
/** Where the key ring binds the data key to that is in a folder: of a backup its id, of a slice where it is. */
export function keyPlace(folder: string): string {
  return `backup/${folder}`
}

export const preludeName = 'prelude.json'
/** The namespace of an archive that has its manifest: mongorestore leaves collections alone that begin with a dollar sign. */
export const manifestCollection = '$autovolt.manifest'

/** File form: how the name of a file says what was done with its content. */
export interface FileForm {
  readonly isCompressed: boolean
  readonly isSealed: boolean
}

export function suffixOf({ isCompressed, isSealed }: FileForm): string {
  return `${isCompressed ? '.gz' : ''}${isSealed ? '.sealed' : ''}`
}

/** The name of a collection's file of documents, as mongodump has it. */
export function dataFileOf(database: string, collection: string): string {
  return `${database}/${escapedName(collection)}.bson`
}

/** The name of the file with a collection's options and indexes, as mongodump has it. */
export function metadataFileOf(database: string, collection: string): string {
  return `${database}/${escapedName(collection)}.metadata.json`
}

const longestEscapedName = 238
const keptOfLongName = 208

/** A file name holds 255 bytes: of a longer one mongodump keeps the beginning, and a hash of the whole. */
function escapedName(collection: string): string {
  const escaped = encodeURIComponent(collection)
  if (escaped.length <= longestEscapedName) return escaped
  const digest = hash('sha1', collection, 'buffer').toString('base64url')
  return `${escaped.slice(0, keptOfLongName)}%24${digest}`
}
