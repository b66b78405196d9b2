import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Database } from '../core/database.js'
import { instant, objectId, toObjectId } from '../core/fields.js'
import { everyMs } from '../core/option-schemas.js'
import { Reader } from '../core/repository/reader.js'
import { Repository } from '../core/repository/repository.js'
import { validateData } from '../core/validate.js'
import type { Ledger } from '../ledger/ledger.js'
import type { MarketAccount } from './accounts/account.js'
import { setCreditLimit } from './accounts/credit-limit.js'
import type { MarketJournal } from './accounts/journal.js'
import { type BooksReport, verifyBooks } from './accounts/verify-books.js'
import { type LocalOrder, type LocalOrdersQuestion, localOrders, localOrdersSchema } from './answers/local-orders.js'
import { type OrderBook, type OrderBookQuestion, orderBook, orderBookSchema } from './answers/order-book.js'
import {
  type PriceStatistics,
  type PriceStatisticsQuestion,
  priceStatistics,
  priceStatisticsSchema,
} from './answers/price-statistics.js'
import { type TaxExportQuestion, taxExport, taxExportSchema } from './answers/tax-export.js'
import {
  type UserBalance,
  type UserReport,
  type UserReportQuestion,
  userBalances,
  userReport,
  userReportSchema,
} from './answers/user-report.js'
import type { MarketArea, MarketAreaInput } from './area.js'
import { type MarketCollections, marketCollections, type marketEntities } from './collections.js'
import { decimalIn, moneyPlaces } from './decimal.js'
import { KnownAreas } from './known-areas.js'
import type { MatcherRun } from './matching/batch.js'
import { Matchers } from './matching/matchers.js'
import { Eligibility, type TraderEntities } from './orders/eligibility.js'
import type { MarketOrder } from './orders/order.js'
import { type OrderInput, orderInputSchema, type ParsedOrder } from './orders/order-input.js'
import { OrderStore } from './orders/order-store.js'
import { Deliveries } from './settlement/deliveries.js'
import type { MarketSettlement } from './settlement/settlement.js'
import { type SettlementRun, Settler } from './settlement/settler.js'
import { SlotEnergy } from './settlement/slot-energy.js'
import { nextSlotMs } from './slots.js'
import type { MarketTransaction } from './transaction.js'
import { type ChainNote, chainNoteSchema, type TransferInput, Transfers, transferInputSchema } from './transfers.js'

const mostOrders = 1_000
const ordersSchema = z.array(orderInputSchema).min(1).max(mostOrders)
const cancelSchema = z.strictObject({
  /** The order. */
  order: objectId(),
  /** Whose it is. */
  user: objectId(),
})
const startSchema = z.strictObject({
  /** How long it rests once nothing is to be done. */
  everyMs: everyMs().default(200),
})
export type MarketStartOptions = z.input<typeof startSchema>

const settlementSchema = z.strictObject({
  /** How long it rests between two settlements. */
  everyMs: everyMs().default(900_000),
  /** Of how many days past deliveries are settled anew where the ledger says something else since. */
  lateDays: z.int().min(0).max(366).default(7),
})
export type SettlementStartOptions = z.input<typeof settlementSchema>

const settledTimeSchema = z
  .strictObject({
    /** The area. */
    area: objectId(),
    /** Deliveries that ended then or later. */
    from: instant(),
    /** Deliveries that ended then or before. */
    until: instant(),
  })
  .refine(({ from, until }) => until >= from, { error: 'expected a time after `from`', path: ['until'] })
const creditSchema = z.strictObject({
  /** The area of the account. */
  area: objectId(),
  /** Whose it is. */
  user: objectId(),
  /** How far below zero it may go, at most 6 decimals. */
  creditLimit: decimalIn(moneyPlaces, { atLeast: 0n, below: 1e16 }),
})
export type CreditLimitInput = z.input<typeof creditSchema>
const dayMs = 86_400_000

export interface MarketNeeds {
  readonly ledger: Ledger
}

