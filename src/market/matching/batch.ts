import { ObjectId } from 'mongodb'
import type { StoreWrite } from '../../core/collection/store-query.js'
import type { Bookings } from '../accounts/bookings.js'
import type { MarketArea } from '../area.js'
import { amountOf, decimalOf, energyPlaces, moneyPlaces, reserveOf, unitsOf } from '../decimal.js'
import type { MarketOrder } from '../orders/order.js'
import type { MarketTransaction } from '../transaction.js'
import type { Book, BookOrder, Match } from './book.js'

/** Matcher run: what a call of `run` has done. */
export interface MatcherRun {
  /** Orders that were taken in. */
  readonly taken: number
  /** Trades that were made. */
  readonly trades: number
  /** Orders that ended by time. */
  readonly expired: number
  /** Cancelled orders whose reservation was given back. */
  readonly released: number
  /** Orders and transfers for which an account had not enough. */
  readonly refused: number
  /** Transfers that were booked. */
  readonly posted: number
}

export type RunCounts = { -readonly [Name in keyof MatcherRun]: number }

/** What a batch does in its turn: read at one moment, in the order in which it is done. */
export interface Due {
  readonly transfers: readonly MarketTransaction[]
  readonly releases: readonly MarketOrder[]
  readonly expired: readonly MarketOrder[]
  readonly intakes: readonly MarketOrder[]
}

/** How many trades a batch makes at most, before the last order that it takes in. */
const mostMatches = 2_000

/**
 * Works out one batch: on the book, and on the accounts that were loaded. Nothing is written here; what is to be written is in {@link orderWrites},
 * {@link trades} and {@link transferWrites}.
 */
export class Batch {
  readonly counts: RunCounts = { taken: 0, trades: 0, expired: 0, released: 0, refused: 0, posted: 0 }
  readonly orderWrites: StoreWrite<MarketOrder>[] = []
  readonly transferWrites: StoreWrite<MarketTransaction>[] = []
  readonly trades: TradeDocument[] = []
  readonly #area: MarketArea
  readonly #book: Book
  readonly #bookings: Bookings
  readonly #now: Date
  readonly #gateMs: number
  readonly #penalty: bigint
  /** Of traded orders, what of their reservations is not needed any more: their users are known only now, and their accounts not yet read. */
  readonly #spare: { readonly user: ObjectId; readonly amount: bigint; readonly trade: ObjectId }[] = []
  #sequence: number
  #isCutShort = false
  /** Orders that were filled, and what of each in this batch. */
  readonly #filled = new Map<string, { readonly order: BookOrder; readonly energy: bigint }>()
  /** What is to be set of orders that are taken in, besides what follows from how they are filled. */
  readonly #taken = new Map<string, { readonly order: BookOrder; readonly isDone: boolean }>()

  constructor(area: MarketArea, book: Book, bookings: Bookings, { now, gateMs }: { now: Date; gateMs: number }) {
    this.#area = area
    this.#book = book
    this.#bookings = bookings
    this.#now = now
    this.#gateMs = gateMs
    this.#penalty = unitsOf(area.penaltyPerKwh, moneyPlaces)
    this.#sequence = area.orderSequence
  }

  /** The number of the last order that was taken in. */
  get orderSequence(): number {
    return this.#sequence
  }

  /** Whether orders were left for the next batch. */
  get isCutShort(): boolean {
    return this.#isCutShort
  }

  /** Whose accounts {@link finish} needs. */
  get traders(): ObjectId[] {
    return this.#spare.map(({ user }) => user)
  }

