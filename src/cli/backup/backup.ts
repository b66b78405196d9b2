import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import type { SliceSummary } from '../../backup/point-in-time/point-in-time.js'
import { DatabaseError } from '../../core/errors.js'
import { exitCode } from '../command.js'
import { guarded, print, withHandle } from './handle.js'
import { showBytes } from './progress.js'
import { commonOptions, storageOf, wholeNumber } from './settings.js'

const backupOptions = {
  ...commonOptions,
  collection: { type: 'string', multiple: true },
  plain: { type: 'boolean' },
  encrypt: { type: 'boolean' },
  'keep-days': { type: 'string' },
  'keep-all': { type: 'boolean' },
  slice: { type: 'boolean' },
} as const

export const runBackup = guarded(async (args, context) => {
  const { values } = parseArgs({ args: [...args], options: backupOptions })
  const days = wholeNumber('--keep-days', values['keep-days'] ?? context.env.BACKUP_RETENTION_DAYS)
  const { collection: collections, plain, encrypt = false } = values
  const compression = plain ? ('none' as const) : ('gzip' as const)
  const content = { compression, ...(collections === undefined ? {} : { collections }) }
  return withHandle(values, context, async (volt, { onProgress, end }) => {
    const common = { ...content, onProgress, signal: context.signal }
    if (values.storage === '-') {
      if (encrypt) throw new DatabaseError('CONFIGURATION', 'A stream is not encrypted: pipe it to a program that does')
      await pipeline(volt.backup.stream(common), context.out, { end: false, signal: context.signal })
      return exitCode.done
    }
    const storage = storageOf(values.storage, context.env)
    if (values.slice) {
      const slice = await volt.backup.slice({ storage, encrypt, signal: context.signal })
      print(context, values.json, slice, [slice === null ? 'nothing has happened since the last slice' : lineOf(slice)])
      return exitCode.done
    }
    const made = await volt.backup.create({ ...common, storage, encrypt })
    const report = await volt.backup.verify({ storage, backup: made.id, onProgress, signal: context.signal })
    const keep = days === undefined ? {} : { days }
    const { signal } = context
    const removed = values['keep-all'] || !report.valid ? null : await volt.backup.prune({ storage, keep, signal })
    const gone = removed?.decisions.filter(({ action }) => action === 'remove').map(({ id }) => id) ?? []
    const { bytes, content: described } = made
    end()
    print(context, values.json, { ...report, removed: gone }, [
      `${made.id}: ${described?.documents} documents, ${showBytes(bytes)} in ${storage.name}`,
      ...report.findings.map(({ path, problem }) => `damaged: ${path}: ${problem}`),
      ...gone.map((id) => `removed ${id}`),
    ])
    return report.valid ? exitCode.done : exitCode.wrong
  })
})

function lineOf({ id, source, entries, bytes, reachableUntil, unreplayable }: SliceSummary): string {
  const notes = unreplayable.map((what) => `\nnote: ${what} cannot be replayed: make a backup`)
  const of = source === 'oplog' ? '' : ' of a change stream'
  return `slice ${id}${of}: ${entries} entries, ${showBytes(bytes)}, reachable until ${reachableUntil.toISOString()}${notes.join('')}`
}
