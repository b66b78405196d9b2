import { type ReachableInstants, reachableInstants, readHistory } from '../../backup/point-in-time/instants.js'
import { listBackups } from '../../backup/read/list-backups.js'
import { StorageAccess } from '../../backup/storage/storage-access.js'
import { VerifierKey } from '../../ledger/log/signed-note.js'
import { type CommandContext, exitCode } from '../command.js'
import { print } from './handle.js'
import { type BackupValues, storageOf, verifierKeysOf } from './settings.js'

/** Prints the instants that a restore can bring back, of one database or of all. Needs no database. */
export async function listInstants(
  values: BackupValues & { readonly json?: boolean | undefined },
  context: CommandContext,
): Promise<number> {
  const storage = new StorageAccess(storageOf(values.storage, context.env))
  const verifierKeys = (await verifierKeysOf(values)).map((key) => VerifierKey.parse(key))
  const named = (await listBackups(storage)).flatMap(({ content }) => content?.database ?? [])
  const databases = values.db === undefined ? [...new Set(named)] : [values.db]
  const found = new Map<string, ReachableInstants>()
  for (const database of databases)
    found.set(database, reachableInstants(await readHistory(storage, database, verifierKeys)))
  const lines = [...found].flatMap(([database, instants]) => linesOf(database, instants))
  const none = `no instant between backups can be restored from ${storage.name}: slices are made by "autovolt backup --slice"`
  print(context, values.json, Object.fromEntries(found), lines.length === 0 ? [none] : lines)
  return [...found.values()].some(({ findings }) => findings.length > 0) ? exitCode.wrong : exitCode.done
}

function linesOf(database: string, { spans, findings }: ReachableInstants): string[] {
  const show = (instant: Date) => instant.toISOString().replace('.000Z', 'Z')
  return [
    ...spans.map(({ from, to, backups }) => `${database}: ${show(from)} to ${show(to)}, from ${backups.join(', ')}`),
    ...findings.map(({ path, problem }) => `damaged: ${path}: ${problem}`),
  ]
}
