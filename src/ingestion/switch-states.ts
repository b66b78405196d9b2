/** A change of a switch's state, as the ledger has it. */
export interface StateChange {
  readonly atMs: number
  readonly on: boolean
  /** Read off a snapshot: an event about the same press may still come. */
  readonly isSnapshot: boolean
}

const rememberedChanges = 16
/** Clocks of device and arrival agree about one press within this. */
const toleranceMs = 5_000

/** The last states of a device's switches, by gpio. */
export class SwitchStates {
  readonly #changes = new Map<number, StateChange[]>()
  /** Changes read off snapshots, in the order of arrival, whose events have not come. */
  readonly #unclaimed = new Map<number, StateChange[]>()

  constructor(changes: ReadonlyMap<number, readonly StateChange[]>) {
    for (const [gpio, list] of changes) {
      this.#changes.set(gpio, [...list])
      const lastEvent = list.findLastIndex(({ isSnapshot }) => !isSnapshot)
      this.#unclaimed.set(gpio, list.slice(lastEvent + 1))
    }
  }

  /** What the switch is believed to be. */
  now(gpio: number): boolean | undefined {
    return this.#changes.get(gpio)?.at(-1)?.on
  }

  /** What the switch was at a time, as far as that is remembered. */
  at(gpio: number, atMs: number): boolean | undefined {
    return this.#changes.get(gpio)?.findLast((change) => change.atMs <= atMs)?.on
  }

  changedAfter(gpio: number, atMs: number): boolean {
    return this.#changes.get(gpio)?.some((change) => change.atMs > atMs) ?? false
  }

  /** The instant, or the first one after the last change: what arrives later has happened later. */
  afterLast(gpio: number, atMs: number): number {
    const last = this.#changes.get(gpio)?.at(-1)
    return last === undefined ? atMs : Math.max(atMs, last.atMs + 1)
  }

  note(gpio: number, change: StateChange): void {
    const changes = this.#changes.get(gpio) ?? []
    changes.splice(changes.findLastIndex((other) => other.atMs <= change.atMs) + 1, 0, change)
    if (changes.length > rememberedChanges) changes.shift()
    this.#changes.set(gpio, changes)
    this.#unclaimed.set(
      gpio,
      change.isSnapshot ? [...(this.#unclaimed.get(gpio) ?? []), change].slice(-rememberedChanges) : [],
    )
  }

  /**
   * Whether a press that is reported now is in the ledger: a snapshot that came before has shown it, or the switch is
   * believed to be in that state already. A device sends its events in order, so a press is claimed once, and those before
   * it not any more.
   * @param isHeldUp Whether times of arrival cannot be relied on, because messages were waiting for us.
   */
  claimPress(gpio: number, on: boolean, atMs: number, withinMs: number, isHeldUp: boolean): boolean {
    const unclaimed = this.#unclaimed.get(gpio) ?? []
    const claimed = unclaimed.findIndex(
      (change) => change.on === on && change.atMs >= atMs - toleranceMs && (isHeldUp || change.atMs - atMs <= withinMs),
    )
    if (claimed < 0) return this.now(gpio) === on
    this.#unclaimed.set(gpio, unclaimed.slice(claimed + 1))
    return true
  }

  /** Whether a press of the past, replayed, is in the ledger: by the time of the changes around it. */
  isPastPressKnown(gpio: number, on: boolean, atMs: number, withinMs: number): boolean {
    if (this.at(gpio, atMs) === on) return true
    const next = this.#changes.get(gpio)?.find((change) => change.atMs > atMs)
    return next?.isSnapshot === true && next.on === on && next.atMs - atMs <= withinMs
  }
}
