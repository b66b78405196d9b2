import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { decimal128, objectId, quantity } from '../../core/fields.js'
import { durationMs, energyMws, place, sharedTotals, shown, totals } from './aggregate-fields.js'

/** More than a day has hours and changes of price. */
const mostSlots = 400
const list = <Item extends z.ZodType>(item: Item) => z.array(item).max(mostSlots)

/**
 * Parts of a switch's day that lie in one civil hour and under one price, those in which something was. The lists are
 * as long as each other; one that is left out is all zeros.
 */
const slots = z.strictObject({
  /** Where each begins, ms since the day's start. */
  at_ms: list(durationMs()),
  energy_mws: list(energyMws()),
  production_mws: list(energyMws()).optional(),
  /** As much of them as was added by hand, or taken away. */
  adjusted_mws: list(energyMws()).optional(),
  adjusted_production_mws: list(energyMws()).optional(),
  on_ms: list(durationMs()),
  measured_ms: list(durationMs()),
  estimated_ms: list(durationMs()).optional(),
  missing_ms: list(durationMs()).optional(),
})

const switchDay = z.strictObject({
  switch_id: objectId(),
  switch_name: z.string().max(200),
  ...totals,
  /** What was added to the cost by hand, which is all that energy added by hand costs. */
  adjusted_cost_exact: decimal128().optional(),
  energy_kwh: z.number(),
  on_time_sec: quantity(0, 1e6),
  /** Rounded half-even to the currency's digits. */
  cost: z.number(),
  slots,
})

/** What a device used on a civil day in a classroom, its switches and hours inside. */
export const dailyAggregateEntity = defineEntity({
  name: 'daily aggregate',
  collection: 'daily_aggregates',
  fields: {
    ...place,
    /** The civil day, `YYYY-MM-DD`. */
    date_string: z.string().regex(/^\d{4}-\d\d-\d\d$/),
    starts_at: z.date(),
    ends_at: z.date(),
    /** Where a price changes within a civil hour, ms since the day's start. */
    price_cuts_ms: list(durationMs()).optional(),
    ...sharedTotals,
    ...shown,
    switch_breakdown: z.array(switchDay).max(1000),
  },
  shardKey: { device_id: 1 },
  indexes: [
    {
      key: { device_id: 1, classroom: 1, date_string: 1 },
      unique: true,
      serves: 'the one document of a device and day',
    },
    { key: { device_id: 1, date_string: 1 }, serves: 'the days of a device' },
    { key: { tariff: 1, device_id: 1, starts_at: 1 }, serves: 'the days that a change of tariff re-costs, by device' },
    {
      key: {
        date_string: 1,
        energy_mws: -1,
        device_id: 1,
        classroom: 1,
        currency: 1,
        cost_exact: 1,
        production_mws: 1,
        earnings_exact: 1,
        carbon_exact: 1,
        switch_count: 1,
        on_ms: 1,
        esp32_name: 1,
      },
      serves: 'sums by day, classroom and device, costs by day, days with consumption: from the index alone',
    },
    { key: { classroom: 1, date_string: 1 }, serves: 'the days of a classroom, with their hours' },
  ],
})

export type DailyAggregate = Stored<typeof dailyAggregateEntity>
export type SwitchDay = DailyAggregate['switch_breakdown'][number]
