import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { AutoVolt } from '../autovolt.js'
import { DatabaseError } from '../core/errors.js'
import type { KeyRingOptions } from '../core/key-ring.js'
import { printable } from '../core/printable.js'
import { redactCredentials } from '../core/redact.js'
import type { OpenOptions } from '../handle-options.js'
import { type CommandContext, exitCode } from './command.js'

const options = {
  db: { type: 'string' },
  'uri-file': { type: 'string' },
  keys: { type: 'string' },
} as const

/** What the help of a command says of the database that it works on. */
export const connectionHelp = `
  --db NAME           the database, unless the connection string names it
  --uri-file FILE     a file with the connection string                                 [MONGODB_URI]
                      It is no option of its own: every user of the machine sees those.
  --keys FILE         a file with the key ring of encrypted fields, {"active": NAME, "keys": {NAME: BASE64}}
                                                                   [AUTOVOLT_KEYS: the JSON itself]
`

/** Options that are handed to the handle besides the connection's. */
export type HandleOptions = Omit<OpenOptions, 'uri' | 'dbName' | 'keys'>

/** Works with a handle on the database that the arguments name, and closes it. @returns the exit code. It does not throw. */
export async function withHandle(
  args: readonly string[],
  context: CommandContext,
  handleOptions: HandleOptions,
  work: (volt: AutoVolt, rest: readonly string[]) => Promise<number>,
): Promise<number> {
  try {
    const { values, rest } = takeOptions(args, options)
    await using volt = await openHandle(values, context, handleOptions)
    return await work(volt, rest)
  } catch (error) {
    return reportError(error, context)
  }
}

/** Prints an error for people, without credentials. @returns the exit code. */
export function reportError(error: unknown, { errors }: CommandContext): number {
  const code = error instanceof DatabaseError ? ` (${error.code})` : ''
  errors.write(`${printable(redactCredentials(error instanceof Error ? error.message : String(error)))}${code}\n`)
  return exitCode.notDone
}

type TextOptions = Readonly<Record<string, { readonly type: 'string' }>>

/** Takes the options from the arguments, and leaves the rest to others. @throws DatabaseError `CONFIGURATION`. */
export function takeOptions<Options extends TextOptions>(
  args: readonly string[],
  taken: Options,
): { readonly values: { readonly [Name in keyof Options]?: string }; readonly rest: string[] } {
  const { tokens } = parseArgs({ args: [...args], options: { ...taken }, strict: false, tokens: true })
  const values: { [Name in keyof Options]?: string } = {}
  const rest = new Set(args.keys())
  for (const token of tokens) {
    if (token.kind !== 'option' || !Object.hasOwn(taken, token.name)) continue
    if (token.value === undefined) throw new DatabaseError('CONFIGURATION', `--${token.name} takes a value`)
    values[token.name as keyof Options] = token.value
    rest.delete(token.index)
    if (!token.inlineValue) rest.delete(token.index + 1)
  }
  return { values, rest: args.filter((_, at) => rest.has(at)) }
}

/** Opens the handle on the database that the options name. @throws DatabaseError. */
export async function openHandle(
  values: { readonly [Name in keyof typeof options]?: string | undefined },
  { env }: CommandContext,
  handleOptions: HandleOptions,
): Promise<AutoVolt> {
  const uri = values['uri-file'] === undefined ? env.MONGODB_URI : await contentOf(values['uri-file'])
  if (uri === undefined || uri === '') {
    throw new DatabaseError(
      'CONFIGURATION',
      'Set MONGODB_URI to the connection string, or name a file with it: --uri-file FILE',
    )
  }
  const dbName = values.db ?? env.MONGODB_DB_NAME
  const keys = await keysOf(values.keys, env)
  const opened: typeof import('../autovolt.js') = await import('../autovolt.js')
  return opened.AutoVolt.open({
    ...handleOptions,
    uri,
    ...(dbName === undefined ? {} : { dbName }),
    ...(keys === undefined ? {} : { keys }),
  })
}

/** The key ring in a file, else in the environment. @throws DatabaseError `CONFIGURATION`. */
export async function keysOf(
  file: string | undefined,
  env: CommandContext['env'],
): Promise<KeyRingOptions | undefined> {
  const text = file === undefined ? env.AUTOVOLT_KEYS : await contentOf(file)
  if (text === undefined || text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    // The parser would quote the text.
    throw new DatabaseError('CONFIGURATION', 'The key ring is no JSON: {"active": NAME, "keys": {NAME: BASE64}}')
  }
}

export async function contentOf(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim()
}
