import { parseArgs } from 'node:util'
import { printable } from '../core/printable.js'
import { type Command, exitCode } from './command.js'
import { connectionHelp, withHandle } from './connection.js'

export const setupCommand: Command = {
  name: 'setup',
  summary: "creates the package's collections, validators and indexes as far as they are not there",
  help: `Usage: autovolt setup [--dry-run] [options]

Creates the package's collections, validators and indexes as far as they are not there. Any number of processes may do so at
once. A host with entities of its own calls volt.setup() instead, which knows them.

  --dry-run           only says what differs and what is in the way, and writes nothing; exit code 1 if something does or is
  --json              prints the result as JSON
${connectionHelp}
Exit code: 0 done, 1 a dry run found differences, 2 it could not be done.
`,
  run: (args, context) =>
    withHandle(args, context, {}, async (volt, rest) => {
      const { values } = parseArgs({
        args: [...rest],
        options: { 'dry-run': { type: 'boolean', default: false }, json: { type: 'boolean' } },
      })
      const dryRun = values['dry-run']
      const report = await volt.setup({ dryRun })
      const differing = report.collections.filter(({ state }) => state !== 'same')
      const verb = dryRun ? 'is' : 'was'
      const lines = differing.map(({ collection, state }) => `${collection} ${verb} ${state}`)
      const obstacles = report.obstacles.map(
        ({ collection, problem, advice }) => `${collection} ${problem}. ${advice}.`,
      )
      const text = report.isComplete ? ['Everything is as declared'] : [...lines, ...obstacles]
      context.out.write(`${printable(values.json ? JSON.stringify(report, null, 2) : text.join('\n'))}\n`)
      return dryRun && !report.isComplete ? exitCode.wrong : exitCode.done
    }),
}
