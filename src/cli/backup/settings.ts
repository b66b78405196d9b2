import { folderStorage } from '../../backup/storage/folder-storage.js'
import { s3Storage } from '../../backup/storage/s3-storage.js'
import type { BackupStorage } from '../../backup/storage/storage.js'
import { DatabaseError } from '../../core/errors.js'
import type { CommandContext } from '../command.js'
import { contentOf } from '../connection.js'

/** Backup values: what the commands about backups have in common, as `parseArgs` gives it. */
export interface BackupValues {
  readonly db?: string | undefined
  readonly 'uri-file'?: string | undefined
  readonly storage?: string | undefined
  readonly keys?: string | undefined
  readonly 'signer-key'?: string | undefined
  readonly key?: readonly string[] | undefined
}

export const commonOptions = {
  db: { type: 'string' },
  'uri-file': { type: 'string' },
  storage: { type: 'string' },
  keys: { type: 'string' },
  'signer-key': { type: 'string' },
  key: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

/** @throws DatabaseError `CONFIGURATION`. */
export function storageOf(where: string | undefined, env: CommandContext['env']): BackupStorage {
  const place = where ?? env.BACKUP_DIR ?? './backups'
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(place) ?? []
  if (bucket === undefined) return folderStorage(place)
  const endpoint = env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL
  const folder = prefix === undefined || prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
  return s3Storage({ bucket, prefix: folder ?? '', ...(endpoint === undefined ? {} : { endpoint }) })
}

/** What the handle has to know of the ledger's log. @throws DatabaseError. */
export async function ledgerLogOf(values: BackupValues) {
  const signerKey = values['signer-key']
  return {
    signerKeys: signerKey === undefined ? [] : [await contentOf(signerKey)],
    verifierKeys: await verifierKeysOf(values),
  }
}

export async function verifierKeysOf({ key = [] }: BackupValues): Promise<string[]> {
  return Promise.all(key.map((given) => (/^[^+]+\+[0-9a-f]{8}\+/.test(given) ? given : contentOf(given))))
}

/** A whole number that is not negative. @throws DatabaseError `CONFIGURATION`. */
export function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,6}$/.test(text))
    throw new DatabaseError('CONFIGURATION', `${name} is a whole number, and not ${JSON.stringify(text)}`)
  return Number(text)
}
