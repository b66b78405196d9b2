/** Logs one line: fields first, as pino takes them. */
export type LogMethod = (fields: Readonly<Record<string, unknown>>, message: string) => void

/** Where the library says what it does: pino's shape, so a pino logger fits as it is. */
export interface Logger {
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
}

const nothing: LogMethod = () => undefined

/** The default logger: it says nothing. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
