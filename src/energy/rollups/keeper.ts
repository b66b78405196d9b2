import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../core/database.js'
import { StaleReadError } from '../../core/retry-on-conflict.js'
import type { LedgerEntry } from '../../ledger/entry/entry.js'
import type { Ledger } from '../../ledger/ledger.js'
import { type PlaceReaders, Places } from '../places.js'
import type { PriceBookReader } from '../tariffs/price-book.js'
import { batchOf, devicesOf } from './batch.js'
import { addChange, MeterMemory } from './chain-change.js'
import { type FreshChain, headsOf, readFresh } from './fresh-entries.js'
import type { RollUpStore } from './rollup-store.js'
import { SlotTally } from './slot-tally.js'

export interface KeeperParts {
  readonly database: Database
  readonly ledger: Ledger
  readonly places: PlaceReaders
  readonly prices: PriceBookReader
  readonly store: RollUpStore
}

/** What a call of `update` has done. */
export interface RollUpUpdate {
  /** Entries that are in the roll-ups now, and were not before. */
  readonly entries: number
  /** Daily documents that changed. */
  readonly days: number
  /** Batches that were begun anew because another worker was at the same devices. */
  readonly conflicts: number
}

const chainsAtOnce = 250
const entriesAtOnce = 20_000
const lanes = 2

/** Brings the roll-ups up to what the ledger has. Any number of workers may. */
export class RollUpKeeper {
  readonly #parts: KeeperParts
  readonly #meters = new MeterMemory()

  constructor(parts: KeeperParts) {
    this.#parts = parts
  }

  /** Adds what the ledger had when it was called. */
  async update(): Promise<RollUpUpdate> {
    const total = { entries: 0, days: 0, conflicts: 0 }
    for (let attempt = 0; ; attempt += 1) {
      const done = await this.#pass()
      total.entries += done.entries
      total.days += done.days
      total.conflicts += done.conflicts
      if (done.conflicts === 0 && !done.isMoreLeft) return total
      // Workers that met are not to meet again.
      if (done.conflicts > 0) await sleep(Math.random() * Math.min(10 * 2 ** attempt, 1000))
    }
  }

  async #pass(): Promise<RollUpUpdate & { readonly isMoreLeft: boolean }> {
    const { prices, places: parts } = this.#parts
    const { chains, isMoreLeft } = await this.#freshChains()
    const total = { entries: 0, days: 0, conflicts: 0, isMoreLeft }
    if (chains.length === 0) return total
    const book = await prices.read()
    const places = await Places.withAllClassrooms(parts, book)
    const work = async (batches: readonly (readonly FreshChain[])[]) => {
      for (const batch of batches) {
        const done = await this.#add(batch, places)
        total.entries += done.entries
        total.days += done.days
        total.conflicts += done.conflicts
      }
    }
    await Promise.all(inLanes(inBatches(chains)).map(work))
    return total
  }

  async #freshChains(): Promise<{ chains: FreshChain[]; isMoreLeft: boolean }> {
    const through = await this.#parts.store.cursors()
    const { database, ledger } = this.#parts
    const heads = await this.#read('heads', () => headsOf(database.collectionOf<LedgerEntry>(ledger.entity)))
    let isMoreLeft = false
    const chains = heads.flatMap(({ switchId, sequence }) => {
      const from = through.get(switchId.toHexString()) ?? 0
      if (sequence <= from) return []
      const head = Math.min(sequence, from + entriesAtOnce)
      if (head < sequence) isMoreLeft = true
      return { switchId, through: from, head }
    })
    // Switches of one device were made together: their documents are written once then.
    const byId = (a: FreshChain, b: FreshChain) => (a.switchId.toHexString() < b.switchId.toHexString() ? -1 : 1)
    return { chains: chains.sort(byId), isMoreLeft }
  }

  async #add(chains: readonly FreshChain[], places: Places): Promise<RollUpUpdate> {
    const { store, ledger, database } = this.#parts
    const fresh = await this.#read('new entries', () => readFresh(database.native, ledger.entity.collection, chains))
    const tally = new SlotTally((classroom) => places.calendarOf(classroom))
    const meters = await Promise.all(
      fresh.map((chain) => {
        const meter = this.#meters.take(chain.switchId.toHexString(), chain.through)
        return addChange(tally, ledger.facts, chain, meter)
      }),
    )
    const changes = [...tally.days.values()]
    await places.loadDevices(devicesOf(changes))
    const cursors = fresh.map(({ switchId, through, head }) => ({ switchId, from: through, to: head }))
    const batch = await batchOf(store, places, changes, cursors)
    try {
      await store.write(batch)
    } catch (error) {
      if (error instanceof StaleReadError) return { entries: 0, days: 0, conflicts: 1 }
      throw error
    }
    for (const [at, { switchId, head }] of fresh.entries()) {
      const meter = meters[at]
      if (meter !== undefined) this.#meters.put(switchId.toHexString(), head, meter)
    }
    const entries = fresh.reduce((sum, chain) => sum + chain.entries.length, 0)
    return { entries, days: batch.days.length, conflicts: 0 }
  }

  #read<Result>(operation: string, query: () => Promise<Result>): Promise<Result> {
    return this.#parts.database.run(this.#parts.ledger.entity, operation, query)
  }
}

/** Batches that follow each other are in one lane: where one ends amid a device's switches, the next has the same documents. */
function inLanes<Batch>(batches: readonly Batch[]): (readonly Batch[])[] {
  // One batch in each lane would be neighbours at the same time.
  const length = batches.length <= lanes ? batches.length : Math.ceil(batches.length / lanes)
  return Array.from({ length: Math.ceil(batches.length / length) }, (_, at) =>
    batches.slice(at * length, (at + 1) * length),
  )
}

function inBatches(chains: readonly FreshChain[]): FreshChain[][] {
  const batches: FreshChain[][] = []
  let entries = 0
  for (const chain of chains) {
    const batch = batches.at(-1)
    const count = chain.head - chain.through
    if (batch === undefined || batch.length >= chainsAtOnce || entries + count > entriesAtOnce) {
      batches.push([chain])
      entries = count
    } else {
      batch.push(chain)
      entries += count
    }
  }
  return batches
}
