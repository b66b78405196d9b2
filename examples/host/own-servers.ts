import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AttachOptions, fileAnchor } from '@autovolt/data'
import { generateLogKeys } from '@autovolt/data/ledger'

const exampleDatabase = 'autovolt_host_example'
const logName = 'host.example/energy'
const keptFile = (name: string) => fileURLToPath(new URL(`../../.cache/${name}`, import.meta.url))
const keyFile = keptFile('host-app.key')

/** Where a server is, without user name, password and options. */
export function placeOf(url: string): string {
  const hosts = /^[a-z0-9+.-]+:\/\/(?:.*@)?([^/?]+)/i.exec(url)?.[1]
  return hosts ?? 'an address that cannot be read'
}

/** The database that the connection string names, else one for this example. */
export function databaseIn(uri: string): string {
  return /^mongodb(?:\+srv)?:\/\/(?:.*@)?[^/?]+\/([^?/]+)/i.exec(uri)?.[1] ?? exampleDatabase
}

/**
 * The key that secrets are sealed with. A database that is kept needs the same one the next time, so it is made once and
 * put into a file that only this user can read. A real service takes it from where it keeps its keys.
 */
export async function keptKey(): Promise<Uint8Array> {
  const kept = await readFile(keyFile).catch(() => undefined)
  if (kept?.length === 32) return kept
  const key = randomBytes(32)
  await mkdir(dirname(keyFile), { recursive: true })
  await writeFile(keyFile, key, { mode: 0o600 })
  return key
}

export type LedgerLog = NonNullable<AttachOptions['ledgerLog']>

/** Signs checkpoints with a key of this run, and keeps them in a file outside the database. */
export function ledgerLogOfThisRun(folder: string): LedgerLog {
  const { signerKey } = generateLogKeys(logName)
  return { signerKeys: [signerKey], anchors: [fileAnchor(`${folder}/checkpoints.jsonl`)] }
}

/** As {@link ledgerLogOfThisRun}, for a database that is kept: each has a key and a file of its own, also the next time. */
export async function keptLedgerLog(dbName: string): Promise<LedgerLog> {
  const signerFile = keptFile(`host-app-${dbName}.signer`)
  let signerKey = await readFile(signerFile, 'utf8').catch(() => undefined)
  if (signerKey === undefined) {
    signerKey = generateLogKeys(logName).signerKey
    await mkdir(dirname(signerFile), { recursive: true })
    await writeFile(signerFile, signerKey, { mode: 0o600 })
  }
  return { signerKeys: [signerKey], anchors: [fileAnchor(keptFile(`host-app-${dbName}.checkpoints.jsonl`))] }
}
