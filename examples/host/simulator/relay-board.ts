import type { Timers } from './timers.js'

export interface Relay {
  readonly gpio: number
  on: boolean
  /** Whether a person at the wall moved it last. */
  manualOverride: boolean
}

interface Request {
  readonly gpio: number
  readonly on: boolean
  readonly isManual: boolean
  readonly onMoved: (relay: Relay) => void
  /** It is there already, or was moved a moment ago. */
  readonly onLeft?: (relay: Relay) => void
}

/** Between any two relays: their inrush currents must not add up. */
const spacingMs = 150
/** A relay that was just moved is left alone, whatever it is told. */
const restMs = 300
/** States are written to flash when they have held for a while, or the flash would wear out. */
const flashDelayMs = 2_000

/** A row of relays: moved one after the other, and remembered over a restart. */
export class RelayBoard {
  readonly relays: readonly Relay[]
  readonly #timers: Timers
  readonly #queue: Request[] = []
  readonly #movedMs = new Map<number, number>()
  #lastMoveMs = Number.NEGATIVE_INFINITY
  #isMoving = false
  #flash: readonly boolean[]

  constructor(relays: readonly { readonly gpio: number; readonly on: boolean }[], timers: Timers) {
    this.relays = relays.map(({ gpio, on }) => ({ gpio, on, manualOverride: false }))
    this.#flash = relays.map(({ on }) => on)
    this.#timers = timers
  }

  find(gpio: number): Relay | undefined {
    return this.relays.find((relay) => relay.gpio === gpio)
  }

  /** Moves the relay when its turn comes. Nothing happens if it is there already, or was moved a moment ago. */
  move(request: Request): void {
    this.#queue.push(request)
    if (!this.#isMoving) this.#next()
  }

  /** What is left after a power cut, which ends the timers too: the states that had reached the flash. */
  restore(): void {
    this.#queue.length = 0
    this.#isMoving = false
    this.relays.forEach((relay, at) => {
      relay.on = this.#flash[at] ?? false
      relay.manualOverride = false
    })
  }

  #next(): void {
    const request = this.#queue.shift()
    this.#isMoving = request !== undefined
    if (request === undefined) return
    const waitMs = Math.max(0, this.#lastMoveMs + spacingMs - performance.now())
    this.#timers.after(waitMs, () => {
      this.#moveNow(request)
      this.#next()
    })
  }

  #moveNow({ gpio, on, isManual, onMoved, onLeft }: Request): void {
    const relay = this.find(gpio)
    const nowMs = performance.now()
    const isResting = nowMs - (this.#movedMs.get(gpio) ?? Number.NEGATIVE_INFINITY) < restMs
    if (relay === undefined) return
    if (relay.on === on || isResting) {
      onLeft?.(relay)
      return
    }
    relay.on = on
    relay.manualOverride = isManual
    this.#lastMoveMs = nowMs
    this.#movedMs.set(gpio, nowMs)
    this.#timers.after(flashDelayMs, () => {
      this.#flash = this.relays.map((one) => one.on)
    })
    onMoved(relay)
  }
}
