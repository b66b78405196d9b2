import type { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { NotFoundError } from '../../core/errors.js'
import type { Lease } from '../../core/lease.js'
import { StaleReadError } from '../../core/retry-on-conflict.js'
import { Bookings } from '../accounts/bookings.js'
import type { MarketArea } from '../area.js'
import type { MarketCollections } from '../collections.js'
import { amountOf, decimalOf, energyPlaces, moneyPlaces, unitsOf } from '../decimal.js'
import { withArea } from '../matching/matchers.js'
import type { MarketTransaction } from '../transaction.js'
import type { Deliveries, Delivery } from './deliveries.js'
import { type Outcome, outcomeOf, settledOutcome } from './outcome.js'
import type { MarketSettlement } from './settlement.js'

/** Settlement run: what a call of `settle` or `resettle` has done. */
export interface SettlementRun {
  /** Trades that were settled for the first time. */
  readonly settled: number
  /** Settled trades for which the ledger says something else now. */
  readonly corrected: number
  /** Corrections for which an account has not enough: they come again with the next call. */
  readonly uncovered: number
}

type Counts = { -readonly [Name in keyof SettlementRun]: number }

/** Trades whose delivery ended within a time. */
export interface SettledTime {
  readonly from: Date
  readonly until: Date
}

const atOnce = 200
const waitMs = 30_000

/** A trade that is to be settled, with what it comes to by the ledger and what it came to before. */
interface Settling {
  readonly trade: MarketTransaction
  readonly delivery: Delivery
  readonly outcome: Outcome
  readonly last: MarketSettlement | undefined
}

/** Settles trades by what the ledger says of the time of their delivery, an area at a time under its lease. */
export class Settler {
  readonly #database: Database
  readonly #collections: MarketCollections
  readonly #deliveries: Deliveries

  constructor(database: Database, collections: MarketCollections, deliveries: Deliveries) {
    this.#database = database
    this.#collections = collections
    this.#deliveries = deliveries
  }

  /** Settles what is due in all areas. */
  async settle(signal: AbortSignal): Promise<SettlementRun> {
    const counts: Counts = { settled: 0, corrected: 0, uncovered: 0 }
    for (const area of await this.#collections.areas.for('settle').find({})) {
      if (signal.aborted) break
      const until = new Date(this.#database.clock.now().getTime() - area.settleAfterMinutes * 60_000)
      await this.#inPages(area._id, { from: new Date(0), until }, 'pending', counts)
    }
    return counts
  }

  /** Settles anew what was settled, where the ledger says something else now. */
  async resettle(area: ObjectId, time: SettledTime): Promise<SettlementRun> {
    const counts: Counts = { settled: 0, corrected: 0, uncovered: 0 }
    await this.#inPages(area, time, 'confirmed', counts)
    return counts
  }

  async #inPages(area: ObjectId, { from, until }: SettledTime, status: 'pending' | 'confirmed', counts: Counts) {
    const due = { area, type: 'energy_trade', status, deliverUntil: { $gte: from, $lte: until } }
    const sort = { deliverUntil: 1, _id: 1 } as const
    const first = await this.#collections.transactions.for('settle').findOne(due)
    if (first === null) return
    await withArea(
      this.#database,
      area,
      async (lease, signal) => {
        let after: MarketTransaction | undefined
        do {
          const { deliverUntil, _id } = after ?? {}
          const onward = { $or: [{ deliverUntil: { $gt: deliverUntil } }, { deliverUntil, _id: { $gt: _id } }] }
          const filter = after === undefined ? due : { $and: [due, onward] }
          const page = await this.#collections.transactions.for('settle').find(filter, { sort, limit: atOnce })
          if (page.length > 0) await this.#settlePage(area, page, lease, counts)
          after = page.length === atOnce ? page.at(-1) : undefined
        } while (after !== undefined && !signal.aborted)
      },
      waitMs,
    )
  }

  /** What the ledger says is read before: it only grows, and a transaction is not to last that long. */
  async #settlePage(area: ObjectId, page: readonly MarketTransaction[], lease: Lease, counts: Counts): Promise<void> {
    const deliveries = await this.#deliveries.of(area, page)
    const done = await this.#database.transactions.run(async () => {
      await lease.guard()
      const terms = await this.#collections.areas.for('settle').findOne({ _id: area })
      if (terms === null) throw new NotFoundError('market area', `id ${area.toHexString()}`)
      return this.#write(terms, await this.#settlings(terms, page, deliveries))
    })
    for (const name of Object.keys(counts) as (keyof Counts)[]) counts[name] += done[name]
  }

  async #settlings(
    area: MarketArea,
    page: readonly MarketTransaction[],
    deliveries: ReadonlyMap<string, Delivery>,
  ): Promise<Settling[]> {
    const trades = page.map(({ _id }) => _id)
    const found = await this.#collections.settlements
      .for('settle')
      .find({ area: area._id, trade: { $in: trades } }, { sort: { area: 1, trade: 1, revision: 1 } })
    const last = new Map(found.map((settlement) => [settlement.trade.toHexString(), settlement]))
    const [feeRate, penaltyPerKwh] = [area.feeRate, area.penaltyPerKwh].map((value) => unitsOf(value, moneyPlaces))
    return page.flatMap((trade) => {
      const id = trade._id.toHexString()
      const delivery = deliveries.get(id)
      const { energyKwh, pricePerKwh } = trade
      if (delivery === undefined || energyKwh === undefined || pricePerKwh === undefined) return []
      const energy = unitsOf(energyKwh, energyPlaces)
      const price = unitsOf(pricePerKwh, moneyPlaces)
      const terms = { energy, price, feeRate: feeRate ?? 0n, penaltyPerKwh: penaltyPerKwh ?? 0n }
      return [{ trade, delivery, outcome: outcomeOf(terms, delivery.delivered), last: last.get(id) }]
    })
  }

  async #write(area: MarketArea, settlings: readonly Settling[]): Promise<Counts> {
    const { transactions, settlements, areas } = this.#collections
    const counts: Counts = { settled: 0, corrected: 0, uncovered: 0 }
    const now = this.#database.clock.now()
    const bookings = new Bookings(area._id, this.#collections)
    await bookings.load(settlings.flatMap(({ trade: { from, to } }) => [from, to].filter((user) => user !== undefined)))
    const written: Settling[] = []
    for (const settling of settlings) {
      if (settling.last !== undefined && !isOther(settling, settling.last)) continue
      const isBooked = book(bookings, area, settling)
      if (isBooked) written.push(settling)
      counts[!isBooked ? 'uncovered' : settling.last === undefined ? 'settled' : 'corrected'] += 1
    }
    if (written.length === 0) return counts
    await settlements.for('settle').insert(written.map((settling) => settlementOf(area._id, settling, now)))
    const first = written.filter(({ last }) => last === undefined)
    const by = { $set: { status: 'confirmed', confirmedAt: now } }
    const writes = first.map(({ trade: { _id } }) => ({ update: { _id, status: 'pending' }, by }))
    const { matched } = await transactions.for('settle').bulkWrite(writes)
    if (matched !== writes.length) throw new StaleReadError()
    await areas.for('settle').updateOne({ _id: area._id }, { $set: await bookings.write(area, now) })
    return counts
  }
}

