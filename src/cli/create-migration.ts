import { parseArgs } from 'node:util'
import { systemClock } from '../core/clock.js'
import { DatabaseError } from '../core/errors.js'
import { printable } from '../core/printable.js'
import { createMigrationFile, type MigrationLanguage } from '../migrations/create-file.js'
import { type Command, exitCode } from './command.js'
import { reportError } from './connection.js'

/** It needs no database. */
export const createMigrationCommand: Command = {
  name: 'migrate create',
  summary: 'writes a file for a new migration',
  help: `Usage: autovolt migrate create NAME [--folder DIR] [--language ts|js]

Writes a file for a new migration, named after the time and what it does, and prints its path.

  --folder DIR        where to                                                        [./migrations]
  --language ts|js    which language it is written in                                            [ts]

Exit code: 0 done, 2 it could not be done.
`,
  run: async (args, context) => {
    try {
      const { values, positionals } = parseArgs({
        args: [...args],
        allowPositionals: true,
        options: {
          folder: { type: 'string', default: './migrations' },
          language: { type: 'string', default: 'ts' },
        },
      })
      const [name, ...more] = positionals
      if (name === undefined || more.length > 0) {
        throw new DatabaseError('CONFIGURATION', 'Give the migration one name, such as add-priority')
      }
      const path = await createMigrationFile(systemClock, values.folder, name, languageOf(values.language))
      context.out.write(`${printable(path)}\n`)
      return exitCode.done
    } catch (error) {
      return reportError(error, context)
    }
  },
}

function languageOf(text: string): MigrationLanguage {
  if (text === 'ts' || text === 'js') return text
  throw new DatabaseError('CONFIGURATION', '--language takes ts or js')
}
