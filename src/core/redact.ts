/** What a connection string ends at. */
const words = /[^\s"'<>]+/g

/** The text with the user name and password of every connection string in it replaced by `***`. */
export function redactCredentials(text: string): string {
  return text.replace(words, (word) => {
    const scheme = word.indexOf('://')
    // A password that was not percent-encoded may hold any of / @ : itself, so everything up to the last @ goes.
    const host = word.lastIndexOf('@')
    return scheme === -1 || host < scheme ? word : `${word.slice(0, scheme)}://***${word.slice(host)}`
  })
}

// What the server quotes: documents, filters and commands in braces, a query as a tree, values in quotation marks.
const quotations: readonly (readonly [pattern: RegExp, shown: string])[] = [
  [/Tree: .*/gs, 'Tree: …'],
  [/\{.*\}?/gs, '{…}'],
  [/"[^"]*"/g, '"…"'],
]

const maximumLength = 2000

/** What may be shown of a driver's message: without credentials, and without the data that the server quotes. */
function redactMessage(text: string): string {
  const unquoted = quotations.reduce((message, [pattern, shown]) => message.replace(pattern, shown), text)
  const shown = redactCredentials(unquoted)
  return shown.length > maximumLength ? `${shown.slice(0, maximumLength)}…` : shown
}

const maximumDepth = 5

/**
 * An error of the driver or of Mongoose as it may be shown: its name, message, code, labels and the place where it came up,
 * without the documents, commands and connection settings that the original holds.
 */
export class OriginalError extends Error {
  readonly code: string | number | undefined
  readonly codeName: string | undefined
  readonly errorLabels: readonly string[]

  constructor(error: Error, depth = 0) {
    const message = redactMessage(error.message)
    const inner = error.cause instanceof Error && depth < maximumDepth ? error.cause : undefined
    super(message, inner === undefined ? undefined : { cause: new OriginalError(inner, depth + 1) })
    this.name = error.name
    const { code, codeName, errorLabels } = error as { code?: unknown; codeName?: unknown; errorLabels?: unknown }
    this.code = typeof code === 'string' || typeof code === 'number' ? code : undefined
    this.codeName = typeof codeName === 'string' ? codeName : undefined
    this.errorLabels = Array.isArray(errorLabels) ? errorLabels.map(String) : []
    this.stack = `${error.name}: ${message}${framesOf(error)}`
  }
}

/** The lines of the stack that name places; those before them are the message again. */
function framesOf(error: Error): string {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return frames.map((line) => `\n${line}`).join('')
}
