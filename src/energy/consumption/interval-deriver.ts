import type { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { FactStore } from '../../ledger/facts/fact-store.js'
import { SwitchMeter } from '../../ledger/facts/switch-meter.js'
import { EntryNumbers } from './entry-numbers.js'
import { IntervalBuilder, type IntervalFigures } from './interval-builder.js'
import { intervalFields } from './interval-document.js'
import { type IntervalPart, partsOf, type Span } from './interval-parts.js'
import { IntervalPlaces, type PlaceReaders } from './interval-places.js'
import type { IntervalChanges, IntervalStore } from './interval-store.js'

/** No slot is longer. */
const hourMs = 3_600_000
/** What one transaction takes at most, but for the rest of a page and of an hour. */
const limitsOfTransaction = { facts: 20_000, intervals: 2_000 }

export interface DeriverParts {
  readonly database: Database
  readonly facts: FactStore
  readonly readers: PlaceReaders
  readonly store: IntervalStore
}

interface Found {
  readonly intervals: readonly IntervalFigures[]
  readonly places: IntervalPlaces
  /** The time that was looked at: whole hours, as far as the ledger tells of them. */
  readonly covered: Span
  /** Where the next transaction has to go on; undefined at the end of the span. */
  readonly nextMs: number | undefined
}

/** Derives the intervals of a switch from its ledger entries, some thousands in a transaction. */
export class IntervalDeriver {
  readonly #parts: DeriverParts
  readonly #limits: typeof limitsOfTransaction

  constructor(parts: DeriverParts, limits = limitsOfTransaction) {
    this.#parts = parts
    this.#limits = limits
  }

  /** Makes the derived intervals of the hours that reach into the span be what the ledger says. */
  async derive(switchId: ObjectId, { fromMs, toMs }: Span): Promise<IntervalChanges> {
    const sum = { created: 0, changed: 0, removed: 0 }
    for (let nextMs: number | undefined = fromMs; nextMs !== undefined; ) {
      const span: Span = { fromMs: nextMs, toMs }
      const done = await this.#parts.database.transactions.run(() => this.#deriveSome(switchId, span))
      sum.created += done.created
      sum.changed += done.changed
      sum.removed += done.removed
      nextMs = done.nextMs
    }
    return sum
  }

  async #deriveSome(switchId: ObjectId, span: Span): Promise<IntervalChanges & Pick<Found, 'nextMs'>> {
    const { intervals, places, covered, nextMs } = await this.#find(switchId, span)
    const documents = intervals.map((figures) => intervalFields(switchId, figures, places))
    return { ...(await this.#parts.store.replace(switchId, covered, documents)), nextMs }
  }

  async #find(switchId: ObjectId, span: Span): Promise<Found> {
    const { facts, readers } = this.#parts
    const [places, meter, numbers, builder] = [
      new IntervalPlaces(readers),
      new SwitchMeter(),
      new EntryNumbers(),
      new IntervalBuilder(),
    ]
    const read: Span = { fromMs: span.fromMs - hourMs, toMs: span.toMs + hourMs }
    let factCount = 0
    let last: IntervalPart | undefined
    let firstMs = span.fromMs
    const foundUntil = (nextMs: number | undefined): Found => {
      builder.end()
      const toMs = nextMs ?? Math.max(span.toMs, last?.stretch.toMs ?? span.toMs)
      return { intervals: builder.intervals, places, covered: { fromMs: firstMs, toMs }, nextMs }
    }
    for await (const page of facts.from(switchId, read.fromMs, read.toMs)) {
      factCount += page.length
      numbers.add(page)
      await places.load(page)
      for (const found of meter.take(page)) {
        if (found.stretch.toMs <= read.fromMs || found.stretch.fromMs >= read.toMs) continue
        const entries = numbers.endsOf(found.stretch)
        // From the first hour that reaches in, all is taken: hours of another zone may end before it does.
        const afterMs = last === undefined ? span.fromMs : Number.NEGATIVE_INFINITY
        for (const part of partsOf(found, places.calendarOf(found.since.classroom), afterMs)) {
          if (part.hourMs >= span.toMs) return foundUntil(undefined)
          const isFull = factCount > this.#limits.facts || builder.intervals.length >= this.#limits.intervals
          const { fromMs } = part.stretch
          if (isFull && fromMs > span.fromMs && last !== undefined && part.slot.startMs >= last.slot.endMs) {
            return foundUntil(fromMs)
          }
          builder.add(part, entries)
          firstMs = Math.min(firstMs, fromMs)
          last = part
        }
      }
      numbers.forgetBefore(meter.settledMs)
      if (meter.settledMs >= read.toMs) break
    }
    return foundUntil(undefined)
  }
}
