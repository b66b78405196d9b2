import type { Document, Filter } from 'mongodb'
import { type Fact, inOrder } from '../../ledger/facts/fact.js'
import { partTheirNeighbours } from '../../ledger/facts/fact-run.js'
import { areStanding } from '../../ledger/facts/standing-counter.js'
import type { EnergyMeasurement } from '../measurement/measurement.js'
import type { MeasurementStore } from '../measurement/measurement-store.js'
import type { TimeRange } from '../switch-energy.js'
import { factOfMeasurement, type MeteredSwitch } from './metered-switch.js'

const largestPage = 4096
/** A page so large whose counter stood still is worth a look for the end of that. */
const worthSkipping = 64
const someReadings = 16

/** Facts that follow each other without a hole, in order. */
export interface MeasuredWindow {
  readonly facts: readonly Fact[]
  /** Whether what lies beyond them does not matter to what they were read for. */
  readonly isEnough: boolean
}

interface Page {
  readonly facts: readonly Fact[]
  /** The instant that it ends at, in the direction of reading; undefined if there is nothing more. */
  readonly reachedMs: number | undefined
}

/** Measured facts: what the measurements of a switch say about its energy, in the order of time. */
export class MeasuredFacts {
  readonly #measurements: MeasurementStore
  readonly #meter: MeteredSwitch

  constructor(measurements: MeasurementStore, meter: MeteredSwitch) {
    this.#measurements = measurements
    this.#meter = meter
  }

  async within(span: TimeRange): Promise<readonly Fact[]> {
    return (await this.#page(span, 1, Number.POSITIVE_INFINITY)).facts
  }

  /** The facts at the end of the range, back to where what lies before them no longer matters. */
  async back(span: TimeRange): Promise<MeasuredWindow> {
    let facts: readonly Fact[] = []
    let { toMs } = span
    for (let limit = this.#firstPage(); ; limit = Math.min(4 * limit, largestPage)) {
      const page = await this.#page({ ...span, toMs }, -1, limit)
      facts = [...page.facts, ...facts]
      if (partTheirNeighbours(facts)) return { facts, isEnough: true }
      if (page.reachedMs === undefined) return { facts, isEnough: false }
      toMs = page.reachedMs
      if (limit < worthSkipping || !areStanding(page.facts)) continue
      const standing = await this.#startOfStanding({ ...span, toMs }, page.facts[0] as Fact)
      facts = [...standing.facts, ...facts]
      toMs = standing.fromMs
    }
  }

  /** The facts at the start of the range, on to where what lies after them no longer matters. */
  async onward(span: TimeRange): Promise<MeasuredWindow> {
    let facts: readonly Fact[] = []
    let { fromMs } = span
    for (let limit = this.#firstPage(); ; limit = Math.min(4 * limit, largestPage)) {
      const page = await this.#page({ ...span, fromMs }, 1, limit)
      facts = [...facts, ...page.facts]
      if (partTheirNeighbours(facts)) return { facts, isEnough: true }
      if (page.reachedMs === undefined) return { facts, isEnough: false }
      fromMs = page.reachedMs + 1
    }
  }

  #firstPage(): number {
    return this.#meter.source === 'power' ? 1 : someReadings
  }

  /** The first readings of a counter that stood still at the end of the range: what lies between need not be read. */
  async #startOfStanding(span: TimeRange, { energyWh }: Fact): Promise<{ facts: readonly Fact[]; fromMs: number }> {
    const others = { $or: [{ counter_wh: { $lt: energyWh } }, { counter_wh: { $gt: energyWh } }] }
    let fromMs = span.fromMs
    for await (const { timestamp } of this.#walk(span, -1, others, 1)) {
      fromMs = timestamp.getTime() + 1
      break
    }
    return { facts: (await this.#page({ ...span, fromMs }, 1, someReadings)).facts, fromMs }
  }

  /** Whole instants, about as many as the limit says. */
  async #page(span: TimeRange, direction: 1 | -1, limit: number): Promise<Page> {
    const facts: Fact[] = []
    let lastMs: number | undefined
    for await (const measurement of this.#walk(span, direction, {}, Math.min(limit + 1, largestPage))) {
      const atMs = measurement.timestamp.getTime()
      if (facts.length >= limit && atMs !== lastMs) return { facts: inOrder(facts), reachedMs: lastMs }
      lastMs = atMs
      const fact = factOfMeasurement(measurement, this.#meter)
      if (fact !== undefined) facts.push(fact)
    }
    return { facts: inOrder(facts), reachedMs: undefined }
  }

  #walk({ fromMs, toMs }: TimeRange, direction: 1 | -1, filter: Document, batchSize: number) {
    const timestamp = { $gte: new Date(fromMs), $lt: new Date(toMs) }
    const query = { 'meta.switch': this.#meter.switchId, timestamp, ...filter } as Filter<EnergyMeasurement>
    // What a secondary does not know yet would be left out of a register, and nothing would bring it back.
    return this.#measurements.walk({ query, direction, batchSize, fromPrimary: true })
  }
}
