import { z } from 'zod'
import { defineEntity, type EntityRule, type Stored } from '../../core/entity.js'
import { objectId, quantity } from '../../core/fields.js'
import { geoPoint } from '../../core/geo-point.js'
import { decimalRule, energyPlaces, exactDecimal, moneyPlaces, onceSound, unitsIn } from '../decimal.js'
import { slotMs } from '../slots.js'

export const orderSides = ['buy', 'sell'] as const
export type OrderSide = (typeof orderSides)[number]

/** `active` until something of it is filled, then `partial`; the others are ends, which never change. */
const orderStatuses = ['active', 'partial', 'completed', 'cancelled', 'expired'] as const
const openStatuses: readonly string[] = ['active', 'partial']

/** Why an order was cancelled: its owner took it back, or its account had not enough for it. */
const orderReasons = ['withdrawn', 'insufficient_funds'] as const

/** What is asked of the seller, all of it. */
export const requirement = () =>
  z.strictObject({
    /** The energy is made of sun. */
    renewable: z.literal(true).optional(),
    /** It comes from a storage, so that it can be had at any time. */
    storage: z.literal(true).optional(),
    /** Who sells it: the id of a user. */
    producer: objectId().optional(),
  })
export type Requirement = z.output<ReturnType<typeof requirement>>

/** What a seller has, by the devices that have shown who they are. */
export const sourceFields = () =>
  z.strictObject({
    /** Whether all that produces there does so from the sun. */
    renewable: z.boolean(),
    /** Whether there is a storage. */
    storage: z.boolean(),
  })
export type OrderSource = z.output<ReturnType<typeof sourceFields>>

/** What can be ordered: from 0.0001 kWh on. */
export const energyRange = { atLeast: 1n, below: 1e10 }
/** What a kWh can cost: from 0.000001 on. */
export const priceRange = { atLeast: 1n, below: 1e6 }
/** More than halfway round the earth. */
export const largestDistanceKm = 20_038

/** An order of the market: so much energy within a window of time, at a price that is at most paid or at least asked. */
export const orderEntity = defineEntity({
  name: 'market order',
  collection: 'market_orders',
  personal: {
    subjects: {
      user: {
        onErasure: 'anonymise',
        fields: ['location'],
        refusedWhile: { filter: { isOpen: true }, reason: 'open orders are cancelled first: `volt.market.cancel`' },
      },
    },
    mentions: { in: ['key', 'source'], onErasure: 'replace' },
    notPersonal: (
      'area side energyKwh pricePerKwh totalValue availableFrom availableUntil maximumDistanceKm requirements status isOpen ' +
      'filledKwh reservedAmount sequence due requestHash reason endedAt'
    ).split(' '),
  },
  fields: {
    /** The area in which it meets others. */
    area: objectId(),
    /** Whose it is. */
    user: objectId(),
    /** Whether it buys or sells. */
    side: z.enum(orderSides),
    /** kWh, to 4 decimals. */
    energyKwh: exactDecimal(energyPlaces),
    /** The limit for each kWh, to 6 decimals. */
    pricePerKwh: exactDecimal(moneyPlaces),
    /** The energy at this price, to 6 decimals, rounded up. */
    totalValue: exactDecimal(moneyPlaces),
    /** From when on the energy is wanted or there; a quarter hour. */
    availableFrom: z.date(),
    /** Until when; a quarter hour. What is matched is delivered from the next quarter hour on, so at the last one before it has expired. */
    availableUntil: z.date(),
    /** Where it is. */
    location: geoPoint().optional(),
    /** How far away the other side may be, km on a sphere of 6371 km radius; without it anywhere. */
    maximumDistanceKm: quantity(0, largestDistanceKm).optional(),
    /** What a buyer asks of the seller: one of these is enough. */
    requirements: z.array(requirement()).min(1).max(20).optional(),
    /** What a seller has. */
    source: sourceFields().optional(),
    /** What has become of it. */
    status: z.enum(orderStatuses),
    /** Whether it may still be filled. */
    isOpen: z.boolean(),
    /** kWh of it that are traded; never more than `energyKwh`. */
    filledKwh: exactDecimal(energyPlaces),
    /** What its owner's account holds ready for what is not traded yet. */
    reservedAmount: exactDecimal(moneyPlaces),
    /** Its number among the orders of the area, in which they were taken in: of equal prices the lower goes first. */
    sequence: z.int().min(1).optional(),
    /** What the matcher has to do about it: take it in, or give back what is reserved. */
    due: z.enum(['intake', 'release']).optional(),
    /** The same key of the same user and area again is the same order. */
    key: z.string().min(1).max(200),
    /** SHA-256 of what was asked for with the key, in hexadecimal. */
    requestHash: z.string().regex(/^[0-9a-f]{64}$/),
    /** Why it was cancelled. */
    reason: z.enum(orderReasons).optional(),
    /** When it ended. */
    endedAt: z.date().optional(),
  },
  rules: orderRules(),
  shardKey: { area: 1 },
  indexes: [
    { key: { area: 1, user: 1, key: 1 }, unique: true, serves: 'one order for each key of a user' },
    {
      key: { area: 1, side: 1, pricePerKwh: 1, sequence: 1, availableUntil: 1 },
      partialFilterExpression: { isOpen: true },
      serves: 'the book of an area: what is sold, the lowest price first',
    },
    {
      key: { area: 1, side: 1, pricePerKwh: -1, sequence: 1, availableUntil: 1 },
      partialFilterExpression: { isOpen: true },
      serves: 'the book of an area: what is bought, the highest price first',
    },
    {
      key: { area: 1, due: 1, _id: 1 },
      partialFilterExpression: { due: { $gt: '' } },
      serves: 'matchers: what is to be taken in or given back',
    },
    {
      key: { availableUntil: 1, area: 1 },
      partialFilterExpression: { isOpen: true },
      serves: 'matchers: orders whose time is over',
    },
    {
      key: { location: '2dsphere', side: 1, pricePerKwh: 1 },
      partialFilterExpression: { isOpen: true },
      serves: 'the open orders around a place',
    },
    { key: { user: 1, _id: -1 }, serves: 'the orders of a user, newest first' },
  ],
})

