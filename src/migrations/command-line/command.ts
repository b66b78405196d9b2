import type { Writable } from 'node:stream'
import type { ParseArgsConfig } from 'node:util'
import type { Migrations } from '../migrations.js'
import type { LockedOptions } from '../options.js'

/** Command streams: where a command writes. */
export interface CommandStreams {
  /** What it gives. @default the standard output */
  readonly out?: Writable
  /** How far it is, and what went wrong. @default the standard error */
  readonly errors?: Writable
  /** Aborted to stop after the batch or step that is under way. */
  readonly signal?: AbortSignal
}

/** The options of a command as they were given; each command reads its own. */
export type CommandValues = Readonly<Record<string, unknown>>

/** The options that a command takes. */
export type CommandOptions = NonNullable<ParseArgsConfig['options']>

/** Command call: what a command works with. */
export interface CommandCall {
  readonly migrations: Migrations
  readonly values: CommandValues
  readonly words: readonly string[]
  /** How to wait, to stop, and to show how far it is. */
  readonly locked: LockedOptions
}

/** Command result: what a command gives. */
export interface CommandResult {
  /** For `--json`. */
  readonly result: unknown
  /** For people. */
  readonly lines: readonly string[]
  /** Something is wrong that somebody has to see to: exit code 1. */
  readonly isWrong?: boolean
}

/** A command about migrations. */
export interface MigrationCommand {
  /** One line. */
  readonly summary: string
  /** What follows its name, such as `ID [--retry]`. */
  readonly usage: string
  /** The page that `--help` prints below its usage. */
  readonly help: string
  readonly options: CommandOptions
  /** How many words it takes that are no options. @default 0 */
  readonly words?: number
  readonly run: (call: CommandCall) => Promise<CommandResult>
}
