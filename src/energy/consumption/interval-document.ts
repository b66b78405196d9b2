import type { ObjectId } from 'mongodb'
import type { StoredFields } from '../../core/entity.js'
import { costOf, roundMoney, whFromMws } from '../../metering/index.js'
import type { PricingContexts } from '../tariffs/pricing-context.js'
import type { SlotPrice } from '../tariffs/slot-calendar.js'
import { costDigits, type DeviceConsumption } from './device-consumption.js'
import type { IntervalFigures } from './interval-builder.js'

/** An interval without what the library notes about each document. */
export type IntervalFields = Omit<DeviceConsumption, keyof StoredFields>

/** The document of a derived interval. */
export function intervalFields(
  switchId: ObjectId,
  figures: IntervalFigures,
  contexts: PricingContexts,
): IntervalFields {
  const { since, fromMs, toMs, onMs, consumedMws, producedMws, quality, isRated, slot, entries } = figures
  const context = contexts.of(since.deviceId, since.classroom)
  const { name, type } = context.switchOf(switchId.toHexString())
  const cost = costAt(slot.price, consumedMws, context.currency)
  return {
    origin: 'ledger',
    device_id: since.deviceId,
    esp32_name: context.deviceName,
    classroom: since.classroom,
    switch_id: switchId,
    switch_name: name,
    ...(type === undefined ? {} : { switch_type: type }),
    start_ts: new Date(fromMs),
    end_ts: new Date(toMs),
    switch_on_duration_seconds: onMs / 1000,
    delta_wh: whFromMws(consumedMws),
    energy_mws: consumedMws,
    production_mws: producedMws,
    power_w: onMs === 0 ? 0 : consumedMws / onMs,
    ...(cost === undefined ? {} : { cost_calculation: cost }),
    quality: {
      confidence: quality === 'measured' ? 'high' : 'low',
      data_source: isRated ? 'power_tracker' : 'telemetry',
    },
    ledger_entries: { first_sequence: entries.first, last_sequence: entries.last },
  }
}

/** What an energy costs, as an interval says it; undefined where no price is in force. */
export function costAt(
  price: SlotPrice | undefined,
  energyMws: number,
  currency: string | null,
): IntervalFields['cost_calculation'] {
  if (price === undefined || currency === null) return undefined
  const { version, pricePerKwh } = price
  const amount = roundMoney(costOf(energyMws, pricePerKwh), costDigits)
  return { cost_per_kwh: pricePerKwh, amount, currency, cost_version: version }
}

/** Whether two derived intervals say the same. */
export function areSame(one: IntervalFields, other: IntervalFields): boolean {
  return textOf(one) === textOf(other)
}

function textOf({
  device_id,
  classroom,
  cost_calculation: cost,
  quality,
  ledger_entries: entries,
  ...rest
}: IntervalFields) {
  return JSON.stringify([
    device_id,
    classroom,
    rest.esp32_name,
    rest.switch_name,
    rest.switch_type,
    rest.start_ts,
    rest.end_ts,
    rest.switch_on_duration_seconds,
    rest.energy_mws,
    rest.delta_wh,
    rest.production_mws,
    rest.power_w,
    [cost?.cost_per_kwh, cost?.amount, cost?.currency, cost?.cost_version, cost?.cost_inr],
    [quality.confidence, quality.data_source, quality.notes],
    [entries?.first_sequence, entries?.last_sequence],
  ])
}
