import type { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import { withHeldLease } from '../../core/held-lease.js'
import type { Lease } from '../../core/lease.js'
import type { MarketCollections } from '../collections.js'
import { nextSlotMs } from '../slots.js'
import { AreaMatcher } from './area-matcher.js'
import type { MatcherRun, RunCounts } from './batch.js'

const leaseMs = 10_000
const areasAtOnce = 8
/** So that other areas get their turn. */
const batchesInTurn = 20

/** Does work that only one process at a time may do for an area. @returns null if another has it. */
export function withArea<Result>(
  database: Database,
  area: ObjectId,
  work: (lease: Lease, signal: AbortSignal) => Promise<Result>,
  waitMs = 0,
) {
  return withHeldLease(database, { name: `market:${area.toHexString()}`, durationMs: leaseMs, waitMs }, work)
}

/** Matches the areas in which something is to be done, each by one process at a time. */
export class Matchers {
  readonly #database: Database
  readonly #collections: MarketCollections
  readonly #areas = new Map<string, AreaMatcher>()

  constructor(database: Database, collections: MarketCollections) {
    this.#database = database
    this.#collections = collections
  }

  /** Until nothing is to be done that no other process does, or the signal. @throws what an area fails with, once the others are done. */
  async run(signal: AbortSignal): Promise<MatcherRun> {
    const counts: RunCounts = { taken: 0, trades: 0, expired: 0, released: 0, refused: 0, posted: 0 }
    const failed = new Map<string, unknown>()
    for (let isMore = true; isMore && !signal.aborted; ) {
      isMore = false
      const due = (await this.#dueAreas()).filter((area) => !failed.has(area.toHexString()))
      await forEachConcurrently(inAnyOrder(due), areasAtOnce, async (area) => {
        try {
          const turn = await withArea(this.#database, area, (lease, held) =>
            this.#turn(area, lease, AbortSignal.any([signal, held]), counts),
          )
          if (turn?.result === true) isMore = true
        } catch (error) {
          // A lease that has gone to another process is that one's to go on with.
          const isLost = error instanceof DatabaseError && error.code === 'LEASE_LOST'
          if (!isLost) failed.set(area.toHexString(), error)
        }
      })
    }
    for (const error of failed.values()) throw error
    return counts
  }

  /** @returns whether there is more to do. */
  async #turn(area: ObjectId, lease: Lease, signal: AbortSignal, counts: RunCounts): Promise<boolean> {
    const key = area.toHexString()
    const matcher = this.#areas.get(key) ?? new AreaMatcher(this.#database, this.#collections, area)
    this.#areas.set(key, matcher)
    for (let batch = 0; batch < batchesInTurn && !signal.aborted; batch += 1) {
      const { counts: done, isMore } = await matcher.batch(lease)
      for (const name of Object.keys(counts) as (keyof RunCounts)[]) counts[name] += done[name]
      if (!isMore) return false
    }
    return true
  }

  async #dueAreas(): Promise<ObjectId[]> {
    const { orders, transactions } = this.#collections
    const over = new Date(nextSlotMs(this.#database.clock.now().getTime()))
    const [waiting, transfers, expired] = await Promise.all([
      orders.for('market').distinct<ObjectId>('area', { due: { $gt: '' } }),
      transactions.for('market').distinct<ObjectId>('area', { due: { $gt: '' } }),
      orders.for('market').distinct<ObjectId>('area', { isOpen: true, availableUntil: { $lte: over } }),
    ])
    return [...new Map([...waiting, ...transfers, ...expired].map((area) => [area.toHexString(), area])).values()]
  }
}

/** So that processes that begin at once do not all wait for the same one. */
function inAnyOrder<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}
