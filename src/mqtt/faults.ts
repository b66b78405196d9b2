import type { Clock } from '../core/clock.js'
import type { Logger } from '../core/logger.js'
import { redactCredentials } from '../core/redact.js'

/** Something that is wrong: what, without credentials, and when it was last met. */
export interface Fault {
  readonly message: string
  readonly at: Date
}

/** What can be wrong, and how the log puts it. */
const texts = {
  broker: 'the MQTT broker cannot be used',
  database: 'messages could not be stored',
  lease: 'the lease could not be taken or renewed',
} as const

type FaultSource = keyof typeof texts

/**
 * Faults: what is wrong at the moment, by source. It is logged when it begins, when it changes, and when it is over.
 */
export class Faults {
  readonly #current = new Map<FaultSource, Fault>()
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #subject: string

  /** @param subject What it is that meets the faults, for the log. */
  constructor(clock: Clock, logger: Logger, subject: string) {
    this.#clock = clock
    this.#logger = logger
    this.#subject = subject
  }

  /** What was met last of all that is still wrong. */
  get last(): Fault | null {
    return latest([...this.#current.values()])
  }

  has(source: FaultSource): boolean {
    return this.#current.has(source)
  }

  met(source: FaultSource, error: unknown): void {
    const message = describe(error).slice(0, 500)
    const isNew = this.#current.get(source)?.message !== message
    this.#current.set(source, { message, at: this.#clock.now() })
    if (isNew) this.#logger.error({ subject: this.#subject, reason: message }, texts[source])
  }

  resolved(source: FaultSource): void {
    if (!this.#current.delete(source)) return
    this.#logger.info({ subject: this.#subject }, `over: ${texts[source]}`)
  }
}

/** The fault that was met last; null if there is none. */
export function latest(faults: readonly (Fault | null | undefined)[]): Fault | null {
  return faults
    .filter((fault) => fault !== null && fault !== undefined)
    .reduce<Fault | null>((last, fault) => (last === null || fault.at >= last.at ? fault : last), null)
}

/** An error's text without credentials. Node leaves it empty where it has tried several addresses of a host. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return redactCredentials(String(error))
  const { code } = error as { readonly code?: unknown }
  return redactCredentials(error.message || String(code ?? error.name))
}
