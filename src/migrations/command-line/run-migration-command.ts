import { parseArgs } from 'node:util'
import { DatabaseError } from '../../core/errors.js'
import { isRecord } from '../../core/is-record.js'
import { printable } from '../../core/printable.js'
import { redactCredentials } from '../../core/redact.js'
import type { Migrations } from '../migrations.js'
import { MigrationError } from '../run/migration-error.js'
import type { CommandOptions, CommandResult, CommandStreams, CommandValues, MigrationCommand } from './command.js'
import { type MigrationCommandName, migrationCommands } from './commands.js'
import { progressOn } from './progress.js'
import { numberOf } from './values.js'

/** The options of every command about migrations. */
const commonOptions = { json: { type: 'boolean' }, wait: { type: 'string' } } as const

/**
 * Runs a command about migrations on a handle of the host's own, and prints what came of it.
 * @param args What stands behind the command's name on a command line, such as `['--steps', '2', '--yes']`.
 * @returns the exit code: 0 done, 1 something is wrong that somebody has to see to, 2 it could not be done. It does not throw
 * but for streams that cannot be written to: DatabaseError `CONFIGURATION`.
 * @example const exitCode = await runMigrationCommand(volt.migrations, 'migrate')
 */
export async function runMigrationCommand(
  migrations: Migrations,
  name: MigrationCommandName,
  args: readonly string[] = [],
  streams: CommandStreams = {},
): Promise<number> {
  const { out = process.stdout, errors = process.stderr } = requireStreams(streams)
  const progress = progressOn(errors)
  try {
    if (!Object.hasOwn(migrationCommands, name))
      throw new DatabaseError('CONFIGURATION', 'There is no such command about migrations')
    const command: MigrationCommand = migrationCommands[name]
    if (!Array.isArray(args) || !args.every((word) => typeof word === 'string'))
      throw new DatabaseError('CONFIGURATION', 'The words of a command line are texts')
    const { values, words } = parsed(command, args)
    const onEvent = values.json === true ? () => undefined : progress.onEvent
    const seconds = numberOf(values, 'wait')
    const locked = {
      onEvent,
      ...(seconds === undefined ? {} : { waitMs: seconds * 1000 }),
      ...(streams.signal === undefined ? {} : { signal: streams.signal }),
    }
    const given = await command.run({ migrations, values, words, locked })
    progress.end()
    out.write(printable(values.json === true ? `${JSON.stringify(given.result, null, 2)}\n` : textOf(given)))
    return given.isWrong === true ? 1 : 0
  } catch (error) {
    progress.end()
    errors.write(`${printable(messageOf(error))}\n`)
    return error instanceof MigrationError ? 1 : 2
  }
}

function requireStreams(streams: CommandStreams): CommandStreams {
  const isUsable = (stream: unknown) => stream === undefined || (isRecord(stream) && typeof stream.write === 'function')
  if (isRecord(streams) && isUsable(streams.out) && isUsable(streams.errors)) return streams
  throw new DatabaseError('CONFIGURATION', 'The streams of a command are objects with the function write')
}

function parsed(command: MigrationCommand, args: readonly string[]): { values: CommandValues; words: string[] } {
  const options: CommandOptions = { ...commonOptions, ...command.options }
  const { values, positionals: words } = parseArgs({ args: [...args], options, allowPositionals: true })
  if (words.length !== (command.words ?? 0)) {
    throw new DatabaseError(
      'CONFIGURATION',
      `The command is used as: ${command.usage || 'no words behind it'}; --help explains it`,
    )
  }
  return { values, words }
}

function textOf({ lines }: CommandResult): string {
  return lines.map((line) => `${line}\n`).join('')
}

function messageOf(error: unknown): string {
  const code = error instanceof DatabaseError ? ` (${error.code})` : ''
  return `${redactCredentials(error instanceof Error ? error.message : String(error))}${code}`
}
