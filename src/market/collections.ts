import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import { accountEntity, type MarketAccount } from './accounts/account.js'
import { journalEntity, type MarketJournal } from './accounts/journal.js'
import { areaEntity, type MarketArea } from './area.js'
import { type MarketOrder, orderEntity } from './orders/order.js'
import { type MarketSettlement, settlementEntity } from './settlement/settlement.js'
import { type MarketTransaction, transactionEntity } from './transaction.js'

export type MarketCollection =
  | 'marketAreas'
  | 'marketOrders'
  | 'marketTransactions'
  | 'marketAccounts'
  | 'marketJournals'
  | 'marketSettlements'

export const marketEntities = {
  marketAreas: areaEntity,
  marketOrders: orderEntity,
  marketTransactions: transactionEntity,
  marketAccounts: accountEntity,
  marketJournals: journalEntity,
  marketSettlements: settlementEntity,
} satisfies Record<MarketCollection, object>

/** The operations on the documents of the market. */
export interface MarketCollections {
  readonly areas: EntityCollection<MarketArea>
  readonly orders: EntityCollection<MarketOrder>
  readonly transactions: EntityCollection<MarketTransaction>
  readonly accounts: EntityCollection<MarketAccount>
  readonly journals: EntityCollection<MarketJournal>
  readonly settlements: EntityCollection<MarketSettlement>
}

export function marketCollections(database: Database, entities: typeof marketEntities): MarketCollections {
  const durable = { isDurable: true }
  return {
    areas: database.of(entities.marketAreas, durable),
    orders: database.of(entities.marketOrders, durable),
    transactions: database.of(entities.marketTransactions, durable),
    accounts: database.of(entities.marketAccounts, durable),
    journals: database.of(entities.marketJournals, durable),
    settlements: database.of(entities.marketSettlements, durable),
  }
}
