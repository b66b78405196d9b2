import type { Document } from 'mongodb'
import { ConflictError, DatabaseError } from '../../../core/errors.js'
import type { AdoptionContext } from '../context.js'
import { isGiven, shownId } from '../map/values.js'
import { orderOf } from './map-order.js'
import { transactionOf } from './map-transaction.js'
import { MarketHistory } from './market-history.js'
import { areaIdOf, type MarketParts } from './market-row.js'

/** The collections of the origin that its market is in. */
export const marketCollections = ['trading', 'transactions'] as const
const batchSize = 500

/**
 * Adopts the trades and transactions of the origin as history, in an area of their own: they move no account. In batches, each of which is
 * written with what is kept of its rows, all or nothing: so a run that is broken off is gone on with, and takes nothing twice.
 */
export async function adoptMarket(context: AdoptionContext): Promise<void> {
  const { origin, registry, needs, tally } = context
  const parts: MarketParts = {
    origin: origin.name,
    area: areaIdOf(origin.name),
    userOf: registry.userOf,
    nowMs: context.nowMs,
    meaningOf: (collection, field, value) => origin.valueOf(collection, field, value),
  }
  const ready = once(() => requireArea(context))
  const orders = new MarketHistory(context, needs.market.orders.entity, 'trading', ready)
  for await (const batch of batchesOf(context, 'trading'))
    tally.adopt(
      'marketOrders',
      await orders.store(batch.map((row) => ({ document: row, mapped: orderOf(row, parts) }))),
    )
  const transactions = new MarketHistory(context, needs.market.transactions.entity, 'transactions', ready)
  for await (const batch of batchesOf(context, 'transactions')) {
    const trades = await tradesOf(batch, context)
    const rows = batch.map((row) => {
      const mapped = transactionOf(row, trades.get(shownId(row.reference_id)), parts)
      return { document: row, mapped }
    })
    tally.adopt('marketTransactions', await transactions.store(rows))
  }
  await context.store?.flush()
}

async function* batchesOf(context: AdoptionContext, collection: string): AsyncGenerator<Document[], void, undefined> {
  let batch: Document[] = []
  for await (const document of context.read(collection, {}, { _id: 1 })) {
    batch.push(document)
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** The trades that transactions are for, by their ids. */
async function tradesOf(batch: readonly Document[], { origin }: AdoptionContext): Promise<Map<string, Document>> {
  const ids = new Set(batch.map(({ reference_id }) => reference_id).filter(isGiven))
  const trades = new Map<string, Document>()
  if (ids.size === 0) return trades
  for await (const trade of origin.stream('trading', { _id: { $in: [...ids] } }, { _id: 1 }))
    trades.set(shownId(trade._id), trade)
  return trades
}

/** @throws DatabaseError `CONFIGURATION` if another area has its name; in an assessment, which makes none, too. */
async function requireArea({ needs, origin, options, store }: AdoptionContext): Promise<void> {
  const { areas } = needs.market
  const _id = areaIdOf(origin.name)
  if ((await areas.findOne({ _id })) !== null) return
  const name = options.area ?? origin.name
  const taken = (cause?: unknown) =>
    new DatabaseError(
      'CONFIGURATION',
      `There is a market area ${name} already, and what was traded in ${origin.name} is kept in one of its own. Next: give it another name with \`area\``,
      { cause },
    )
  if (store === undefined) {
    if ((await areas.findOne({ name })) !== null) throw taken()
    return
  }
  try {
    await areas.create({ _id, name })
  } catch (cause) {
    throw cause instanceof ConflictError ? taken(cause) : cause
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
