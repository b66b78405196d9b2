import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { instant, objectId, quantity } from '../../core/fields.js'
import { mwsFromWh } from '../../metering/index.js'
import { currency, pricePerKwh } from '../tariffs/money-fields.js'
import type { PricingContext } from '../tariffs/pricing-context.js'
import { costAt, type IntervalFields } from './interval-document.js'

/** What somebody writes down of a switch's consumption. */
export const manualIntervalSchema = z.strictObject({
  /** The device that used the energy. */
  device_id: objectId(),
  /** The switch that used the energy. */
  switch_id: objectId(),
  /** When the interval began. */
  start_ts: instant(),
  /** When the interval ended; it is not part of it. */
  end_ts: instant(),
  /** Wh */
  delta_wh: quantity(0, 100_000),
  /** From start to end if left out. */
  switch_on_duration_seconds: quantity(0, 86_400).optional(),
  /** W; the mean over that time if left out. */
  power_w: quantity(0, 1e10).optional(),
  /** What the device's tariff says for the start if left out. */
  cost_calculation: z
    .strictObject({
      /** The price that held, in the currency’s units for a kWh. */
      cost_per_kwh: pricePerKwh(-1e9, 1e9),
      /** The cost, in the currency’s units. */
      amount: quantity(-1e12, 1e12),
      /** An ISO 4217 code, such as `INR`. */
      currency: currency(),
    })
    .optional(),
  /** How sure it is. @default 'medium' */
  confidence: z.enum(['high', 'medium', 'low']).default('medium'),
  /** What a person wrote about it; at most 4,000 characters. */
  notes: z.string().min(1).max(4000).optional(),
})

export type ManualIntervalInput = z.input<typeof manualIntervalSchema>
type ManualInterval = z.output<typeof manualIntervalSchema>

/** @param context That of the device in the classroom. */
export function manualFields(given: ManualInterval, classroom: ObjectId, context: PricingContext): IntervalFields {
  const { device_id, switch_id, start_ts, end_ts, delta_wh, confidence, notes } = given
  const { switch_on_duration_seconds: onSeconds = (end_ts.getTime() - start_ts.getTime()) / 1000 } = given
  const { name, type } = context.switchOf(switch_id.toHexString())
  const energy_mws = mwsFromWh(delta_wh)
  const { price } = context.calendar.slotAt(start_ts.getTime())
  const cost = given.cost_calculation ?? costAt(price, energy_mws, context.currency)
  return {
    origin: 'manual',
    device_id,
    esp32_name: context.deviceName,
    classroom,
    switch_id,
    switch_name: name,
    ...(type === undefined ? {} : { switch_type: type }),
    start_ts,
    end_ts,
    switch_on_duration_seconds: onSeconds,
    delta_wh,
    energy_mws,
    production_mws: 0,
    power_w: given.power_w ?? (onSeconds > 0 ? (delta_wh * 3600) / onSeconds : 0),
    ...(cost === undefined ? {} : { cost_calculation: cost }),
    quality: { confidence, data_source: 'manual', ...(notes === undefined ? {} : { notes }) },
  }
}
