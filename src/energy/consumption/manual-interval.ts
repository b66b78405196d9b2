import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { instant, objectId, quantity } from '../../core/fields.js'
import { mwsFromWh } from '../../metering/index.js'
import type { Place } from '../places.js'
import { currency, pricePerKwh } from '../tariffs/money-fields.js'
import { costAt, type IntervalFields } from './interval-document.js'

/** What somebody writes down of a switch's consumption. */
export const manualIntervalSchema = z.strictObject({
  device_id: objectId(),
  switch_id: objectId(),
  start_ts: instant(),
  end_ts: instant(),
  /** Wh */
  delta_wh: quantity(0, 100_000),
  /** From start to end if left out. */
  switch_on_duration_seconds: quantity(0, 86_400).optional(),
  /** W; the mean over that time if left out. */
  power_w: quantity(0, 1e10).optional(),
  /** What the device's tariff says for the start if left out. */
  cost_calculation: z
    .strictObject({ cost_per_kwh: pricePerKwh(-1e9, 1e9), amount: quantity(-1e12, 1e12), currency: currency() })
    .optional(),
  confidence: z.enum(['high', 'medium', 'low']).default('medium'),
  notes: z.string().min(1).max(4000).optional(),
})

export type ManualIntervalInput = z.input<typeof manualIntervalSchema>
type ManualInterval = z.output<typeof manualIntervalSchema>

/** @param place That of the device in the classroom. */
export function manualFields(given: ManualInterval, classroom: ObjectId, place: Place): IntervalFields {
  const { device_id, switch_id, start_ts, end_ts, delta_wh, confidence, notes } = given
  const { switch_on_duration_seconds: onSeconds = (end_ts.getTime() - start_ts.getTime()) / 1000 } = given
  const { name, type } = place.switchOf(switch_id.toHexString())
  const energy_mws = mwsFromWh(delta_wh)
  const { price } = place.calendar.slotAt(start_ts.getTime())
  const cost = given.cost_calculation ?? costAt(price, energy_mws, place.currency)
  return {
    origin: 'manual',
    device_id,
    esp32_name: place.deviceName,
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
