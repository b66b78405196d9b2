import type { AutoVolt } from '../../autovolt.js'
import { DatabaseError } from '../../core/errors.js'
import { printable } from '../../core/printable.js'
import type { Command, CommandContext } from '../command.js'
import { openHandle, reportError } from '../connection.js'
import { type Progress, progressOn } from './progress.js'
import { type BackupValues, ledgerLogOf } from './settings.js'

/** A command whose errors are a line for people, with the code of what could not be done. */
export function guarded(run: Command['run']): Command['run'] {
  return async (args, context) => {
    try {
      return await run(args, context)
    } catch (error) {
      return reportError(error, context)
    }
  }
}

/** Works with a handle that is closed afterwards. Where the result is JSON nothing else is shown. */
export async function withHandle(
  values: BackupValues & { readonly json?: boolean | undefined },
  context: CommandContext,
  work: (volt: AutoVolt, progress: Progress) => Promise<number>,
): Promise<number> {
  const progress = progressOn(context.errors)
  const volt = await openHandle(values, context, { ledgerLog: await ledgerLogOf(values) })
  try {
    return await work(volt, values.json ? { ...progress, onProgress: () => undefined } : progress)
  } finally {
    progress.end()
    await volt.close()
  }
}

/** Prints a result: as JSON, or as lines. */
export function print(
  { out }: CommandContext,
  asJson: boolean | undefined,
  result: unknown,
  lines: readonly string[],
): void {
  out.write(`${printable(asJson ? JSON.stringify(result, null, 2) : lines.join('\n'))}\n`)
}

/** The one backup that is named. @throws DatabaseError `CONFIGURATION` for several. */
export function oneOf([which = 'latest', ...more]: readonly string[]): string {
  if (more.length > 0) throw new DatabaseError('CONFIGURATION', `One backup is named, and not also ${more.join(', ')}`)
  return which
}
