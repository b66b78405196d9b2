import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { MergeConflict, RestoreTarget } from '../../backup/restore/restore-plan.js'
import { DatabaseError } from '../../core/errors.js'
import type { ErasedPerson } from '../../privacy/index.js'
import { exitCode } from '../command.js'
import { guarded, oneOf, print, withHandle } from './handle.js'
import { listInstants } from './instants.js'
import { commonOptions, storageOf } from './settings.js'

const restoreOptions = {
  ...commonOptions,
  to: { type: 'string' },
  list: { type: 'boolean' },
  into: { type: 'string' },
  drop: { type: 'boolean' },
  merge: { type: 'string' },
  collection: { type: 'string', multiple: true },
  rename: { type: 'string', multiple: true },
  erase: { type: 'string' },
  'erased-people': { type: 'string' },
  'dry-run': { type: 'boolean' },
} as const

export const runRestore = guarded(async (args, context) => {
  const { values, positionals } = parseArgs({ args: [...args], options: restoreOptions, allowPositionals: true })
  if (values.list) return listInstants(values, context)
  const { collection: collections, erase, 'erased-people': people } = values
  const target = targetOf(values)
  // The new database is the handle's own, where no other is named.
  return withHandle({ ...values, db: values.db ?? values.into }, context, async (volt, { onProgress, end }) => {
    const report = await volt.backup.restore({
      storage: storageOf(values.storage, context.env),
      backup: oneOf(positionals),
      ...(values.to === undefined ? {} : { to: values.to }),
      target,
      rename: renameOf(values.rename),
      dryRun: values['dry-run'] ?? false,
      ...(collections === undefined ? {} : { collections }),
      ...(erase === undefined ? {} : { erase: linesOf(erase) }),
      ...(people === undefined ? {} : { erasedPeople: peopleIn(people) }),
      onProgress,
      signal: context.signal,
    })
    const documents = report.collections.reduce((sum, one) => sum + (one.documents ?? 0), 0)
    end()
    const done = report.dryRun ? 'would be restored' : 'restored'
    print(context, values.json, report, [
      `${report.backupId}: ${report.collections.length} collections with ${documents} documents ${done} into ${report.database}`,
      ...report.caveats.map((caveat) => `note: ${caveat}`),
    ])
    return report.valid ? exitCode.done : exitCode.wrong
  })
})

const conflicts: readonly string[] = ['skip', 'replace', 'fail'] satisfies MergeConflict[]

function targetOf(values: {
  readonly into?: string | undefined
  readonly drop?: boolean | undefined
  readonly merge?: string | undefined
}): RestoreTarget {
  const { into, drop, merge } = values
  if ([into, drop, merge].filter((one) => one !== undefined).length !== 1)
    throw new DatabaseError(
      'CONFIGURATION',
      'Say where to: --into NAME for a new database, or --drop or --merge for the one that there is',
    )
  if (into !== undefined) return { into }
  if (merge === undefined) return { inPlace: 'replace' }
  if (!conflicts.includes(merge))
    throw new DatabaseError('CONFIGURATION', '--merge is followed by skip, replace or fail')
  return { inPlace: 'merge', onConflict: merge as MergeConflict }
}

function renameOf(given: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    given.map((one) => {
      const at = one.indexOf('=')
      if (at < 1) throw new DatabaseError('CONFIGURATION', '--rename is followed by OLD=NEW')
      return [one.slice(0, at), one.slice(at + 1)]
    }),
  )
}

async function* linesOf(file: string): AsyncGenerator<string, void, undefined> {
  for await (const line of createInterface({ input: createReadStream(file) })) if (line.trim() !== '') yield line.trim()
}

/** A person a line, as JSON: what `volt.privacy.erased()` gives. */
async function* peopleIn(file: string): AsyncGenerator<ErasedPerson, void, undefined> {
  for await (const line of linesOf(file)) yield personIn(line)
}

function personIn(line: string): ErasedPerson {
  try {
    const { subject, requestedAt }: { subject: string; requestedAt: string } = JSON.parse(line)
    return { subject, requestedAt: new Date(requestedAt) }
  } catch (cause) {
    throw new DatabaseError('CONFIGURATION', '--erased-people has a line that is no JSON', { cause })
  }
}
