import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../core/entity.js'
import { trimmedText } from '../core/fields.js'
import { decimalRule, exactDecimal, moneyPlaces } from './decimal.js'

/** Whose price a trade has: that of the order that was there first, or the middle between the two, rounded towards the first. */
export const priceRules = ['resting', 'middle'] as const
export type PriceRule = (typeof priceRules)[number]

/**
 * A market area: orders meet within one area only. Its terms stay as they are, as trades rest on them: other terms are
 * another area.
 */
export const areaEntity = defineEntity({
  name: 'market area',
  collection: 'market_areas',
  personal: 'none',
  fields: {
    /** What it is called; unique. */
    name: trimmedText(1, 200),
    /** Whose price a trade has. @default 'resting' */
    priceRule: z.enum(priceRules).default('resting'),
    /** The share of what a seller is paid that goes to the area, such as `0.01`. @default 0 */
    feeRate: exactDecimal(moneyPlaces).default(() => exactZero()),
    /** What a seller pays the buyer for each kWh that was sold and not delivered. @default 0 */
    penaltyPerKwh: exactDecimal(moneyPlaces).default(() => exactZero()),
    /** Minutes after the end of a delivery until it is settled: readings may be late. @default 60 */
    settleAfterMinutes: z.int().min(0).max(43_200).default(60),
    /** The number of the last order that was taken in. */
    orderSequence: z.int().min(0).default(0),
    /** How many batches were written: a book of an earlier one is out of date. */
    batches: z.int().min(0).default(0),
    /** The number of the last journal; 0 if there is none. */
    journalSequence: z.int().min(0).default(0),
    /** The hash of the last journal, in hexadecimal; zeros if there is none. */
    journalHash: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .default('0'.repeat(64)),
  },
  managed: ['orderSequence', 'batches', 'journalSequence', 'journalHash'],
  immutable: ['priceRule', 'feeRate', 'penaltyPerKwh', 'settleAfterMinutes'],
  rules: [
    decimalRule('feeRate', moneyPlaces, { atLeast: 0n, below: 1 }),
    decimalRule('penaltyPerKwh', moneyPlaces, { atLeast: 0n, below: 1_000_000 }),
  ],
  indexes: [{ key: { name: 1 }, unique: true, serves: 'an area by name' }],
})

function exactZero() {
  return exactDecimal(moneyPlaces).parse('0')
}

export type MarketArea = Stored<typeof areaEntity>
export type MarketAreaInput = Input<typeof areaEntity>
