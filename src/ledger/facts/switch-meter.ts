import {
  type CounterState,
  decideCounter,
  type EnergyStretch,
  powerStretch,
  ratedStretches,
} from '../../metering/index.js'
import { compareFacts, type Fact } from './fact.js'
import { type FactRun, runsOf } from './fact-run.js'

/** A stretch of a switch's energy, and the fact that held when it began: its classroom and price are the stretch's. */
export interface FactStretch {
  readonly stretch: EnergyStretch
  readonly since: Fact
}

/**
 * Finds the energy of one switch from its facts, which it takes in their order. The one place where the ledger's registers,
 * and every figure that is read from the ledger, get their energy from.
 *
 * A switch has one source of energy at a time: each fact ends what the one before it told, whatever the two are. A counter
 * that is read again after a fact of another source begins at a new zero point.
 */
export class SwitchMeter {
  #last: Fact | undefined
  /** While the last fact is a counter reading. */
  #counter: CounterState | undefined
  /** The readings of the counter since its last accepted one at which price, direction, classroom or device changed. */
  #holding: Fact[] = []

  /** The last fact that was taken. */
  get last(): Fact | undefined {
    return this.#last
  }

  /** Whether the last readings of a counter wait for later ones to decide about them. */
  get isPending(): boolean {
    return this.#counter !== undefined && (this.#counter.lowRun !== undefined || this.#counter.held.length > 0)
  }

  /** No stretch that is still to come begins before this instant, epoch milliseconds. */
  get settledMs(): number {
    return (this.#counter?.last ?? this.#last)?.atMs ?? Number.NEGATIVE_INFINITY
  }

  /** Whether the fact comes after all that were taken, so that it can be taken next. Readings of one instant decide together. */
  isNext(fact: Fact): boolean {
    const last = this.#last
    if (last === undefined) return true
    if (last.counter !== undefined && fact.counter !== undefined) return last.atMs < fact.atMs
    return compareFacts(last, fact) < 0
  }

  /** Takes the next facts, in order, and all counter readings of an instant at once. @returns the stretches that they end. */
  take(facts: readonly Fact[]): FactStretch[] {
    const found: FactStretch[] = []
    for (const run of runsOf(facts)) {
      const [first] = run.facts
      if (first !== undefined) this.#endWith(first, found)
      if (run.rules !== undefined) this.#read(run, found)
      this.#last = run.facts.at(-1)
    }
    return found
  }

  /** The stretch of a rated switch in the state last heard of, which has no end yet. */
  until(aliveMs: number): FactStretch[] {
    const last = this.#last
    if (last?.source !== 'rated' || aliveMs <= last.atMs) return []
    return stretchesBetween(last, { ...last, atMs: aliveMs, silentSinceMs: undefined }).map((stretch) => ({
      stretch,
      since: last,
    }))
  }

  #endWith(next: Fact, found: FactStretch[]): void {
    const last = this.#last
    if (last !== undefined && last.counter === undefined) {
      for (const stretch of stretchesBetween(last, next)) found.push({ stretch, since: last })
    }
    if (last?.counter === undefined || next.counter === undefined) {
      this.#counter = undefined
      this.#holding = []
    }
  }

  #read({ facts, rules }: FactRun, found: FactStretch[]): void {
    if (rules === undefined) return
    const { stretches, state } = decideCounter(facts, rules, this.#counter)
    for (const fact of facts) this.#hold(fact)
    for (const stretch of stretches) {
      const since = this.#holding.findLast(({ atMs }) => atMs <= stretch.fromMs)
      if (since !== undefined) found.push({ stretch: directed(stretch, since), since })
    }
    this.#counter = state
    const firstNeeded = this.#holding.findLastIndex(({ atMs }) => atMs <= this.settledMs)
    if (firstNeeded > 0) this.#holding.splice(0, firstNeeded)
  }

  #hold(fact: Fact): void {
    const holding = this.#holding.at(-1)
    const isSamePlace = holding?.classroom.equals(fact.classroom) && holding.deviceId.equals(fact.deviceId)
    if (isSamePlace && holding?.ratePerKwh === fact.ratePerKwh && holding.isProduction === fact.isProduction) return
    // Of readings of one instant the last counts.
    if (holding?.atMs === fact.atMs) this.#holding.pop()
    this.#holding.push(fact)
  }
}

/** The energy from a power reading, or the state of a rated switch, to the fact after it. */
function stretchesBetween(from: Fact, to: Fact): EnergyStretch[] {
  const durationMs = to.atMs - from.atMs
  const powerW = from.source === 'power' ? Math.abs(from.powerW) : from.on ? from.ratedPowerW : 0
  // More than 2.5 GWh at one go cannot be counted to the milliwatt-second; only a wrong clock or meter tells of it.
  if (powerW * durationMs > Number.MAX_SAFE_INTEGER) {
    return [{ fromMs: from.atMs, toMs: to.atMs, consumedMws: 0, producedMws: 0, quality: 'missing' }]
  }
  const stretches = from.source === 'power' ? [powerStretch(from, to)] : ratedStretches(from, to)
  return stretches.map((stretch) => directed(stretch, from))
}

function directed(stretch: EnergyStretch, { isProduction }: Fact): EnergyStretch {
  if (!isProduction) return stretch
  return { ...stretch, consumedMws: 0, producedMws: stretch.consumedMws + stretch.producedMws }
}