/** Books a settlement, or the difference to the one before. @returns false if an account has not enough for that. */
function book(bookings: Bookings, area: MarketArea, { trade, outcome, last }: Settling): boolean {
  const { _id, from: buyer, to: seller, energyKwh } = trade
  if (buyer === undefined || seller === undefined || energyKwh === undefined) return false
  const before = last === undefined ? nothing : settledOutcome(last)
  const amount = outcome.amount - before.amount
  const fee = outcome.fee - before.fee
  const penalty = outcome.penalty - before.penalty
  if (last === undefined) {
    bookings.reserve(buyer, -unitsOf(trade.amount, moneyPlaces), _id)
    const collateral = amountOf(unitsOf(energyKwh, energyPlaces), unitsOf(area.penaltyPerKwh, moneyPlaces))
    bookings.reserve(seller, -collateral, _id)
  } else {
    const isCovered =
      bookings.available(buyer) + penalty >= amount && bookings.available(seller) + amount >= fee + penalty
    if (!isCovered) return false
  }
  bookings.pay(buyer, seller, amount, last === undefined ? 'trade' : 'correction', _id)
  bookings.pay(seller, 'fees', fee, last === undefined ? 'fee' : 'correction', _id)
  bookings.pay(seller, buyer, penalty, last === undefined ? 'penalty' : 'correction', _id)
  return true
}

const nothing: Outcome = { amount: 0n, fee: 0n, penalty: 0n }

function isOther({ delivery }: Settling, { deliveredKwh, takenKwh }: MarketSettlement): boolean {
  return (
    unitsOf(deliveredKwh, energyPlaces) !== delivery.delivered || unitsOf(takenKwh, energyPlaces) !== delivery.taken
  )
}

function settlementOf(area: ObjectId, { trade, delivery, outcome, last }: Settling, at: Date) {
  return {
    area,
    trade: trade._id,
    revision: (last?.revision ?? 0) + 1,
    at,
    deliveredKwh: decimalOf(delivery.delivered, energyPlaces),
    takenKwh: decimalOf(delivery.taken, energyPlaces),
    amount: decimalOf(outcome.amount, moneyPlaces),
    fee: decimalOf(outcome.fee, moneyPlaces),
    penalty: decimalOf(outcome.penalty, moneyPlaces),
  }
}
