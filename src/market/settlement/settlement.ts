import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'
import { decimalRule, energyPlaces, exactDecimal, moneyPlaces } from '../decimal.js'

const energyRange = { atLeast: 0n, below: 1e10 }
const moneyRange = { atLeast: 0n, below: 1e16 }

/** What a trade came to by the energy in the ledger: written once. What the ledger says later is a settlement of a higher revision. */
export const settlementEntity = defineAppendOnlyEntity({
  name: 'market settlement',
  collection: 'market_settlements',
  personal: 'none',
  fields: {
    /** The area of the trade. */
    area: objectId(),
    /** The transaction that is settled. */
    trade: objectId(),
    /** 1, and one more for each correction. */
    revision: z.int().min(1),
    /** When it was settled. */
    at: z.date(),
    /** What the seller's devices produced for it, kWh; never more than was sold. */
    deliveredKwh: exactDecimal(energyPlaces),
    /** What the buyer's devices used of what was bought, kWh. It is paid for all the same. */
    takenKwh: exactDecimal(energyPlaces),
    /** What the buyer pays for what was delivered. */
    amount: exactDecimal(moneyPlaces),
    /** What of it goes to the area. */
    fee: exactDecimal(moneyPlaces),
    /** What the seller pays the buyer for what was not delivered. */
    penalty: exactDecimal(moneyPlaces),
  },
  shardKey: { area: 1 },
  rules: [
    decimalRule('deliveredKwh', energyPlaces, energyRange),
    decimalRule('takenKwh', energyPlaces, energyRange),
    ...['amount', 'fee', 'penalty'].map((path) => decimalRule(path, moneyPlaces, moneyRange)),
  ],
  indexes: [
    { key: { area: 1, trade: 1, revision: -1 }, unique: true, serves: 'the settlements of a trade, the last first' },
  ],
})

export type MarketSettlement = Stored<typeof settlementEntity>
