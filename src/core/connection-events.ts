import type { Connection } from 'mongoose'
import type { Logger } from './logger.js'
import { translateError } from './translate-error.js'

export interface ConnectionEvents {
  readonly connected: () => void
  readonly disconnected: () => void
  readonly reconnected: () => void
  readonly error: (error: unknown) => void
}

export type ConnectionEvent = keyof ConnectionEvents

/** Passes a connection's events on to a handle's listeners, and to its log. An error without a listener is only logged. */
export class ConnectionEventSource {
  readonly #connection: Connection
  readonly #listeners = new Map<ConnectionEvent, Set<(argument: unknown) => void>>()
  readonly #subscriptions: readonly (readonly [ConnectionEvent, (argument: unknown) => void])[]

  constructor(connection: Connection, logger: Logger) {
    this.#connection = connection
    this.#subscriptions = (['connected', 'disconnected', 'reconnected', 'error'] as const).map((event) => [
      event,
      (argument) => {
        const passed = event === 'error' ? translateError(argument) : argument
        if (event === 'error')
          logger.error({ reason: passed instanceof Error ? passed.message : 'unknown' }, 'database error')
        else logger.info({}, `database ${event}`)
        for (const listener of this.#listeners.get(event) ?? []) listener(passed)
      },
    ])
    for (const [event, pass] of this.#subscriptions) connection.on(event, pass)
  }

  /** @returns a function that takes the listener away again. */
  on<Event extends ConnectionEvent>(event: Event, listener: ConnectionEvents[Event]): () => void {
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners)
    listeners.add(listener as (argument: unknown) => void)
    return () => void listeners.delete(listener as (argument: unknown) => void)
  }

  stop(): void {
    for (const [event, pass] of this.#subscriptions) this.#connection.off(event, pass)
    this.#listeners.clear()
  }
}
