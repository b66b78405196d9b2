import { type Fact, isParting } from './fact.js'
import { type FactsAround, type FactWindow, FactWindows } from './fact-windows.js'
import { changeAmong, type RegisterChange, sumOf } from './register.js'
import { SwitchMeter } from './switch-meter.js'

/** What is known of a chain without entries: that there is nothing. */
export const allOfTime: FactWindow = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, facts: [] }

/** Facts of a switch that are known, and its meter after the newest of them: what a further one changes, wherever it falls. */
export class KnownFacts {
  readonly windows: FactWindows
  /** Stands after the newest fact; undefined while a late one may have changed what it knows. */
  #meter: SwitchMeter | undefined

  constructor(known: FactWindow) {
    this.windows = new FactWindows(known)
  }

  /** Whether what holds after the newest fact is known. */
  get isStanding(): boolean {
    this.#meter ??= this.#knownMeter()
    return this.#meter !== undefined
  }

  /** Takes the newest facts, of which all that matters after them is known. */
  standAfter(facts: readonly Fact[]): void {
    this.#meter = meterAfter(facts)
  }

  /** To be called when facts were added that did not come one by one. @returns whether what holds after them is known. */
  standAnew(): boolean {
    this.#meter = this.#knownMeter()
    return this.#meter !== undefined
  }

  /** What the fact changes, if its place in time is known. It is to be added afterwards. */
  changeOf(fact: Fact): RegisterChange | undefined {
    this.#meter ??= this.#knownMeter()
    if (this.#meter === undefined) return undefined
    if (this.#meter.isNext(fact)) return sumOf(this.#meter.take([fact]))
    const around = this.windows.around(fact)
    return around && this.changeAmong(around, fact)
  }

  /** What the fact changes among those around it. */
  changeAmong({ facts, toTheEnd }: FactsAround, fact: Fact): RegisterChange {
    const last = this.#meter?.last
    if (toTheEnd && last !== undefined && !isParting(last)) this.#meter = undefined
    return changeAmong(facts, fact)
  }

  #knownMeter(): SwitchMeter | undefined {
    const tail = this.windows.tail()
    return tail && meterAfter(tail)
  }
}

function meterAfter(facts: readonly Fact[]): SwitchMeter {
  const meter = new SwitchMeter()
  meter.take(facts)
  return meter
}
