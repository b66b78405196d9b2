import { z } from 'zod'
import { defineEntity, type EntityRule, type Stored } from '../core/entity.js'
import { anyValue, objectId } from '../core/fields.js'
import { decimalRule, energyPlaces, exactDecimal, moneyPlaces } from './decimal.js'

/** What a transaction is: one from a match, or one that the host asked for. */
const transactionTypes = [
  'energy_trade',
  'staking_reward',
  'token_transfer',
  'fee_payment',
  'governance_reward',
  'penalty',
] as const

/** `pending` until it is booked or settled; the others are ends, which never change. */
const transactionStatuses = ['pending', 'confirmed', 'failed', 'cancelled'] as const

export const transactionMetadata = () => z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue())
export const chainHash = () =>
  z.string().regex(/^0x[0-9a-f]{64}$/, { error: 'expected 0x and 64 hexadecimal digits in lower case' })

/** What is paid: for a trade what it comes to if all of it is delivered, else what is moved. */
export const transactionEntity = defineEntity({
  name: 'market transaction',
  collection: 'market_transactions',
  personal: {
    subjects: { from: { onErasure: 'anonymise' }, to: { onErasure: 'anonymise' } },
    mentions: { in: ['key', 'metadata', 'description'], onErasure: 'replace' },
    notPersonal: (
      'area type status amount energyKwh pricePerKwh buyOrder sellOrder deliverFrom deliverUntil due requestHash reason ' +
      'confirmedAt chainHash gasFee blockNumber confirmations'
    ).split(' '),
  },
  fields: {
    /** The area whose accounts it moves. */
    area: objectId(),
    /** What it is. */
    type: z.enum(transactionTypes),
    /** What has become of it. */
    status: z.enum(transactionStatuses),
    /** The user who pays, of a trade the buyer; left out where it comes from outside of the area. */
    from: objectId().optional(),
    /** The user who is paid, of a trade the seller; left out where it leaves the area. */
    to: objectId().optional(),
    /** In the area's currency, to 6 decimals. */
    amount: exactDecimal(moneyPlaces),
    /** Of a trade: kWh, spread evenly over the quarter hours of the delivery. */
    energyKwh: exactDecimal(energyPlaces).optional(),
    /** Of a trade: the price of each kWh. */
    pricePerKwh: exactDecimal(moneyPlaces).optional(),
    /** Of a trade: the order that buys. */
    buyOrder: objectId().optional(),
    /** Of a trade: the order that sells. */
    sellOrder: objectId().optional(),
    /** Of a trade: when the delivery begins; a quarter hour. */
    deliverFrom: z.date().optional(),
    /** Of a trade: when it ends; a quarter hour. */
    deliverUntil: z.date().optional(),
    /** What the matcher has to do about it: book it. */
    due: z.enum(['post']).optional(),
    /** Of one that the host asked for: the same key of the same area again is the same transaction. */
    key: z.string().min(1).max(200).optional(),
    /** SHA-256 of what was asked for with the key, in hexadecimal. */
    requestHash: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    /** Why it failed. */
    reason: z.enum(['insufficient_funds']).optional(),
    /** When it was booked or settled. */
    confirmedAt: z.date().optional(),
    /** Its hash on a block chain, in lower case; unique. */
    chainHash: chainHash().optional(),
    /** What the block chain took for it, to 6 decimals. */
    gasFee: exactDecimal(moneyPlaces).optional(),
    /** The block that it is in. */
    blockNumber: z.int().min(0).optional(),
    /** How many blocks have followed. */
    confirmations: z.int().min(0).optional(),
    /** What else the host wants to know of it. */
    metadata: transactionMetadata().optional(),
    /** What to read, in a sentence. */
    description: z.string().min(1).max(1_000).optional(),
  },
  rules: [
    decimalRule('amount', moneyPlaces, { atLeast: 1n, below: 1e16 }),
    whereThere(decimalRule('energyKwh', energyPlaces, { atLeast: 1n, below: 1e10 })),
    whereThere(decimalRule('pricePerKwh', moneyPlaces, { atLeast: 1n, below: 1e6 })),
    whereThere(decimalRule('gasFee', moneyPlaces, { atLeast: 0n, below: 1e16 })),
  ],
  // Not sharded: a hash on a block chain is unique over all areas.
  indexes: [
    {
      key: { area: 1, key: 1 },
      unique: true,
      partialFilterExpression: { key: { $gt: '' } },
      serves: 'one transaction for each key of an area',
    },
    {
      key: { chainHash: 1 },
      unique: true,
      partialFilterExpression: { chainHash: { $gt: '' } },
      serves: 'a transaction by its hash on a block chain',
    },
    {
      key: { area: 1, due: 1, _id: 1 },
      partialFilterExpression: { due: { $gt: '' } },
      serves: 'matchers: what is to be booked',
    },
    { key: { from: 1, createdAt: -1, _id: -1 }, serves: 'what a user has paid and bought, newest first' },
    { key: { to: 1, createdAt: -1, _id: -1 }, serves: 'what a user was paid and has sold, newest first' },
    { key: { type: 1, status: 1, _id: -1 }, serves: 'the last transactions of a type and a status' },
    { key: { area: 1, to: 1, deliverUntil: 1 }, serves: 'the trades of a seller that are delivered in a time' },
    { key: { area: 1, from: 1, deliverUntil: 1 }, serves: 'the trades of a buyer that are delivered in a time' },
    {
      key: { area: 1, type: 1, deliverUntil: 1, _id: 1 },
      serves: 'settlement: the trades whose delivery has ended',
    },
    {
      key: { area: 1, type: 1, createdAt: 1, energyKwh: 1, pricePerKwh: 1 },
      serves: 'price statistics of an area, from the index alone',
    },
    { key: { buyOrder: 1 }, serves: 'the trades of an order that buys' },
    { key: { sellOrder: 1 }, serves: 'the trades of an order that sells' },
  ],
})

export type MarketTransaction = Stored<typeof transactionEntity>

/** The rule for a field that may be absent. */
function whereThere(rule: EntityRule): EntityRule {
  return {
    ...rule,
    check: (document) => document[rule.path] === undefined || rule.check(document),
    expression: { $or: [{ $eq: [{ $type: `$${rule.path}` }, 'missing'] }, rule.expression] },
  }
}
