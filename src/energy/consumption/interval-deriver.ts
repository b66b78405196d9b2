import type { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { FactStore } from '../../ledger/facts/fact-store.js'
import { SwitchMeter } from '../../ledger/facts/switch-meter.js'
import type { TimeRange } from '../switch-energy.js'
import type { PriceBookReader } from '../tariffs/price-book.js'
import { PricingContexts, type PricingReaders } from '../tariffs/pricing-context.js'
import { EntryNumbers } from './entry-numbers.js'
import { intervalFields } from './interval-document.js'
import { IntervalScan } from './interval-scan.js'
import type { IntervalChanges, IntervalStore } from './interval-store.js'

/** No slot is longer. */
const hourMs = 3_600_000
/** What one transaction takes, but for the rest of a page and of an hour. */
const limitsOfTransaction = { facts: 40_000, intervals: 2_000 }

export interface DeriverParts {
  readonly database: Database
  readonly facts: FactStore
  readonly readers: PricingReaders
  readonly prices: PriceBookReader
  readonly store: IntervalStore
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
  async derive(switchId: ObjectId, { fromMs, toMs }: TimeRange): Promise<IntervalChanges> {
    const sum = { created: 0, changed: 0, removed: 0 }
    for (let nextMs: number | undefined = fromMs; nextMs !== undefined; ) {
      const span: TimeRange = { fromMs: nextMs, toMs }
      const done = await this.#parts.database.transactions.run(() => this.#deriveSome(switchId, span))
      sum.created += done.created
      sum.changed += done.changed
      sum.removed += done.removed
      nextMs = done.nextMs
    }
    return sum
  }

  async #deriveSome(switchId: ObjectId, span: TimeRange): Promise<IntervalChanges & Pick<IntervalScan, 'nextMs'>> {
    const contexts = new PricingContexts(this.#parts.readers, await this.#parts.prices.read())
    const scan = new IntervalScan(span, contexts)
    await this.#scan(switchId, span, contexts, scan)
    scan.end()
    const documents = scan.intervals.map((figures) => intervalFields(switchId, figures, contexts))
    return { ...(await this.#parts.store.replace(switchId, scan.covered, documents)), nextMs: scan.nextMs }
  }

  async #scan(switchId: ObjectId, span: TimeRange, contexts: PricingContexts, scan: IntervalScan): Promise<void> {
    const meter = new SwitchMeter()
    const numbers = new EntryNumbers()
    const [fromMs, toMs] = [span.fromMs - hourMs, span.toMs + hourMs]
    let factCount = 0
    for await (const page of this.#parts.facts.from(switchId, fromMs, toMs)) {
      numbers.add(page)
      await contexts.loadClassrooms(page.map(({ classroom }) => classroom))
      await contexts.loadDevices(page.map(({ deviceId }) => deviceId))
      for (const found of meter.take(page)) {
        if (found.stretch.toMs <= fromMs) continue
        const isFull = factCount >= this.#limits.facts || scan.intervals.length >= this.#limits.intervals
        if (!scan.take(found, numbers.endsOf(found.stretch), isFull)) return
      }
      if (meter.settledMs >= toMs) return
      numbers.forgetBefore(meter.settledMs)
      factCount += page.length
    }
  }
}
