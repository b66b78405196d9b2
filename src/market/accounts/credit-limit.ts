import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import { retryCreation } from '../../core/retry-on-conflict.js'
import { decimalOf, moneyPlaces } from '../decimal.js'
import { counters, type MarketAccount } from './account.js'

/** Sets how far below zero an account may go, and makes the account where there is none. @throws ValidationError where it is further below already. */
export async function setCreditLimit(
  database: Database,
  accounts: EntityCollection<MarketAccount>,
  { area, user, creditLimit }: Required<Pick<MarketAccount, 'area' | 'user' | 'creditLimit'>>,
): Promise<void> {
  const none = Object.fromEntries(counters.map((counter) => [counter, decimalOf(0n, moneyPlaces)]))
  const update = { $set: { creditLimit }, $setOnInsert: none }
  await retryCreation(database, () =>
    accounts.for('setCreditLimit').updateOne({ area, kind: 'user', user }, update, { upsert: true }),
  )
}