/** The energy market: orders that meet by price and time, accounts in double entry, and settlement by what the ledger says. */
export class Market {
  /** The areas, with their terms. */
  readonly areas: Repository<MarketArea, MarketAreaInput>
  /** Orders as they are. {@link place} and {@link cancel} write them. */
  readonly orders: Reader<MarketOrder>
  /** Trades and transfers. */
  readonly transactions: Reader<MarketTransaction>
  /** What users and areas have. */
  readonly accounts: Reader<MarketAccount>
  /** What moved the accounts. */
  readonly journals: Reader<MarketJournal>
  /** What trades came to. */
  readonly settlements: Reader<MarketSettlement>
  readonly #database: Database
  readonly #known: KnownAreas
  readonly #eligibility: Eligibility
  readonly #store: OrderStore
  readonly #transfers: Transfers
  readonly #matchers: Matchers
  readonly #settler: Settler
  readonly #collections: MarketCollections

  constructor(database: Database, entities: typeof marketEntities & TraderEntities, { ledger }: MarketNeeds) {
    this.areas = new Repository(database, entities.marketAreas)
    this.orders = new Reader(database, entities.marketOrders)
    this.transactions = new Reader(database, entities.marketTransactions)
    this.accounts = new Reader(database, entities.marketAccounts)
    this.journals = new Reader(database, entities.marketJournals)
    this.settlements = new Reader(database, entities.marketSettlements)
    const collections = marketCollections(database, entities)
    this.#database = database
    this.#known = new KnownAreas(collections.areas)
    this.#eligibility = new Eligibility(database, entities)
    this.#store = new OrderStore(database, entities.marketOrders)
    this.#transfers = new Transfers(database, collections.transactions)
    this.#collections = collections
    this.#matchers = new Matchers(database, collections)
    const energy = new SlotEnergy(database, ledger, entities.devices)
    this.#settler = new Settler(database, collections, new Deliveries(collections.transactions, energy))
  }

  /**
   * Places an order. It is durable when this resolves, and meets others once a matcher has taken it in.
   * @returns it, or the one that is there with the same key, whatever has become of that.
   * @throws ValidationError, also for a user who may not; NotFoundError without the area; ConflictError if the key was used for another order.
   * @example
   * await volt.market.place({ area, user, side: 'sell', energyKwh: '2.5', pricePerKwh: '0.12', availableFrom, availableUntil, key })
   */
  async place(order: OrderInput): Promise<MarketOrder> {
    const [placed] = await this.#place([validateData(orderInputSchema, order, 'The order')])
    return placed as MarketOrder
  }

  /** As {@link place}, for 1,000 at most; all are stored but those whose keys are known. */
  async placeMany(orders: readonly OrderInput[]): Promise<MarketOrder[]> {
    return this.#place(validateData(ordersSchema, orders, 'The orders'))
  }

  /**
   * Takes an order back, as far as it is not filled; once this resolves nothing more is.
   * @throws NotFoundError if the user has no such order; ConflictError if it has ended otherwise.
   */
  async cancel(order: ObjectId | string, user: ObjectId | string): Promise<MarketOrder> {
    const own = validateData(cancelSchema, { order, user }, 'The order')
    return this.#store.cancel(own.order, own.user)
  }

  /** The trades of an order, by time. */
  async tradesOf(order: ObjectId | string): Promise<MarketTransaction[]> {
    return this.#transfers.tradesOf(toObjectId(order))
  }

  /**
   * Asks for money to be moved: between users, from outside of the area where `from` is left out, to outside where `to` is. A matcher
   * books it; an account that has not enough makes it fail.
   * @returns it, or the one that is there with the same key, whatever has become of that.
   * @throws ValidationError; NotFoundError without the area; ConflictError if the key was used for another one.
   */
  async transfer(transfer: TransferInput): Promise<MarketTransaction> {
    const parsed = validateData(transferInputSchema, transfer, 'The transfer')
    await this.#known.require([parsed.area])
    return this.#transfers.add(parsed)
  }

  /** Keeps where a transaction is on a block chain; nothing of it is checked. @throws NotFoundError; ConflictError for a hash that another one has. */
  async noteOnChain(transaction: ObjectId | string, note: ChainNote): Promise<MarketTransaction> {
    return this.#transfers.noteOnChain(toObjectId(transaction), validateData(chainNoteSchema, note, 'The note'))
  }

  /** Does what is to be done in all areas: takes orders in, matches them, ends those whose time is over, books transfers. */
  async run(): Promise<MatcherRun> {
    return this.#matchers.run(this.#database.closing)
  }

