import { setTimeout as sleep } from 'node:timers/promises'
import type { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { StaleReadError } from '../../core/retry-on-conflict.js'
import type { LedgerEntry } from '../../ledger/entry/entry.js'
import { SwitchMeter } from '../../ledger/facts/switch-meter.js'
import type { Ledger } from '../../ledger/ledger.js'
import type { PriceBookReader } from '../tariffs/price-book.js'
import { PricingContexts, type PricingReaders } from '../tariffs/pricing-context.js'
import { addChange, MeterMemory } from './chain-change.js'
import {
  afterArchive,
  areAllThere,
  entriesAtOnce,
  type FreshChain,
  type FreshEntries,
  inBatches,
  lastEntriesOf,
  readFresh,
} from './fresh-entries.js'
import { devicesOf, rollUpBatch } from './roll-up-batch.js'
import { type ChainProgress, noProgress, progressTo } from './roll-up-cursor.js'
import type { RollUpStore } from './roll-up-store.js'
import { SlotTally } from './slot-tally.js'

export interface RollUpUpdaterParts {
  readonly database: Database
  readonly ledger: Ledger
  readonly contexts: PricingReaders
  readonly prices: PriceBookReader
  readonly store: RollUpStore
}

/** Roll-up update: what a call of `update` has done. */
export interface RollUpUpdate {
  /** Entries that are in the roll-ups now, and were not before. */
  readonly entries: number
  /** Daily documents that changed. */
  readonly days: number
  /** Batches that were begun anew because another worker was at the same devices. */
  readonly conflicts: number
}

const batchesAtOnce = 2

/** A chain that goes on, and its progress until now. */
interface GoingOn extends FreshChain {
  readonly before: ChainProgress
}

/** New entries that were added to a tally. */
interface Added {
  readonly switchId: ObjectId
  readonly before: ChainProgress
  readonly after: ChainProgress
  /** The meter that stands there now, where it is known. */
  readonly meter: SwitchMeter | undefined
  readonly entries: number
}

/** Updates the roll-ups with the new entries of the ledger. Any number of workers may run it. */
export class RollUpUpdater {
  readonly #parts: RollUpUpdaterParts
  readonly #meters = new MeterMemory()

  constructor(parts: RollUpUpdaterParts) {
    this.#parts = parts
  }

  /** Adds what the ledger had when it was called. @param onDone Called with an instant: what the ledger had then is in the roll-ups. */
  async update(onDone: (completeUntil: Date) => Promise<void>): Promise<RollUpUpdate> {
    const total = { entries: 0, days: 0, conflicts: 0 }
    for (let attempt = 0; ; attempt += 1) {
      const completeUntil = this.#parts.database.clock.now()
      const done = await this.#pass()
      total.entries += done.entries
      total.days += done.days
      total.conflicts += done.conflicts
      if (done.conflicts === 0 && !done.isMoreLeft) {
        await onDone(completeUntil)
        return total
      }
      // Workers that met are not to meet again.
      if (done.conflicts > 0) await sleep(Math.random() * Math.min(10 * 2 ** attempt, 1000))
    }
  }

  async #pass(): Promise<RollUpUpdate & { readonly isMoreLeft: boolean }> {
    const { chains, isMoreLeft } = await this.#freshChains()
    const total = { entries: 0, days: 0, conflicts: 0, isMoreLeft }
    const work = async (batches: readonly (readonly GoingOn[])[]) => {
      for (const batch of batches) {
        const done = await this.#add(batch)
        total.entries += done.entries
        total.days += done.days
        total.conflicts += done.conflicts
      }
    }
    await Promise.all(neighboursTogether(inBatches(chains)).map(work))
    return total
  }

  async #freshChains(): Promise<{ chains: GoingOn[]; isMoreLeft: boolean }> {
    const progress = await this.#parts.store.progress()
    const { database, ledger } = this.#parts
    const heads = await this.#read('heads', () => lastEntriesOf(database.collectionOf<LedgerEntry>(ledger.entity)))
    let isMoreLeft = false
    const chains = heads.flatMap(({ switchId, sequence }) => {
      const before = progress.get(switchId.toHexString()) ?? noProgress
      const { through } = before
      if (sequence <= through) return []
      const head = Math.min(sequence, through + entriesAtOnce)
      if (head < sequence) isMoreLeft = true
      return { switchId, through, head, before }
    })
    // Switches of one device were made together: their documents are written once then.
    const byId = (a: GoingOn, b: GoingOn) => (a.switchId.toHexString() < b.switchId.toHexString() ? -1 : 1)
    return { chains: chains.sort(byId), isMoreLeft }
  }

  async #add(chains: readonly GoingOn[]): Promise<RollUpUpdate> {
    const { store, ledger, database } = this.#parts
    // Read for each batch: a change of prices is re-costed once more after a while, when no batch can be of before it.
    const contexts = await PricingContexts.withAllClassrooms(this.#parts.contexts, await this.#parts.prices.read())
    const fresh = await this.#read('new entries', () => readFresh(database.native, ledger.entity.collection, chains))
    const tally = new SlotTally((classroom) => contexts.calendarOf(classroom))
    const added = await Promise.all(fresh.map((chain) => this.#addChain(tally, chain)))
    const changes = [...tally.days.values()]
    await contexts.loadDevices(devicesOf(changes))
    const cursors = added.map(({ switchId, before, after }) => ({ switchId, from: before.through, to: after }))
    const batch = await rollUpBatch(store, contexts, changes, cursors)
    try {
      await store.write(batch)
    } catch (error) {
      if (error instanceof StaleReadError) return { entries: 0, days: 0, conflicts: 1 }
      throw error
    }
    for (const { switchId, after, meter } of added) {
      if (meter !== undefined) this.#meters.put(switchId.toHexString(), after.through, meter)
    }
    const entries = added.reduce((sum, chain) => sum + chain.entries, 0)
    return { entries, days: batch.days.length, conflicts: 0 }
  }

  async #addChain(tally: SlotTally, chain: GoingOn & FreshEntries): Promise<Added> {
    const { switchId, through, head, before } = chain
    const { facts } = this.#parts.ledger
    const known = this.#meters.take(switchId.toHexString(), through)
    const archivedMs = areAllThere(chain) ? undefined : await facts.archivedUntilMs(switchId)
    if (archivedMs === undefined) {
      const meter = await addChange(tally, facts, chain, known)
      return { switchId, before, after: progressTo(before, head, meter), meter, entries: chain.entries.length }
    }
    const { fresh, unknownUntil } = afterArchive(chain, archivedMs)
    // Nothing is counted across what is not known: the meter begins anew after it.
    const meter = await addChange(tally, facts, fresh, new SwitchMeter())
    const after = { ...progressTo(before, head, meter), unknownUntil }
    return { switchId, before, after, meter, entries: chain.entries.length }
  }

  #read<Result>(operation: string, query: () => Promise<Result>): Promise<Result> {
    return this.#parts.database.run(this.#parts.ledger.entity, operation, query)
  }
}

/** Groups to be worked on at the same time. Batches that follow each other are in one group: both may change a device's documents. */
function neighboursTogether<Batch>(batches: readonly Batch[]): (readonly Batch[])[] {
  // With one batch in each group, neighbours would be worked on at the same time.
  const length = batches.length <= batchesAtOnce ? batches.length : Math.ceil(batches.length / batchesAtOnce)
  return Array.from({ length: Math.ceil(batches.length / length) }, (_, at) =>
    batches.slice(at * length, (at + 1) * length),
  )
}
