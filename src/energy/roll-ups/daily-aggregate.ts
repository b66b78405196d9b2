import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { decimal128, objectId, quantity } from '../../core/fields.js'
import { deviceAndClassroom, durationMs, energyMws, sharedTotals, shown, totals } from './aggregate-fields.js'

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
  /** Energy used, milliwatt-seconds. */
  energy_mws: list(energyMws()),
  /** Energy given, milliwatt-seconds. */
  production_mws: list(energyMws()).optional(),
  /** As much of them as was added by hand, or taken away. */
  adjusted_mws: list(energyMws()).optional(),
  /** Of the energy given, what was written down by hand, milliwatt-seconds. */
  adjusted_production_mws: list(energyMws()).optional(),
  /** How long energy flowed, ms. */
  on_ms: list(durationMs()),
  /** How long of that was measured, ms. */
  measured_ms: list(durationMs()),
  /** How long of that was estimated, ms. */
  estimated_ms: list(durationMs()).optional(),
  /** How long nothing is known of, ms. */
  missing_ms: list(durationMs()).optional(),
})

const switchDay = z.strictObject({
  /** The switch that used the energy. */
  switch_id: objectId(),
  /** The name that the switch had then. */
  switch_name: z.string().max(200),
  ...totals,
  /** What was added to the cost by hand, which is all that energy added by hand costs. */
  adjusted_cost_exact: decimal128().optional(),
  /** Energy used, kWh. */
  energy_kwh: z.number(),
  /** How long energy flowed, seconds. */
  on_time_sec: quantity(0, 1e6),
  /** Rounded half-even to the currency's digits. */
  cost: z.number(),
  slots,
})

/** Daily aggregate: what a device used on a civil day in a classroom, its switches and hours inside. */
export const dailyAggregateEntity = defineEntity({
  name: 'daily aggregate',
  collection: 'daily_aggregates',
  personal: {
    mentions: { in: ['esp32_name', 'switch_breakdown'], onErasure: 'replace' },
    notPersonal: [
      ...'device_id classroom time_zone tariff date_string starts_at ends_at price_cuts_ms calendar_digest'.split(' '),
      ...Object.keys({ ...sharedTotals, ...shown }),
    ],
  },
  fields: {
    ...deviceAndClassroom,
    /** The civil day, `YYYY-MM-DD`. */
    date_string: z.string().regex(/^\d{4}-\d\d-\d\d$/),
    /** When the civil day begins. */
    starts_at: z.date(),
    /** When the civil day ends; it is not part of it. */
    ends_at: z.date(),
    /** Where a price changes within a civil hour, ms since the day's start. */
    price_cuts_ms: list(durationMs()).optional(),
    /**
     * How its slots are cut and what its costs were computed with: `SlotCalendar.digestOf`. Left out where they were cut in
     * several ways, until the day is built anew.
     */
    calendar_digest: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .optional(),
    ...sharedTotals,
    ...shown,
    /** The same by switch. */
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
        measured_ms: 1,
        estimated_ms: 1,
        missing_ms: 1,
        calendar_digest: 1,
      },
      serves: 'sums by day, classroom and device, costs by day, days with consumption: from the index alone',
    },
    { key: { classroom: 1, date_string: 1 }, serves: 'the days of a classroom, with their hours' },
  ],
})

export type DailyAggregate = Stored<typeof dailyAggregateEntity>
export type SwitchBreakdown = DailyAggregate['switch_breakdown'][number]
