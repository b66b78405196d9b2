import { z } from 'zod'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { type DecimalNumber, instant, objectId } from '../../core/fields.js'
import { energyPlaces, moneyPlaces, textOf, unitsOf } from '../decimal.js'
import type { MarketTransaction } from '../transaction.js'

const longestMs = 366 * 86_400_000

export const priceStatisticsSchema = z
  .strictObject({
    /** The area. */
    area: objectId(),
    /** Trades that were made from then on. */
    from: instant(),
    /** Until before then; a year at most. */
    until: instant(),
    /** How much time a row is about: hours and days of UTC. @default 'hour' */
    step: z.enum(['hour', 'day']).default('hour'),
  })
  .refine(({ from, until }) => until > from && until.getTime() - from.getTime() <= longestMs, {
    error: 'expected a time after `from`, and a year at most',
    path: ['until'],
  })
export type PriceStatisticsQuestion = z.input<typeof priceStatisticsSchema>

/** Price statistics: the trades of an hour or a day. */
export interface PriceStatistics {
  readonly start: Date
  readonly trades: number
  /** kWh. */
  readonly energyKwh: string
  /** The mean price of a kWh, weighted by energy, rounded down to 6 decimals. */
  readonly meanPricePerKwh: string
  readonly lowestPricePerKwh: string
  readonly highestPricePerKwh: string
}

interface Row {
  readonly _id: Date
  readonly trades: number
  readonly energy: DecimalNumber
  /** With 10 decimals: a product of 4 and 6. */
  readonly value: DecimalNumber
  readonly lowest: DecimalNumber
  readonly highest: DecimalNumber
}

const index = { area: 1, type: 1, createdAt: 1, energyKwh: 1, pricePerKwh: 1 } as const

/** From an index alone; steps without trades have no row. */
export async function priceStatistics(
  trades: EntityCollection<MarketTransaction>,
  { area, from, until, step }: z.output<typeof priceStatisticsSchema>,
): Promise<PriceStatistics[]> {
  const rows = await trades.for('priceStatistics').aggregate<Row>(
    [
      // Of what was adopted from another system the energy may not be known.
      { $match: { area, type: 'energy_trade', createdAt: { $gte: from, $lt: until }, energyKwh: { $gt: 0 } } },
      {
        $group: {
          _id: { $dateTrunc: { date: '$createdAt', unit: step } },
          trades: { $sum: 1 },
          energy: { $sum: '$energyKwh' },
          value: { $sum: { $multiply: ['$energyKwh', '$pricePerKwh'] } },
          lowest: { $min: '$pricePerKwh' },
          highest: { $max: '$pricePerKwh' },
        },
      },
      { $sort: { _id: 1 } },
    ],
    { hint: index },
  )
  return rows.map(({ _id, trades: count, energy, value, lowest, highest }) => {
    const units = unitsOf(energy, energyPlaces)
    return {
      start: _id,
      trades: count,
      energyKwh: textOf(units, energyPlaces),
      meanPricePerKwh: textOf(unitsOf(value, energyPlaces + moneyPlaces) / units, moneyPlaces),
      lowestPricePerKwh: lowest.toString(),
      highestPricePerKwh: highest.toString(),
    }
  })
}
