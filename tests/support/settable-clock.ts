import type { Clock } from '@autovolt/data'

/** The machine's clock, moved. */
export class SettableClock implements Clock {
  #offsetMs = 0

  now(): Date {
    return new Date(Date.now() + this.#offsetMs)
  }

  advance(durationMs: number): void {
    this.#offsetMs += durationMs
  }
}
