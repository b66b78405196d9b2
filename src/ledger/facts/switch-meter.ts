import {
  type CounterState,
  decideCounter,
  type EnergyStretch,
  powerStretch,
  ratedStretches,
  splitStretch,
  stateAfter,
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
 * A switch has one source of energy at a time: each fact ends the state that the one before it reported, whatever the two are. A counter
 * that is read again after a fact of another source begins at a new zero point.
 */
export class SwitchMeter {
  #last: Fact | undefined
  /** What holds since the last fact. Signs of life are facts, and change it only where it is the state of a rated switch. */
  #held: Fact | undefined
  /** While the last fact is a counter reading. */
  #counter: CounterState | undefined
  /** The readings of the counter since its last accepted one at which price, direction, classroom or device changed. */
  #holding: Fact[] = []

  /** The last fact that was taken. */
  get last(): Fact | undefined {
    return this.#last
  }

  /** What holds since the last fact: a reading, or the state of a rated switch. */
  get held(): Fact | undefined {
    return this.#held
  }

  /**
   * The fact that something goes on after: the state that holds of a rated switch, else the last fact. A meter that takes it
   * alone stands as this one does, unless it is a counter reading or a sign of life.
   */
  get end(): Fact | undefined {
    return this.#held?.source === 'rated' ? this.#held : this.#last
  }

  /** Whether the last readings of a counter wait for later ones to decide about them. */
  get isPending(): boolean {
    return this.#counter?.isPending === true
  }

  /** No stretch that is still to come begins before this instant, epoch milliseconds. */
  get settledMs(): number {
    return (this.#counter?.last ?? this.#held ?? this.#last)?.atMs ?? Number.NEGATIVE_INFINITY
  }

  /** Whether the fact comes after all that were taken, so that it can be taken next. Readings of one instant decide together. */
  isNext(fact: Fact): boolean {
    const [last, held] = [this.#last, this.#held]
    if (last === undefined) return true
    if (held?.counter !== undefined && fact.counter !== undefined && fact.atMs <= held.atMs) return false
    return compareFacts(last, fact) < 0
  }

  /** Takes the next facts, in order, and all counter readings of an instant at once. @returns the stretches that they end. */
  take(facts: readonly Fact[]): FactStretch[] {
    const found: FactStretch[] = []
    for (const run of runsOf(facts)) {
      const [first] = run.facts
      this.#last = run.facts.at(-1)
      if (first === undefined || (first.on === undefined && this.#held?.source !== 'rated')) continue
      this.#endWith(first, found)
      if (run.rules !== undefined) this.#read(run, found)
      this.#held = first.on === undefined && this.#held !== undefined ? stateAfter(this.#held, first) : run.facts.at(-1)
    }
    return found
  }

  /** The stretch of a rated switch in the state last reported, which has no end yet. */
  until(aliveMs: number): FactStretch[] {
    const held = this.#held
    if (held?.source !== 'rated' || aliveMs <= held.atMs) return []
    const alive = { ...held, atMs: aliveMs, silentSinceMs: undefined, isRestart: false }
    return stretchesBetween(held, alive).map((stretch) => ({ stretch, since: held }))
  }

  #endWith(next: Fact, found: FactStretch[]): void {
    const held = this.#held
    if (held !== undefined && held.counter === undefined) {
      for (const stretch of stretchesBetween(held, next)) found.push({ stretch, since: held })
    }
    if (held?.counter === undefined || next.counter === undefined) {
      this.#counter = undefined
      this.#holding = []
    }
  }

  #read({ facts, rules }: FactRun, found: FactStretch[]): void {
    if (rules === undefined) return
    const { stretches, state } = decideCounter(facts, rules, this.#counter)
    for (const fact of facts) this.#hold(fact)
    for (const stretch of stretches) this.#place(stretch, found)
    this.#counter = state
    const firstNeeded = this.#holding.findLastIndex(({ atMs }) => atMs <= this.settledMs)
    if (firstNeeded > 0) this.#holding.splice(0, firstNeeded)
  }

  /**
   * Energy belongs to where it began to be counted. A stretch without any may go over many readings, and is cut where the
   * switch was moved meanwhile.
   */
  #place(stretch: EnergyStretch, found: FactStretch[]): void {
    const cuts = stretch.consumedMws === 0 ? this.#holding.map(({ atMs }) => atMs) : []
    for (const part of splitStretch(stretch, cuts)) {
      const since = this.#holding.findLast(({ atMs }) => atMs <= part.fromMs)
      if (since !== undefined) found.push({ stretch: directed(part, since), since })
    }
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
  if (from.source === 'power') return [directed(powerStretchBetween(from, to), from)]
  if (isTooMuch(from.on ? from.ratedPowerW : 0, from, to)) return [directed(missingStretch(from, to), from)]
  return ratedStretches(from, to).map((stretch) => directed(stretch, from))
}

/** The energy from a power reading to the next fact, whatever this is. */
export function powerStretchBetween(
  from: Pick<Fact, 'atMs' | 'powerW' | 'gapLimitMs'>,
  to: Pick<Fact, 'atMs'>,
): EnergyStretch {
  return isTooMuch(Math.abs(from.powerW ?? 0), from, to) ? missingStretch(from, to) : powerStretch(from, to)
}

/** More than 2.5 GWh at one go cannot be counted to the milliwatt-second; only a wrong clock or meter reports it. */
function isTooMuch(powerW: number, from: Pick<Fact, 'atMs'>, to: Pick<Fact, 'atMs'>): boolean {
  return powerW * (to.atMs - from.atMs) > Number.MAX_SAFE_INTEGER
}

function missingStretch(from: Pick<Fact, 'atMs'>, to: Pick<Fact, 'atMs'>): EnergyStretch {
  return { fromMs: from.atMs, toMs: to.atMs, consumedMws: 0, producedMws: 0, quality: 'missing' }
}

function directed(stretch: EnergyStretch, { isProduction }: Fact): EnergyStretch {
  if (!isProduction) return stretch
  return { ...stretch, consumedMws: 0, producedMws: stretch.consumedMws + stretch.producedMws }
}
