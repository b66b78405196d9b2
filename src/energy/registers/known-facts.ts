import type { Fact } from '../../ledger/facts/fact.js'
import { inOrder } from '../../ledger/facts/fact.js'
import type { MeasurementStore } from '../measurement/measurement-store.js'
import type { TimeRange } from '../switch-energy.js'
import { MeasuredFacts } from './measured-facts.js'
import type { MeteredSwitch } from './metered-switch.js'
import type { Recorded, RegisterLedger } from './register-ledger.js'

/**
 * ms; a time longer than this between two readings is missing, whatever its energy: it would be thousands of registers at one
 * go. Nothing further away is looked at.
 */
export const longestReachMs = 31 * 86_400_000
const recordedAtOnce = 256

/**
 * What is known of a switch's energy, from its measurements and from the readings that the ledger has of a time in which all
 * of them were recorded.
 */
export class KnownFacts {
  readonly #measured: MeasuredFacts
  readonly #ledger: RegisterLedger
  readonly #meter: MeteredSwitch

  constructor(measurements: MeasurementStore, ledger: RegisterLedger, meter: MeteredSwitch) {
    this.#measured = new MeasuredFacts(measurements, meter)
    this.#ledger = ledger
    this.#meter = meter
  }

  /** All that matter to the energy of the range, in order. */
  async around(span: TimeRange, recorded: Recorded): Promise<readonly Fact[]> {
    const [before, within, after] = await Promise.all([
      this.#before(span.fromMs),
      this.#measured.within(span),
      this.#after(span.toMs),
    ])
    const others = recorded.facts.filter(({ atMs }) => atMs >= span.fromMs && atMs < span.toMs)
    return [...before, ...inOrder([...within, ...others]), ...after]
  }

  async #before(toMs: number): Promise<readonly Fact[]> {
    const span = { fromMs: toMs - longestReachMs, toMs }
    const { facts, isEnough } = await this.#measured.back(span)
    const fromMs = isEnough ? (facts[0]?.atMs ?? span.fromMs) : span.fromMs
    const recorded = await this.#ledger.facts(this.#meter.switchId, { fromMs, toMs }, -1, recordedAtOnce)
    const sinceMs = recorded.areAll ? fromMs : Math.max(fromMs, recorded.facts[0]?.atMs ?? fromMs)
    return inOrder([...facts, ...recorded.facts]).filter(({ atMs }) => atMs >= sinceMs)
  }

  async #after(fromMs: number): Promise<readonly Fact[]> {
    const span = { fromMs, toMs: fromMs + longestReachMs }
    const { facts, isEnough } = await this.#measured.onward(span)
    const lastMs = isEnough ? (facts.at(-1)?.atMs ?? span.toMs) : span.toMs
    const recorded = await this.#ledger.facts(this.#meter.switchId, { fromMs, toMs: lastMs + 1 }, 1, recordedAtOnce)
    const untilMs = recorded.areAll ? lastMs : Math.min(lastMs, recorded.facts.at(-1)?.atMs ?? lastMs)
    return inOrder([...facts, ...recorded.facts]).filter(({ atMs }) => atMs <= untilMs)
  }
}
