import { parseArgs } from 'node:util'
import { importDump } from '../../backup/import/import-dump.js'
import type { KeepOptions } from '../../backup/keep/keep-plan.js'
import { resealBackupKeys } from '../../backup/keep/reseal-keys.js'
import { type BackupSummary, instantOf, listBackups } from '../../backup/read/list-backups.js'
import type { BackupStorage } from '../../backup/storage/storage.js'
import { StorageAccess } from '../../backup/storage/storage-access.js'
import { DatabaseError } from '../../core/errors.js'
import { type CommandContext, exitCode } from '../command.js'
import { keysOf } from '../connection.js'
import { guarded, print, withHandle } from './handle.js'
import { showBytes } from './progress.js'
import { type BackupValues, commonOptions, storageOf, wholeNumber } from './settings.js'

const listOptions = {
  ...commonOptions,
  import: { type: 'string' },
  reseal: { type: 'boolean' },
  prune: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  'keep-days': { type: 'string' },
  'keep-last': { type: 'string' },
  'keep-daily': { type: 'string' },
  'keep-weekly': { type: 'string' },
  'keep-monthly': { type: 'string' },
  'keep-yearly': { type: 'string' },
} as const

export const runBackups = guarded(async (args, context) => {
  const { values } = parseArgs({ args: [...args], options: listOptions })
  const storage = storageOf(values.storage, context.env)
  if (values.import !== undefined)
    await importDump({
      from: values.import,
      storage,
      ...(values.db === undefined ? {} : { database: values.db }),
      signal: context.signal,
    })
  if (values.reseal) return reseal(storage, values, context)
  if (!values.prune) {
    const found = await listBackups(new StorageAccess(storage))
    print(context, values.json, found, found.length === 0 ? [`no backups in ${storage.name}`] : found.map(lineOf))
    return exitCode.done
  }
  return withHandle(values, context, async (volt) => {
    const keep = keepOf(values, context.env)
    const report = await volt.backup.prune({
      storage,
      keep,
      dryRun: values['dry-run'] ?? false,
      signal: context.signal,
    })
    const lines = report.decisions.map(({ id, action, reasons }) => `${action} ${id}: ${reasons.join(', ')}`)
    print(context, values.json, report, lines)
    return exitCode.done
  })
})

async function reseal(
  storage: BackupStorage,
  values: BackupValues & { readonly json?: boolean | undefined },
  context: CommandContext,
): Promise<number> {
  const keys = await keysOf(values.keys, context.env)
  if (keys === undefined) throw new DatabaseError('CONFIGURATION', 'Give the key ring: --keys FILE, or AUTOVOLT_KEYS')
  const report = await resealBackupKeys({ storage, keys })
  print(context, values.json, report, [
    `${report.resealed} keys sealed with ${keys.active}, ${report.current} were already`,
    ...report.failed.map(({ path, problem }) => `failed: ${path}: ${problem}`),
  ])
  return report.failed.length === 0 ? exitCode.done : exitCode.wrong
}

function lineOf({ id, state, bytes, content }: BackupSummary): string {
  const what = content === null ? state : `${content.database}, ${content.documents} documents, ${instantText(content)}`
  return `${id}  ${showBytes(bytes).padStart(10)}  ${what}`
}

function instantText(content: NonNullable<BackupSummary['content']>): string {
  return new Date(instantOf(content)).toISOString()
}

const rules = ['days', 'last', 'daily', 'weekly', 'monthly', 'yearly'] as const

function keepOf(values: Readonly<Record<string, unknown>>, env: CommandContext['env']): KeepOptions {
  const given = rules.flatMap((rule) => {
    const value = values[`keep-${rule}`] ?? (rule === 'days' ? env.BACKUP_RETENTION_DAYS : undefined)
    const count = typeof value === 'string' ? wholeNumber(`--keep-${rule}`, value) : undefined
    return count === undefined ? [] : [[rule, count] as const]
  })
  return Object.fromEntries(given)
}
