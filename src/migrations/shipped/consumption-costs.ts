import { type Document, ObjectId } from 'mongodb'
import type { PriceBook, PriceBookReader } from '../../energy/tariffs/price-book.js'
import { slotPartsOf } from '../../energy/tariffs/slot-parts.js'
import { costOf, type EnergyStretch, isPrice, mwsFromWh, NO_MONEY, roundMoney, sumMoney } from '../../metering/index.js'
import { dateOf, idOf } from '../adoption/map/values.js'
import type { Migration } from '../migration.js'
import { type ChangeLog, type FieldChanges, rewriting, undoing } from './rewriting.js'
import type { Rooms } from './rooms.js'

const id = 'autovolt-5-consumption-costs'
const withoutCost = { cost_calculation: { $exists: false }, origin: { $exists: false } }
/** Decimals of a cost that is only a part of a sum. */
const costDigits = 6
const mwsPerKwh = 3.6e9
/** ms; longer ones are no intervals that a cost could be made of. */
const longestMs = 400 * 86_400_000

export interface CostParts {
  /** The collection of the intervals. */
  readonly collection: string
  readonly prices: PriceBookReader
  readonly readRooms: () => Promise<Rooms>
}

/**
 * Consumption from before the library that has no cost gets it, from the price in force then. What was used while no price
 * was in force stays without: today's price says nothing of it.
 */
export function consumptionCosts(log: ChangeLog, { collection, prices, readRooms }: CostParts): Migration {
  return {
    id,
    description: 'consumption entries without a cost have that of the price in force then',
    up: rewriting(log, {
      collection,
      filter: withoutCost,
      changesOf: async (documents) => {
        const [rooms, book] = [await readRooms(), await prices.read()]
        return documents.map((document) => costChanges(document, rooms, book))
      },
    }),
    down: undoing(log, id),
    verify: async ({ db, note }) => {
      const count = await db.collection(collection).countDocuments(withoutCost, { hint: { _id: 1 } })
      if (count === 0) return
      note(
        `${count} entries of ${collection} stay without a cost: no price was in force then, or they lack a time, an energy or a room. Set the prices of that time, then: autovolt migrate repair ${id} --not-applied, autovolt migrate`,
      )
    },
  }
}

function costChanges(document: Document, rooms: Rooms, book: PriceBook): FieldChanges | undefined {
  const classroom = rooms.find(document.classroom, idOf(document.device_id))
  const stretch = stretchOf(document)
  if (classroom === undefined || stretch === undefined) return undefined
  const { tariff, timeZone } = rooms.placeOf(classroom)
  const currency = book.currencyOf(tariff)
  if (currency === null) return undefined
  const parts = [...slotPartsOf(stretch, book.calendarOf(tariff, timeZone))]
  const prices = parts.map(({ slot }) => slot.price)
  const known = prices.filter((price) => price !== undefined)
  const [first] = known
  if (first === undefined || known.length < prices.length) return undefined
  const amounts = parts.map(({ stretch: { consumedMws }, slot }) => costOf(consumedMws, slot.price?.pricePerKwh ?? 0))
  const amount = roundMoney(sumMoney([NO_MONEY, ...amounts]), costDigits)
  const isOnePrice = known.every(({ pricePerKwh }) => pricePerKwh === first.pricePerKwh)
  const versions = new Set(known.map(({ version }) => version.toHexString()))
  return {
    cost_calculation: {
      cost_per_kwh: isOnePrice || stretch.consumedMws === 0 ? first.pricePerKwh : meanPrice(amount, stretch),
      amount,
      currency,
      ...(versions.size === 1 ? { cost_version: new ObjectId(first.version.toHexString()) } : {}),
    },
  }
}

function stretchOf({ start_ts, end_ts, delta_wh }: Document): EnergyStretch | undefined {
  const [start, end] = [dateOf(start_ts), dateOf(end_ts)]
  if (start === undefined || end === undefined || typeof delta_wh !== 'number') return undefined
  if (!(delta_wh >= 0 && delta_wh <= 1e9)) return undefined
  const [fromMs, toMs] = [start.getTime(), end.getTime()]
  if (toMs < fromMs || toMs - fromMs > longestMs) return undefined
  return { fromMs, toMs, consumedMws: mwsFromWh(delta_wh), producedMws: 0, quality: 'measured' }
}

/** Of energy under several prices. */
function meanPrice(amount: number, { consumedMws }: EnergyStretch): number {
  const mean = Math.round(((amount * mwsPerKwh) / consumedMws) * 1e6) / 1e6
  return isPrice(mean) ? mean : 0
}
