import type { Database } from '../core/database.js'
import type { marketEntities } from './collections.js'
import { Market, type MarketNeeds } from './market.js'
import type { TraderEntities } from './orders/eligibility.js'

export { type MarketCollection, marketEntities } from './collections.js'

/** What the market brings to the handle. */
export interface MarketServices {
  /** The energy market. */
  readonly market: Market
}

export function openMarket(
  database: Database,
  entities: typeof marketEntities & TraderEntities,
  needs: MarketNeeds,
): MarketServices {
  return { market: new Market(database, entities, needs) }
}
