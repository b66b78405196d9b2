import type { Document } from 'mongodb'
import type { MeasurementInput } from '../../../energy/measurement/measurement-input.js'
import type { TelemetryEventInput } from '../../../energy/measurement/telemetry-event.js'
import type { AdoptedDevice, AdoptionContext } from '../context.js'
import { dateOf, given, idOf, isGiven, numberOf, shownId, textOf } from '../map/values.js'
import { measurementSeries, telemetrySeries } from './series.js'
import { bareAddress } from './whole-sources.js'

const gapMs = 300_000
const wrongType = 'an id or a time of the wrong type'

/** Adopts the readings of a device and its telemetry: with a power or a counter as measurements, else as events of its status. */
export async function adoptSeries(device: AdoptedDevice, context: AdoptionContext): Promise<void> {
  await adoptReadings(device, context)
  await adoptTelemetry(device, context)
}

async function adoptReadings(device: AdoptedDevice, context: AdoptionContext): Promise<void> {
  const collection = 'powerreadings'
  const series = measurementSeries(device, context, collection)
  const filter = { deviceId: device.input._id }
  for await (const document of context.read(collection, filter, { timestamp: 1, _id: 1 })) {
    const at = dateOf(document.timestamp)
    if (at === undefined) context.leave(collection, document, wrongType)
    else await series.add(document, readingOf(device, document, at))
  }
  await series.flush()
}

async function adoptTelemetry(device: AdoptedDevice, context: AdoptionContext): Promise<void> {
  const collection = 'telemetry_events'
  const measurements = measurementSeries(device, context, collection)
  const events = telemetrySeries(device, context, collection)
  const filter = { device_id: bareAddress(device) }
  for await (const document of context.read(collection, filter, { timestamp: 1, _id: 1 })) {
    const at = dateOf(document.timestamp)
    const isMeasured = isGiven(document.power_w) || isGiven(document.energy_wh_total)
    if (at === undefined) context.leave(collection, document, wrongType)
    else if (isMeasured) await measurements.add(document, meteredOf(device, document, at))
    else await events.add(document, statusOf(device, document, at))
  }
  await measurements.flush()
  await events.flush()
}

function readingOf({ input }: AdoptedDevice, document: Document, timestamp: Date): MeasurementInput {
  const { power, voltage, current, energy, totalEnergy, status, consumptionFactor, activeSwitches } = document
  const energyWh = numberOf(energy)
  const totalKwh = numberOf(totalEnergy)
  return {
    ...given('_id', idOf(document._id)),
    timestamp,
    meta: { device: input._id, site: input.classroom },
    data_type: 'consumption',
    ...given('power', numberOf(power)),
    ...given('voltage', numberOf(voltage)),
    ...given('current', numberOf(current)),
    ...given('energy_amount', energyWh === undefined ? undefined : energyWh / 1000),
    ...given('counter_wh', totalKwh === undefined ? undefined : totalKwh * 1000),
    ...given('received_at', dateOf(document.syncedAt)),
    source: 'migration',
    metadata: {
      originalRecordId: shownId(document._id),
      ...given('status', textOf(status)?.slice(0, 1000)),
      ...given('consumptionFactor', numberOf(consumptionFactor)),
      ...given('activeSwitches', numberOf(activeSwitches)),
    },
  }
}

function meteredOf({ input }: AdoptedDevice, document: Document, timestamp: Date): MeasurementInput {
  const { power_w, energy_wh_total, status, sequence_no } = document
  return {
    ...given('_id', idOf(document._id)),
    timestamp,
    meta: { device: input._id, site: input.classroom },
    data_type: 'consumption',
    ...given('power', numberOf(power_w)),
    ...given('counter_wh', numberOf(energy_wh_total)),
    ...given('received_at', dateOf(document.received_at)),
    ...given('sequence_no', sequenceOf(sequence_no)),
    source: 'migration',
    metadata: {
      originalRecordId: shownId(document._id),
      ...given('status', textOf(status)?.slice(0, 1000)),
      ...relaysOf(document),
    },
  }
}

function statusOf({ input }: AdoptedDevice, document: Document, timestamp: Date): TelemetryEventInput {
  const { meta = {}, quality_flags: flags = {}, uptime_seconds, status, sequence_no } = document
  const { time_drift_detected, out_of_order, duplicate_suspected, gap_before_ms, confidence } = Object(flags)
  const { firmware_ver, wifi_rssi, signal_strength, free_heap } = Object(meta)
  return {
    ...given('_id', idOf(document._id)),
    timestamp,
    received_at: dateOf(document.received_at) ?? timestamp,
    meta: { device: input._id, site: input.classroom },
    type: 'status',
    ...given('status', textOf(status)?.slice(0, 50)),
    ...given('uptime_seconds', numberOf(uptime_seconds)),
    ...given('firmware_ver', textOf(firmware_ver)?.slice(0, 100)),
    ...given('signal_strength', numberOf(wifi_rssi) ?? numberOf(signal_strength)),
    ...given('free_heap', numberOf(free_heap)),
    ...given('sequence_no', sequenceOf(sequence_no)),
    quality_flags: {
      time_drift: time_drift_detected === true,
      out_of_order: out_of_order === true,
      duplicate: duplicate_suspected === true,
      gap_before: (numberOf(gap_before_ms) ?? 0) > gapMs,
      confidence: confidence === 'medium' || confidence === 'low' ? confidence : 'high',
    },
    source: 'migration',
    metadata: { originalRecordId: shownId(document._id), ...relaysOf(document) },
  }
}

/** The relays as they were, such as `relay16`. */
function relaysOf({ switch_state }: Document): Record<string, boolean> {
  const relays = Object.entries(Object(switch_state)).filter(
    (pair): pair is [string, boolean] => /^[A-Za-z]\w{0,63}$/.test(pair[0]) && typeof pair[1] === 'boolean',
  )
  return Object.fromEntries(relays.slice(0, 64))
}

function sequenceOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
