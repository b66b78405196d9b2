import type { Document } from 'mongodb'
import { amountOf, decimalOf, energyPlaces, moneyPlaces } from '../../../market/decimal.js'
import type { MarketTransaction } from '../../../market/index.js'
import { instantOf } from '../map/solchain.js'
import { given, idKey, isGiven, textOf, wholeNumberOf } from '../map/values.js'
import { exactOf, exactOrNone } from './exact-number.js'
import { comparedPlaces, isWorth, orderOf, worthOf } from './map-order.js'
import { identityOf, type MarketParts, type TransactionRow, userIn } from './market-row.js'

const chainHash = /^0x[0-9a-f]{64}$/

/**
 * What a row of `transactions` becomes: a transaction that moves no account, or why it becomes none.
 * @param trade The row of `trading` that it names, if there is one.
 */
export function transactionOf(row: Document, trade: Document | undefined, parts: MarketParts): TransactionRow | string {
  if (!isGiven(row._id)) return 'it has no id'
  const from = userIn(row.from_user_id, parts)
  const to = userIn(row.to_user_id, parts)
  if (from === undefined || to === undefined) return 'of a user that is not there'
  if (from === null && to === null) return 'of nobody'
  if (from !== null && to?.equals(from)) return 'with oneself'
  if (isGiven(row.reference_id) && trade === undefined) return 'for a trade that is not there'
  const type = parts.meaningOf('transactions', 'transaction_type', row.transaction_type)
  const status = parts.meaningOf('transactions', 'status', row.status)
  if (type === undefined || type === 'nothing') return 'a transaction_type that is not known'
  if (status === undefined || status === 'nothing') return 'a status that is not known'
  const createdAt = instantOf(row.created_at)
  const confirmedAt = instantOf(row.confirmed_at)
  if (createdAt === undefined || (isGiven(row.confirmed_at) && confirmedAt === undefined))
    return 'a time in a form that is not known'
  const traded = type === 'energy_trade' ? tradedOf(row, trade, status, parts) : noTrade
  if (typeof traded === 'string') return traded
  const amount = traded.amount ?? exactOf(row.amount, moneyPlaces, 'amount')
  if (typeof amount === 'string') return amount
  const { fields, notes } = besides(row)
  return {
    fields: {
      ...identityOf(row, 'transactions', parts),
      area: parts.area,
      type: type as MarketTransaction['type'],
      status: status as MarketTransaction['status'],
      ...given('from', from ?? undefined),
      ...given('to', to ?? undefined),
      amount: decimalOf(amount, moneyPlaces),
      ...traded.fields,
      ...(status === 'confirmed' ? given('confirmedAt', confirmedAt) : {}),
      ...fields,
      metadata: { source: 'migration', originalRecordId: idKey(row._id) },
    },
    createdAt,
    notes: [...traded.notes, ...notes],
  }
}

interface Traded {
  /** In units, where it follows from the trade. */
  readonly amount?: bigint
  readonly fields: Partial<Pick<MarketTransaction, 'energyKwh' | 'pricePerKwh' | 'buyOrder' | 'sellOrder'>>
  readonly notes: readonly string[]
}

const noTrade: Traded = { fields: {}, notes: [] }

/** What is traded with a payment. Energy has only what was or is to be paid for a trade that came about. */
function tradedOf(row: Document, trade: Document | undefined, status: string, parts: MarketParts): Traded | string {
  if (trade === undefined) return { fields: {}, notes: ['it names no trade: its energy is not known'] }
  const order = orderOf(trade, parts)
  const worth = worthOf(trade)
  if (typeof order === 'string' || typeof worth === 'string') return 'for a trade that was left'
  const { _id, side } = order.fields
  const isPaid = order.fields.status === 'completed' && (status === 'confirmed' || status === 'pending')
  const amount = exactOf(row.amount, comparedPlaces, 'amount')
  const isWhole = typeof amount === 'bigint' && isWorth(worth, amount)
  return {
    ...(isWhole ? { amount: amountOf(worth.energy, worth.price) } : {}),
    fields: {
      ...(side === 'buy' ? { buyOrder: _id } : { sellOrder: _id }),
      ...(isPaid
        ? {
            energyKwh: decimalOf(worth.energy, energyPlaces),
            pricePerKwh: decimalOf(worth.price, moneyPlaces),
          }
        : {}),
    },
    notes: isWhole ? [] : ['it is another amount than that of its trade'],
  }
}

/** What need not be there: of what cannot be used it is said that it was not taken. */
function besides(row: Document) {
  const hash = textOf(row.transaction_hash)?.toLowerCase()
  const gasFee = exactOrNone(row.gas_fee, moneyPlaces, 'gas_fee')
  const numbers = { blockNumber: row.block_number, confirmations: row.confirmation_count }
  const counted = Object.entries(numbers).map(([name, value]) => [name, wholeNumberOf(value)] as const)
  const odd = [
    ...(hash === undefined || chainHash.test(hash) ? [] : ['transaction_hash is no hash of a block chain']),
    ...(typeof gasFee === 'string' ? [gasFee] : []),
    ...(typeof gasFee === 'bigint' && gasFee < 0n ? ['gas_fee is less than nothing'] : []),
    ...counted.flatMap(([name, number], at) => {
      const isOdd = number === undefined ? isGiven(Object.values(numbers)[at]) : number < 0
      return isOdd ? [`${name} is no number of anything`] : []
    }),
  ]
  return {
    fields: {
      ...(hash !== undefined && chainHash.test(hash) ? { chainHash: hash } : {}),
      ...(typeof gasFee === 'bigint' && gasFee >= 0n ? { gasFee: decimalOf(gasFee, moneyPlaces) } : {}),
      ...Object.fromEntries(counted.filter(([, number]) => number !== undefined && number >= 0)),
      ...given('description', textOf(row.description)?.slice(0, 1_000)),
    },
    notes: odd.map((why) => `${why}: it was not taken`),
  }
}
