import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { decimal128, objectId, quantity } from '../../core/fields.js'
import { deviceAndClassroom, energyMws, sharedTotals, shown, totals } from './aggregate-fields.js'

/** One number for each hour of the day, whatever clocks did: 0 to 23 of local time. */
const byHour = () => z.array(energyMws()).length(24)

const switchMonth = z.strictObject({
  /** The switch that used the energy. */
  switch_id: objectId(),
  /** The name that the switch had then. */
  switch_name: z.string().max(200),
  ...totals,
  /** Energy used, kWh. */
  energy_kwh: z.number(),
  /** How long energy flowed, seconds. */
  on_time_sec: quantity(0, 1e7),
  /** Rounded half-even to the currency's digits. */
  cost: z.number(),
  /** Consumption by hour of the day. */
  hours_mws: byHour(),
})

/** Days on which something was, in order. The lists are as long as each other. */
const days = z.strictObject({
  /** Days of the month. */
  day: z.array(z.int().min(1).max(31)).max(31),
  /** Energy used, milliwatt-seconds. */
  energy_mws: z.array(energyMws()).max(31),
  /** Energy given, milliwatt-seconds. */
  production_mws: z.array(energyMws()).max(31),
  /** The cost, in 3.6·10¹⁵ths of the currency’s unit. */
  cost_exact: z.array(decimal128()).max(31),
})

/** Monthly aggregate: what a device used in a civil month in a classroom, its switches and days inside. */
export const monthlyAggregateEntity = defineEntity({
  name: 'monthly aggregate',
  collection: 'monthly_aggregates',
  personal: {
    mentions: { in: ['esp32_name', 'switch_breakdown'], onErasure: 'replace' },
    notPersonal: [
      ...'device_id classroom time_zone tariff month hours_mws hours_switches days'.split(' '),
      ...Object.keys({ ...sharedTotals, ...shown }),
    ],
  },
  fields: {
    ...deviceAndClassroom,
    /** The civil month, `YYYY-MM`. */
    month: z.string().regex(/^\d{4}-\d\d$/),
    ...sharedTotals,
    ...shown,
    /** Consumption by hour of the day. */
    hours_mws: byHour(),
    /** Switches that used energy in each hour of the day. */
    hours_switches: z.array(z.int().min(0).max(1000)).length(24),
    days,
    /** The same by switch. */
    switch_breakdown: z.array(switchMonth).max(1000),
  },
  shardKey: { device_id: 1 },
  indexes: [
    { key: { device_id: 1, classroom: 1, month: 1 }, unique: true, serves: 'the one document of a device and month' },
    { key: { device_id: 1, month: 1 }, serves: 'the months of a device' },
    {
      key: {
        month: 1,
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
      serves: 'monthly trends, costs by month, a page of devices by energy: from the index alone',
    },
    { key: { classroom: 1, month: 1 }, serves: 'the months of a classroom' },
  ],
})

export type MonthlyAggregate = Stored<typeof monthlyAggregateEntity>
export type SwitchMonth = MonthlyAggregate['switch_breakdown'][number]
