import type { Writable } from 'node:stream'

/** Command context: what a command writes to, and takes its settings from. */
export interface CommandContext {
  readonly out: Writable
  readonly errors: Writable
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal
}

/** A command of the command line. */
export interface Command {
  /** One word or two, such as `ledger verify`. */
  readonly name: string
  /** One line. */
  readonly summary: string
  /** The page that `--help` prints. */
  readonly help: string
  /** @returns the exit code. It does not throw. */
  readonly run: (args: readonly string[], context: CommandContext) => Promise<number>
}

/** The exit codes of all commands. */
export const exitCode = { done: 0, wrong: 1, notDone: 2 } as const
