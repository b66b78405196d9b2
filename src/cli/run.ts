import type { Command, CommandContext } from './command.js'
import { exitCode } from './command.js'
import { commands } from './commands.js'

const width = Math.max(...commands.map(({ name }) => name.length))

const overview = `Usage: autovolt COMMAND ...

${commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`).join('')}
autovolt COMMAND --help explains a command. Exit code: 0 done, 1 something is wrong, 2 it could not be done.
`

/** Runs a command of the command line. @returns the exit code. */
export async function run(args: readonly string[], context: CommandContext): Promise<number> {
  const found = commandOf(args)
  if (found === undefined) {
    const isHelp = args[0] === '--help'
    ;(isHelp ? context.out : context.errors).write(overview)
    return isHelp ? exitCode.done : exitCode.notDone
  }
  const { command, rest } = found
  if (!rest.includes('--help')) return command.run(rest, context)
  context.out.write(command.help)
  return exitCode.done
}

/** The command that the first two words name, else the one that the first does. */
function commandOf(
  args: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const command = commands.find(({ name }) => name === args.slice(0, length).join(' '))
    if (command !== undefined) return { command, rest: args.slice(length) }
  }
  return undefined
}
