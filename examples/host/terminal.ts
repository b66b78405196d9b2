import type { Logger } from '@autovolt/data'

/** The same complaint is not made again for this long. */
const restMs = 60_000
const rememberedLines = 100

/** What the app says to the person who started it. */
export class Terminal {
  #isQuiet = false
  readonly #complained = new Map<string, number>()

  say(text: string): void {
    process.stdout.write(`${text}\n`)
  }

  /** One part of the app, and where it is. */
  tell(part: string, what: string): void {
    this.say(`  ${part.padEnd(10)} ${what}`)
  }

  complain(text: string): void {
    process.stderr.write(`${text}\n`)
  }

  /** From now on the library's warnings are not shown: while everything ends, connections break. */
  quieten(): void {
    this.#isQuiet = true
  }

  /** Shows the library's warnings and errors. */
  get logger(): Logger {
    const show = (fields: Readonly<Record<string, unknown>>, message: string) => {
      const line = `  ! ${message} ${JSON.stringify(fields)}`
      const isNew = performance.now() - (this.#complained.get(line) ?? Number.NEGATIVE_INFINITY) > restMs
      if (this.#isQuiet || !isNew) return
      if (this.#complained.size > rememberedLines) this.#complained.clear()
      this.#complained.set(line, performance.now())
      this.complain(line)
    }
    return { debug: () => undefined, info: () => undefined, warn: show, error: show }
  }
}
