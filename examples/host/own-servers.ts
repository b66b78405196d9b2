import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const exampleDatabase = 'autovolt_host_example'
const keyFile = fileURLToPath(new URL('../../.cache/host-app.key', import.meta.url))

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