export type MarketOrder = Stored<typeof orderEntity>

/** What holds across the fields of an order, whoever writes it. */
function orderRules(): readonly EntityRule[] {
  const energy = '$energyKwh'
  const filled = '$filledKwh'
  const sound = [
    decimalRule('energyKwh', energyPlaces, energyRange),
    decimalRule('filledKwh', energyPlaces, { atLeast: 0n, below: 1e10 }),
  ]
  return [
    ...sound,
    decimalRule('pricePerKwh', moneyPlaces, priceRange),
    decimalRule('totalValue', moneyPlaces, { atLeast: 1n, below: 1e16 }),
    decimalRule('reservedAmount', moneyPlaces, { atLeast: 0n, below: 1e16 }),
    onceSound(sound, {
      path: 'filledKwh',
      message: 'expected at most the energy of the order',
      check: (order) => energiesOf(order, (whole, part) => part <= whole),
      expression: { $lte: [filled, energy] },
    }),
    onceSound(sound, {
      path: 'status',
      message: 'expected the status that follows from what is filled',
      check: (order) =>
        energiesOf(order, (whole, part) => {
          if (order.status === 'active') return part === 0n
          if (order.status === 'partial' && part <= 0n) return false
          return (order.status === 'completed') === (part === whole)
        }),
      expression: {
        $and: [
          { $or: [{ $ne: ['$status', 'active'] }, { $eq: [filled, 0] }] },
          { $or: [{ $ne: ['$status', 'partial'] }, { $gt: [filled, 0] }] },
          { $eq: [{ $eq: ['$status', 'completed'] }, { $eq: [filled, energy] }] },
        ],
      },
    }),
    {
      path: 'isOpen',
      message: 'expected true while it is active or partial, and false afterwards',
      check: (order) => order.isOpen === openStatuses.includes(String(order.status)),
      expression: { $eq: ['$isOpen', { $in: ['$status', openStatuses] }] },
    },
    {
      path: 'availableUntil',
      message: 'expected quarter hours, the end after the beginning',
      check: ({ availableFrom: from, availableUntil: until }) =>
        from instanceof Date && until instanceof Date && [from, until].every(isQuarter) && from < until,
      expression: {
        $and: [
          ...['$availableFrom', '$availableUntil'].map((date) => ({ $eq: [{ $mod: [{ $toLong: date }, slotMs] }, 0] })),
          { $lt: ['$availableFrom', '$availableUntil'] },
        ],
      },
    },
  ]
}

function energiesOf(
  order: Readonly<Record<string, unknown>>,
  isSo: (energy: bigint, filled: bigint) => boolean,
): boolean {
  return isSo(unitsIn(order, 'energyKwh', energyPlaces) ?? 0n, unitsIn(order, 'filledKwh', energyPlaces) ?? 0n)
}

function isQuarter(date: Date): boolean {
  return date.getTime() % slotMs === 0
}