  /** Books transfers, in the order in which they were asked for. */
  transfer(transfers: readonly MarketTransaction[]): void {
    for (const { _id, from, to, amount: stored } of transfers) {
      const amount = unitsOf(stored, moneyPlaces)
      const isCovered = from === undefined || this.#bookings.available(from) >= amount
      if (isCovered) this.#bookings.pay(from ?? 'outside', to ?? 'outside', amount, 'transfer', _id)
      const end = isCovered
        ? { status: 'confirmed', confirmedAt: this.#now }
        : { status: 'failed', reason: 'insufficient_funds' }
      this.transferWrites.push({
        update: { _id, due: 'post', status: 'pending' },
        by: { $set: end, $unset: { due: '' } },
      })
      this.counts[isCovered ? 'posted' : 'refused'] += 1
    }
  }

  /** Gives back what orders have reserved that were cancelled. */
  release(orders: readonly MarketOrder[]): void {
    for (const order of orders) {
      this.#giveBack(order)
      const by = { $set: { reservedAmount: decimalOf(0n, moneyPlaces) }, $unset: { due: '' } }
      this.orderWrites.push({ update: { _id: order._id, area: order.area, due: 'release' }, by })
      this.counts.released += 1
    }
  }

  /** Ends orders whose time is over. */
  expire(orders: readonly MarketOrder[]): void {
    for (const order of orders) {
      this.#giveBack(order)
      this.orderWrites.push({ update: openOrder(order), by: this.#ending({ status: 'expired' }) })
      this.counts.expired += 1
    }
  }

  /** Takes orders in: each gets its number, its reservation, and what it meets. */
  take(orders: readonly MarketOrder[]): void {
    for (const document of orders) {
      if (this.trades.length >= mostMatches) {
        this.#isCutShort = true
        break
      }
      const order = bookOrderOf(document, document.sequence ?? this.#sequence + 1)
      if (document.sequence === undefined && !this.#reserveFor(order, document)) continue
      const { priceRule: rule } = this.#area
      const { matches, isDone } = this.#book.match(order, { gateMs: this.#gateMs, rule, most: mostMatches })
      this.#taken.set(order.id, { order, isDone })
      if (!isDone) this.#isCutShort = true
      for (const match of matches) this.#trade(match)
      this.counts.taken += 1
    }
  }

  /** Works out what is written of the orders that were taken in and filled. */
  finish(): void {
    for (const { user, amount, trade } of this.#spare) this.#bookings.reserve(user, -amount, trade)
    const touched = new Map([...this.#taken, ...this.#filled].map(([id, { order }]) => [id, order]))
    for (const [id, order] of touched) {
      const energy = this.#filled.get(id)?.energy ?? 0n
      const taken = this.#taken.get(id)
      const filled = order.energy - order.rest
      const isWhole = order.rest === 0n
      const set = {
        filledKwh: decimalOf(filled, energyPlaces),
        status: isWhole ? 'completed' : filled === 0n ? 'active' : 'partial',
        reservedAmount: decimalOf(this.#reservedFor(order, order.rest), moneyPlaces),
        ...(isWhole ? { isOpen: false, endedAt: this.#now } : {}),
        ...(taken === undefined ? {} : { sequence: order.sequence }),
      }
      const before = decimalOf(filled - energy, energyPlaces)
      const update = { _id: order._id, area: this.#area._id, isOpen: true, filledKwh: before }
      this.orderWrites.push({ update, by: taken?.isDone ? { $set: set, $unset: { due: '' } } : { $set: set } })
    }
  }

  #reserveFor(order: BookOrder, document: MarketOrder): boolean {
    const { user, _id } = document
    const amount = this.#reservedFor(order, order.rest)
    if (amount > 0n && this.#bookings.available(user) < amount) {
      const end = { status: 'cancelled', reason: 'insufficient_funds' } as const
      this.orderWrites.push({ update: openOrder(document), by: this.#ending(end) })
      this.counts.refused += 1
      return false
    }
    this.#bookings.reserve(user, amount, _id)
    this.#sequence += 1
    return true
  }

  /** What an account holds ready for so much of an order: the price of a buyer, the penalty of a seller. */
  #reservedFor({ side, price }: BookOrder, energy: bigint): bigint {
    return reserveOf(energy, side === 'buy' ? price : this.#penalty)
  }

  #trade(match: Match): void {
    const { buy, sell, energy, price, amount, fromMs, untilMs } = match
    const _id = new ObjectId()
    this.trades.push({
      _id,
      area: this.#area._id,
      type: 'energy_trade',
      status: 'pending',
      from: buy.owner,
      to: sell.owner,
      amount: decimalOf(amount, moneyPlaces),
      energyKwh: decimalOf(energy, energyPlaces),
      pricePerKwh: decimalOf(price, moneyPlaces),
      buyOrder: buy._id,
      sellOrder: sell._id,
      deliverFrom: new Date(fromMs),
      deliverUntil: new Date(untilMs),
    })
    this.#giveBackFor(buy, match.buyRest, match, amount, _id)
    this.#giveBackFor(sell, match.sellRest, match, amountOf(energy, this.#penalty), _id)
    this.counts.trades += 1
  }

  /** Of what an order has reserved for this energy the trade takes over a part; the rest is given back. */
  #giveBackFor(order: BookOrder, rest: bigint, { energy }: Match, kept: bigint, trade: ObjectId): void {
    const inThisBatch = (this.#filled.get(order.id)?.energy ?? 0n) + energy
    this.#filled.set(order.id, { order, energy: inThisBatch })
    const given = this.#reservedFor(order, rest + energy) - this.#reservedFor(order, rest) - kept
    // Who has an order among those that are taken in can spend it in this batch.
    if (this.#bookings.has(order.owner)) this.#bookings.reserve(order.owner, -given, trade)
    else this.#spare.push({ user: order.owner, amount: given, trade })
  }

  #giveBack({ _id, user, reservedAmount }: MarketOrder): void {
    this.#book.remove(_id.toHexString())
    this.#bookings.reserve(user, -unitsOf(reservedAmount, moneyPlaces), _id)
  }

  #ending(end: { readonly status: 'cancelled' | 'expired'; readonly reason?: 'insufficient_funds' }) {
    const set = { ...end, isOpen: false, endedAt: this.#now, reservedAmount: decimalOf(0n, moneyPlaces) }
    return { $set: set, $unset: { due: '' } }
  }
}

type TradeDocument = Omit<MarketTransaction, 'createdAt' | 'updatedAt' | '__v'>

/** The order as it was read: one that was changed meanwhile is left as it is, and the batch fails. */
function openOrder({ _id, area, filledKwh }: MarketOrder): {
  _id: ObjectId
  area: ObjectId
  isOpen: true
  filledKwh: unknown
} {
  return { _id, area, isOpen: true, filledKwh }
}

/** A stored order as the book has it. */
export function bookOrderOf(order: MarketOrder, sequence: number): BookOrder {
  const energy = unitsOf(order.energyKwh, energyPlaces)
  return {
    _id: order._id,
    id: order._id.toHexString(),
    owner: order.user,
    user: order.user.toHexString(),
    side: order.side,
    price: unitsOf(order.pricePerKwh, moneyPlaces),
    fromMs: order.availableFrom.getTime(),
    untilMs: order.availableUntil.getTime(),
    location: order.location,
    maximumDistanceKm: order.maximumDistanceKm,
    requirements: order.requirements ?? [],
    source: order.source,
    sequence,
    energy,
    rest: energy - unitsOf(order.filledKwh, energyPlaces),
  }
}
