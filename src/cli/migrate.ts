import { resolve } from 'node:path'
import { DatabaseError } from '../core/errors.js'
import type { MigrationCommand } from '../migrations/command-line/command.js'
import { type MigrationCommandName, migrationCommands } from '../migrations/command-line/commands.js'
import { runMigrationCommand } from '../migrations/command-line/run-migration-command.js'
import type { MigrationOptions } from '../migrations/options.js'
import type { Command, CommandContext } from './command.js'
import { connectionHelp, reportError, takeOptions, withHandle } from './connection.js'

const options = {
  folder: { type: 'string' },
  seeds: { type: 'string' },
  late: { type: 'string' },
  actor: { type: 'string' },
} as const

const commonHelp = `
  --folder DIR        the host's migrations, a file for each; TypeScript needs a loader: node --import tsx
                      node_modules/.bin/autovolt ...
  --seeds DIR         the host's sample data, a file for each
  --late run|refuse   what becomes of a migration of the host's that is not applied though later ones are      [refuse]
  --actor NAME        who runs migrations, for the history                           [the user of the machine]
  --wait SECONDS      how long to wait for another process that runs migrations                         [600]
  --json              prints the result as JSON, and no progress
${connectionHelp}
Exit code: 0 done, 1 something is wrong that somebody has to see to, 2 it could not be done.
`

/** The commands about migrations: `migrate`, `seed`, and the others as `migrate NAME`. */
export const migrateCommands: readonly Command[] = Object.entries(migrationCommands).map(([key, command]) =>
  commandOf(key as MigrationCommandName, command),
)

function commandOf(key: MigrationCommandName, { summary, usage, help }: MigrationCommand): Command {
  const name = key === 'migrate' || key === 'seed' ? key : `migrate ${key}`
  return {
    name,
    summary,
    help: `Usage: autovolt ${name}${usage === '' ? '' : ` ${usage}`} [options]\n\n${help}\n${commonHelp}`,
    run: async (args, context) => run(key, args, context),
  }
}

async function run(key: MigrationCommandName, args: readonly string[], context: CommandContext): Promise<number> {
  try {
    const { values, rest } = takeOptions(args, options)
    return await withHandle(rest, context, { migrations: migrationOptionsOf(values) }, (volt, own) =>
      runMigrationCommand(volt.migrations, key, own, context),
    )
  } catch (error) {
    return reportError(error, context)
  }
}

function migrationOptionsOf({
  folder,
  seeds,
  late,
  actor,
}: { readonly [Name in keyof typeof options]?: string }): MigrationOptions {
  return {
    ...(folder === undefined ? {} : { folder: resolve(folder) }),
    ...(seeds === undefined ? {} : { seeds: resolve(seeds) }),
    ...(late === undefined ? {} : { late: lateOf(late) }),
    ...(actor === undefined ? {} : { actor }),
  }
}

function lateOf(text: string): 'run' | 'refuse' {
  if (text === 'run' || text === 'refuse') return text
  throw new DatabaseError('CONFIGURATION', '--late takes run or refuse')
}
