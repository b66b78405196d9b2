import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../../core/entity.js'
import { instant, quantity } from '../../core/fields.js'
import { bandsOverlap, isPercent } from '../../metering/index.js'
import { currency, pricePerKwh } from './money-fields.js'

/** The tariff of classrooms that name none. */
export const DEFAULT_TARIFF = 'default'

/** Prices of dynamic tariffs are negative at times, and 150 or 3,000 where the currency's unit is small. */
const price = () => pricePerKwh(-1e6, 1e6)

const bandFields = z.strictObject({
  /** ISO weekdays, Monday 1 to Sunday 7, on which the band starts; all of them if left out. */
  days: z.array(z.int().min(1).max(7)).min(1).max(7).optional(),
  /** Local time in the classroom's zone, inclusive. */
  from: z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/),
  /** Exclusive; on the next day if it is not after `from`. */
  to: z.string().regex(/^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/),
  /** The price of a kWh, in the currency’s units. */
  pricePerKwh: price(),
})

/** Cost version: what a tariff's energy costs from an instant on, until its next version starts. */
export const costVersionEntity = defineEntity({
  name: 'cost version',
  collection: 'cost_versions',
  personal: {
    mentions: { in: ['note'], onErasure: 'replace' },
    notPersonal: 'tariff startsAt currency pricePerKwh bands taxes feedInPricePerKwh carbonIntensityGPerKwh'.split(' '),
  },
  fields: {
    /** The name of its tariff. */
    tariff: z.string().min(1).max(100).default(DEFAULT_TARIFF),
    /** Since when it holds. */
    startsAt: instant(),
    /** ISO 4217; that of the tariff's other versions. */
    currency: currency(),
    /** Currency units, before taxes; holds wherever no band does. */
    pricePerKwh: price(),
    /** Hours of the week with a price of their own; no two at one time. */
    bands: z
      .array(bandFields)
      .max(200)
      .refine((bands) => !bandsOverlap(bands), { error: 'two bands hold at one time' })
      .optional(),
    /** What is paid on top of the price, each in percent of the price alone. */
    taxes: z
      .array(
        z.strictObject({
          /** The name of the tax. */
          name: z.string().min(1).max(100),
          /** Percent of the price before taxes. */
          percent: quantity(0, 1000).refine(isPercent, { error: 'expected at most four decimals' }),
        }),
      )
      .max(20)
      .optional(),
    /** Currency units that are paid for energy fed back. */
    feedInPricePerKwh: price().optional(),
    /** g of CO2 per kWh used. */
    carbonIntensityGPerKwh: quantity(0, 100_000).optional(),
    /** Why it was changed. */
    note: z.string().max(1000).optional(),
  },
  indexes: [
    {
      key: { tariff: 1, startsAt: 1 },
      unique: true,
      serves: 'the versions of a tariff, and the one in force at an instant',
    },
  ],
})

export type CostVersion = Stored<typeof costVersionEntity>
export type CostVersionInput = Input<typeof costVersionEntity>
