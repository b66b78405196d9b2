import type { ObjectId } from 'mongodb'
import type { MarketCollections } from '../collections.js'
import type { MarketSettlement } from '../settlement/settlement.js'
import type { MarketTransaction } from '../transaction.js'

export interface UserTime {
  readonly user: ObjectId
  readonly from: Date
  readonly until: Date
}

/** A transaction of a user, with the last settlement of a trade. */
export interface UserTransaction {
  readonly transaction: MarketTransaction
  readonly role: 'from' | 'to'
  readonly settlement: MarketSettlement | undefined
}

const atOnce = 500

/** Whether a trade was adopted from another system: nothing is delivered for it here, and it is in no books. */
export function isHistory({ type, deliverUntil }: MarketTransaction): boolean {
  return type === 'energy_trade' && deliverUntil === undefined
}

/** What a user has paid and was paid within a time, by the time of making: first what was paid, then what was received. In pieces, however much it is. */
export async function* userTransactions(
  { transactions, settlements }: MarketCollections,
  { user, from, until }: UserTime,
): AsyncGenerator<UserTransaction, void, undefined> {
  for (const role of ['from', 'to'] as const) {
    const filter = { [role]: user, createdAt: { $gte: from, $lt: until } }
    const found = transactions
      .for('userTransactions')
      .stream(filter, { sort: { createdAt: 1, _id: 1 }, batchSize: atOnce })
    let page: MarketTransaction[] = []
    for await (const transaction of found) {
      page.push(transaction)
      if (page.length < atOnce) continue
      yield* withSettlements(page, role)
      page = []
    }
    yield* withSettlements(page, role)
  }

  async function* withSettlements(page: readonly MarketTransaction[], role: 'from' | 'to') {
    const settled = page.filter(({ type, status }) => type === 'energy_trade' && status === 'confirmed')
    const areas = [...new Map(settled.map(({ area }) => [area.toHexString(), area])).values()]
    const filter = { area: { $in: areas }, trade: { $in: settled.map(({ _id }) => _id) } }
    const all =
      settled.length === 0 ? [] : await settlements.for('userTransactions').find(filter, { sort: { revision: 1 } })
    const last = new Map(all.map((settlement) => [settlement.trade.toHexString(), settlement]))
    for (const transaction of page) yield { transaction, role, settlement: last.get(transaction._id.toHexString()) }
  }
}
