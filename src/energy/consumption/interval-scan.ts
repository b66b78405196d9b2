import type { FactStretch } from '../../ledger/facts/switch-meter.js'
import type { TimeRange } from '../switch-energy.js'
import type { PricingContexts } from '../tariffs/pricing-context.js'
import { type EntryEnds, IntervalBuilder, type IntervalFigures } from './interval-builder.js'
import { type IntervalPart, partsOf } from './interval-parts.js'

/** Joins the stretches of a switch, in order, into the intervals of the hours that reach into a span. */
export class IntervalScan {
  /** Where the next scan has to go on; undefined at the end of the span. */
  nextMs: number | undefined
  readonly #span: TimeRange
  readonly #contexts: PricingContexts
  readonly #builder = new IntervalBuilder()
  #first: IntervalPart | undefined
  #last: IntervalPart | undefined

  /** @param contexts Those of all stretches have to be loaded before they are taken. */
  constructor(span: TimeRange, contexts: PricingContexts) {
    this.#span = span
    this.#contexts = contexts
  }

  /** Those that are complete. */
  get intervals(): readonly IntervalFigures[] {
    return this.#builder.intervals
  }

  /** The time that was looked at: whole hours, as far as the ledger covers them. */
  get covered(): TimeRange {
    const { fromMs, toMs } = this.#span
    return {
      fromMs: Math.min(fromMs, this.#first?.stretch.fromMs ?? fromMs),
      toMs: this.nextMs ?? Math.max(toMs, this.#last?.stretch.toMs ?? toMs),
    }
  }

  /**
   * Takes the next stretch.
   * @param isFull Whether to end where the next slot begins.
   * @returns false if the scan has ended.
   */
  take(found: FactStretch, entries: EntryEnds, isFull: boolean): boolean {
    // From the first hour that reaches in, all is taken: those of another zone may end before it does.
    const afterMs = this.#last === undefined ? this.#span.fromMs : Number.NEGATIVE_INFINITY
    for (const part of partsOf(found, this.#contexts.calendarOf(found.since.classroom), afterMs)) {
      if (part.hourMs >= this.#span.toMs) return false
      if (isFull && this.#canEndBefore(part)) {
        this.nextMs = part.stretch.fromMs
        return false
      }
      this.#builder.add(part, entries)
      this.#first ??= part
      this.#last = part
    }
    return true
  }

  /** No more stretches are to come. */
  end(): void {
    this.#builder.end()
  }

  #canEndBefore({ stretch, slot }: IntervalPart): boolean {
    const last = this.#last
    return last !== undefined && slot.startMs >= last.slot.endMs && stretch.fromMs > this.#span.fromMs
  }
}
