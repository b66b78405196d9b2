import type { Connection } from 'mongoose'
import { DatabaseError } from './errors.js'
import { listen } from './listen.js'
import type { Logger } from './logger.js'
import { translateError } from './translate-error.js'
import { typeName } from './validate.js'

export interface ConnectionEvents {
  readonly connected: () => void
  readonly disconnected: () => void
  readonly reconnected: () => void
  readonly error: (error: unknown) => void
}

export type ConnectionEvent = keyof ConnectionEvents

const events = ['connected', 'disconnected', 'reconnected', 'error'] as const

/** Passes a connection's events on to a handle's listeners, and to its log. An error without a listener is only logged. */
export class ConnectionEventSource {
  readonly #logger: Logger
  readonly #listeners = new Map<ConnectionEvent, Set<(argument: unknown) => void>>()
  readonly #connection: Connection
  readonly #stopListening: () => void

  constructor(connection: Connection, logger: Logger) {
    this.#logger = logger
    this.#connection = connection
    this.#stopListening = listen(
      connection,
      events.map((event) => [event, (argument: unknown) => this.#pass(event, argument)]),
    )
  }

  /** @returns a function that takes the listener away again. */
  on<Event extends ConnectionEvent>(event: Event, listener: ConnectionEvents[Event]): () => void {
    if (!events.includes(event) || typeof listener !== 'function') {
      throw new DatabaseError(
        'CONFIGURATION',
        `A function can listen to ${events.join(', ')}, not to ${typeof event === 'string' ? event : typeName(event)}`,
      )
    }
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners)
    listeners.add(listener as (argument: unknown) => void)
    // A handle is opened with its connection: who listens to it comes after the first one.
    if (event === 'connected' && this.#connection.readyState === 1) {
      queueMicrotask(() => {
        if (listeners.has(listener as (argument: unknown) => void)) this.#call(event, listener as () => void, undefined)
      })
    }
    return () => void listeners.delete(listener as (argument: unknown) => void)
  }

  stop(): void {
    this.#stopListening()
    this.#listeners.clear()
  }

  #pass(event: ConnectionEvent, argument: unknown): void {
    const passed = event === 'error' ? translateError(argument) : argument
    if (event !== 'error') this.#logger.info({}, `database ${event}`)
    else this.#logger.error({ reason: passed instanceof Error ? passed.message : 'unknown' }, 'database error')
    for (const listener of this.#listeners.get(event) ?? []) this.#call(event, listener, passed)
  }

  /** A listener's own mistake is not to break off what the connection, or closing it, is at. */
  #call(event: ConnectionEvent, listener: (argument: unknown) => void, argument: unknown): void {
    try {
      listener(argument)
    } catch (error) {
      this.#logger.error({ event, reason: error instanceof Error ? error.message : 'unknown' }, 'a listener failed')
    }
  }
}
