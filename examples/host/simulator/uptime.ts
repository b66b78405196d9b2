/** `millis()` of an ESP32 counts in 32 bits: after 49.7 days it starts again at zero. */
export const uptimeWrapMs = 2 ** 32

/** A device's only clock: milliseconds since it started, from a crystal that is a little off. */
export class Uptime {
  readonly #rate: number
  #startedMs: number

  /** @param driftPpm How far the crystal is off, in millionths. */
  constructor(driftPpm: number, alreadyMs = 0) {
    this.#rate = 1 + driftPpm / 1e6
    this.#startedMs = performance.now() - alreadyMs / this.#rate
  }

  restart(): void {
    this.#startedMs = performance.now()
  }

  get millis(): number {
    return Math.floor((performance.now() - this.#startedMs) * this.#rate) % uptimeWrapMs
  }
}