  /** Calls {@link run} again and again, until the function that is given back is called or the handle is closed. Any number of processes may. */
  start(options: MarketStartOptions = {}): () => Promise<void> {
    const { everyMs } = validateData(startSchema, options, 'The options')
    return this.#database.periodic.start({ name: 'market', everyMs, work: (signal) => this.#matchers.run(signal) })
  }

  /**
   * Settles the trades whose delivery has ended, and whose area waits no longer for late readings: by what the ledger says of each quarter hour.
   * Once is as good as twice.
   * @throws DatabaseError `ARCHIVED` for a time whose entries are archived.
   */
  async settle(): Promise<SettlementRun> {
    return this.#settler.settle(this.#database.closing)
  }

  /** Settles anew what was settled of the deliveries that ended within a time, where the ledger says something else now: what differs is booked. */
  async resettle(area: ObjectId | string, from: Date, until: Date): Promise<SettlementRun> {
    const time = validateData(settledTimeSchema, { area, from, until }, 'The time')
    return this.#settler.resettle(time.area, time)
  }

  /** Calls {@link settle} every so often, and {@link resettle} for the last days; as {@link start}. */
  startSettlement(options: SettlementStartOptions = {}): () => Promise<void> {
    const { everyMs, lateDays } = validateData(settlementSchema, options, 'The options')
    const work = async (signal: AbortSignal) => {
      await this.#settler.settle(signal)
      const until = this.#database.clock.now()
      const from = new Date(until.getTime() - lateDays * dayMs)
      for await (const { _id } of this.areas.stream({}, { select: ['_id'] }))
        if (!signal.aborted) await this.#settler.resettle(_id, { from, until })
    }
    return this.#database.periodic.start({ name: 'market settlement', everyMs, work })
  }

  /** Sets how far below zero a user's account may go. @throws ValidationError where it is further below already. */
  async setCreditLimit(credit: CreditLimitInput): Promise<void> {
    const { area, user, creditLimit } = validateData(creditSchema, credit, 'The credit limit')
    await setCreditLimit(this.#database, this.#collections.accounts, { area, user, creditLimit })
  }

  /** Adds the books of an area up anew: the chain of its journals, and every account by them. */
  async verify(area: ObjectId | string): Promise<BooksReport> {
    return verifyBooks(this.#database, this.#collections, toObjectId(area))
  }

  /** The best orders around a place, as far as both sides want to go; what has expired is left out. */
  async localOrders(question: LocalOrdersQuestion): Promise<LocalOrder[]> {
    return localOrders(
      this.#collections.orders,
      validateData(localOrdersSchema, question, 'The question'),
      this.#gateMs,
    )
  }

  /** What is open in an area by price, the best prices first. */
  async orderBook(question: OrderBookQuestion): Promise<OrderBook> {
    return orderBook(this.#collections.orders, validateData(orderBookSchema, question, 'The question'), this.#gateMs)
  }

  /** What energy was traded at, by hour or day; means are weighted by energy. */
  async priceStatistics(question: PriceStatisticsQuestion): Promise<PriceStatistics[]> {
    return priceStatistics(
      this.#collections.transactions,
      validateData(priceStatisticsSchema, question, 'The question'),
    )
  }

  /** What a user has, in each area. */
  async balances(user: ObjectId | string): Promise<UserBalance[]> {
    return userBalances(this.#collections, toObjectId(user, 'user'))
  }

  /** What a user's trades of a time came to: energy, money and CO2. */
  async report(question: UserReportQuestion): Promise<UserReport> {
    return userReport(this.#collections, validateData(userReportSchema, question, 'The question'))
  }

  /** A user's transactions of a time as CSV, in pieces. */
  async *taxExport(question: TaxExportQuestion): AsyncGenerator<string, void, undefined> {
    yield* taxExport(this.#collections, validateData(taxExportSchema, question, 'The question'))
  }

  async #place(orders: readonly ParsedOrder[]): Promise<MarketOrder[]> {
    await this.#known.require(orders.map(({ area }) => area))
    return this.#store.place(orders, await this.#eligibility.sourcesOf(orders))
  }

  get #gateMs(): number {
    return nextSlotMs(this.#database.clock.now().getTime())
  }
}
