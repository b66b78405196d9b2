import { z } from 'zod'
import { instant, objectId } from '../../core/fields.js'
import type { MarketCollections } from '../collections.js'
import { moneyPlaces, textOf, unitsOf } from '../decimal.js'
import { settledOutcome } from '../settlement/outcome.js'
import { isHistory, type UserTransaction, userTransactions } from './settled-trades.js'

export const taxExportSchema = z.strictObject({
  /** The user. */
  user: objectId(),
  /** Transactions that were made from then on. */
  from: instant(),
  /** Until before then. */
  until: instant(),
})
export type TaxExportQuestion = z.input<typeof taxExportSchema>

const columns = [
  'transaction',
  'made_at',
  'confirmed_at',
  'type',
  'status',
  'role',
  'other_user',
  'energy_kwh',
  'price_per_kwh',
  'received',
  'paid',
] as const

/**
 * A user's transactions as CSV (RFC 4180), in pieces: bought and paid first, then sold and received. Of a trade it is what was settled, penalties
 * and fees included; what is not settled or not booked has neither received nor paid anything. Of what was adopted from another system it is
 * what that one has confirmed.
 */
export async function* taxExport(
  collections: MarketCollections,
  question: z.output<typeof taxExportSchema>,
): AsyncGenerator<string, void, undefined> {
  yield `${columns.join(',')}\r\n`
  for await (const row of userTransactions(collections, question)) yield `${cellsOf(row).join(',')}\r\n`
}

/** Ids, words of ours, instants and decimals: none of them needs quotes, and none is a formula of a spreadsheet. */
function cellsOf({ transaction, role, settlement }: UserTransaction): string[] {
  const { _id, createdAt, confirmedAt, type, status, pricePerKwh } = transaction
  const other = role === 'from' ? transaction.to : transaction.from
  const { received, paid } = movedBy({ transaction, role, settlement })
  return [
    _id.toHexString(),
    createdAt.toISOString(),
    confirmedAt?.toISOString() ?? '',
    type,
    status,
    role === 'from' ? 'payer' : 'payee',
    other?.toHexString() ?? '',
    (isHistory(transaction) ? transaction.energyKwh : settlement?.deliveredKwh)?.toString() ?? '',
    pricePerKwh?.toString() ?? '',
    textOf(received, moneyPlaces),
    textOf(paid, moneyPlaces),
  ]
}

function movedBy({ transaction, role, settlement }: UserTransaction): {
  readonly received: bigint
  readonly paid: bigint
} {
  const isFrom = role === 'from'
  if (transaction.type !== 'energy_trade' || isHistory(transaction)) {
    const amount = transaction.status === 'confirmed' ? unitsOf(transaction.amount, moneyPlaces) : 0n
    return isFrom ? { received: 0n, paid: amount } : { received: amount, paid: 0n }
  }
  if (settlement === undefined) return { received: 0n, paid: 0n }
  const { amount, fee, penalty } = settledOutcome(settlement)
  return isFrom ? { received: penalty, paid: amount } : { received: amount, paid: fee + penalty }
}
