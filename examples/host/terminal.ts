import type { Logger } from '@autovolt/data'

/** What the app says to the person who started it. */
export class Terminal {
  #isQuiet = false

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
      if (!this.#isQuiet) this.complain(`  ! ${message} ${JSON.stringify(fields)}`)
    }
    return { debug: () => undefined, info: () => undefined, warn: show, error: show }
  }
}
