import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { StoreWrite } from '../../core/collection/store-query.js'
import type { Database } from '../../core/database.js'
import type { Identified } from '../../core/entity.js'
import { NotFoundError } from '../../core/errors.js'
import type { Lease } from '../../core/lease.js'
import { retryStale, StaleReadError } from '../../core/retry-on-conflict.js'
import { Bookings } from '../accounts/bookings.js'
import type { MarketArea } from '../area.js'
import type { MarketCollections } from '../collections.js'
import type { MarketOrder } from '../orders/order.js'
import { nextSlotMs } from '../slots.js'
import { Batch, bookOrderOf, type Due, type RunCounts } from './batch.js'
import { Book } from './book.js'

/** How many of each kind a batch takes at most. */
const atOnce = 500

/**
 * Matches the orders of one area, in batches: each is one transaction that fails if the lease is lost. The book is kept in memory from one
 * batch to the next, and read anew where another process has written a batch since.
 */
export class AreaMatcher {
  readonly #database: Database
  readonly #collections: MarketCollections
  readonly #area: ObjectId
  #book: { readonly book: Book; batches: number } | undefined

  constructor(database: Database, collections: MarketCollections, area: ObjectId) {
    this.#database = database
    this.#collections = collections
    this.#area = area
  }

  /** One batch. @returns what it has done, and whether there may be more to do. */
  async batch(lease: Lease): Promise<{ readonly counts: RunCounts; readonly isMore: boolean }> {
    return retryStale(this.#database, async () => {
      this.#book ??= await this.#readBook()
      const { book, batches } = this.#book
      try {
        const done = await this.#database.transactions.run(() => this.#write(lease, book, batches))
        book.keep()
        this.#book.batches = done.batches
        return done
      } catch (error) {
        // Whether a batch was written that failed on the way is for the database to say.
        this.#book = undefined
        throw error
      }
    })
  }

  async #readBook() {
    const { batches } = await this.#readArea()
    const book = new Book()
    // Under the lease nobody fills them. What is cancelled meanwhile is to be released, and is found by that.
    const open = this.#collections.orders
      .for('market')
      .stream({ area: this.#area, isOpen: true, due: { $exists: false } })
    for await (const order of open) book.add(bookOrderOf(order, order.sequence ?? 0))
    book.keep()
    return { book, batches }
  }

  /** Part of a transaction, which may run it again. */
  async #write(lease: Lease, book: Book, batches: number) {
    book.undo()
    await lease.guard()
    const area = await this.#readArea()
    if (area.batches !== batches) throw new StaleReadError()
    const now = this.#database.clock.now()
    const gateMs = nextSlotMs(now.getTime())
    const due = await this.#due(gateMs)
    const size = due.transfers.length + due.releases.length + due.expired.length + due.intakes.length
    const bookings = new Bookings(this.#area, this.#collections)
    const batch = new Batch(area, book, bookings, { now, gateMs })
    if (size === 0) return { counts: batch.counts, isMore: false, batches }
    await bookings.load(usersOf(due))
    batch.transfer(due.transfers)
    batch.release(due.releases)
    batch.expire(due.expired)
    batch.take(due.intakes)
    await bookings.load(batch.traders)
    batch.finish()
    const isMore = [due.transfers, due.releases, due.expired, due.intakes].some(({ length }) => length === atOnce)
    await this.#store(batch, bookings, area, now)
    return { counts: batch.counts, isMore: isMore || batch.isCutShort, batches: batches + 1 }
  }

  async #store(batch: Batch, bookings: Bookings, area: MarketArea, now: Date): Promise<void> {
    const { orders, transactions, areas } = this.#collections
    await written(orders, batch.orderWrites)
    await written(transactions, batch.transferWrites)
    await transactions.for('market').insert(batch.trades)
    const head = await bookings.write(area, now)
    const set = { ...head, orderSequence: batch.orderSequence, batches: area.batches + 1 }
    const { matched } = await areas.for('market').updateOne({ _id: area._id, batches: area.batches }, { $set: set })
    if (matched === 0) throw new StaleReadError()
  }

  /** What is cancelled has to be known in full before anything is matched. */
  async #due(gateMs: number): Promise<Due> {
    const area = this.#area
    const { orders, transactions } = this.#collections
    const paging = { sort: { _id: 1 }, limit: atOnce } as const
    const transfers = await transactions.for('market').find({ area, due: 'post' }, paging)
    const releases = await orders.for('market').find({ area, due: 'release' }, paging)
    if (releases.length === atOnce) return { transfers, releases, expired: [], intakes: [] }
    const over = { area, isOpen: true, availableUntil: { $lte: new Date(gateMs) } }
    const expired = await orders.for('market').find(over, { limit: atOnce })
    const waiting = { area, due: 'intake', availableUntil: { $gt: new Date(gateMs) } }
    const intakes = await orders.for('market').find(waiting, paging)
    return { transfers, releases, expired, intakes }
  }

  async #readArea(): Promise<MarketArea> {
    const area = await this.#collections.areas.for('market').findOne({ _id: this.#area })
    if (area === null) throw new NotFoundError('market area', `id ${this.#area.toHexString()}`)
    return area
  }
}

/** All of them, or the batch is of what is no more. */
async function written<Stored extends Identified>(
  documents: EntityCollection<Stored>,
  writes: readonly StoreWrite<Stored>[],
): Promise<void> {
  const { matched } = await documents.for('market').bulkWrite(writes)
  if (matched !== writes.length) throw new StaleReadError()
}

function usersOf({ transfers, releases, expired, intakes }: Due): ObjectId[] {
  const orders: readonly MarketOrder[] = [...releases, ...expired, ...intakes]
  return [
    ...transfers.flatMap(({ from, to }) => [from, to].filter((user) => user !== undefined)),
    ...orders.map(({ user }) => user),
  ]
}
