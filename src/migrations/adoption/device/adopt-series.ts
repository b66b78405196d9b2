import { type Document, ObjectId } from 'mongodb'
import { compiled } from '../../../core/compiled-schema.js'
import { type MeasurementInput, measurementInputSchema } from '../../../energy/measurement/measurement-input.js'
import type { TelemetryEventInput } from '../../../energy/measurement/telemetry-event.js'
import type { AdoptedDevice, AdoptionContext, DeviceReading } from '../context.js'
import { credibleTimes, whyNotCredible } from '../map/credible.js'
import { dateOf, derivedId, given, idKey, isGiven, numberOf, textOf } from '../map/values.js'
import { type Here, measurementSeries, telemetrySeries } from './series.js'

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
  const reading = { collection, field: 'deviceId', sort: { timestamp: 1, _id: 1 } } as const
  for await (const document of context.readOf(device, reading)) {
    const at = dateOf(document.timestamp)
    const reason = at === undefined ? wrongType : whyNotCredible(at, context.nowMs)
    if (at === undefined || reason !== undefined) context.leave(collection, document, reason ?? wrongType)
    else await series.add(document, readingOf(seriesDocument(device, document, at, { collection, context })))
  }
  await series.flush()
}

/** The readings that are adopted as measurements, of these instants. */
async function* readingsAt(
  device: AdoptedDevice,
  context: AdoptionContext,
  instants: readonly Date[],
): AsyncGenerator<Here, void, undefined> {
  const collection = 'powerreadings'
  const filter = { deviceId: { $in: device.names }, timestamp: { $in: instants } }
  for await (const document of context.origin.stream(collection, filter, { timestamp: 1 })) {
    const at = dateOf(document.timestamp)
    if (at === undefined) continue
    const reading = readingOf(seriesDocument(device, document, at, { collection, context }))
    if (compiled(measurementInputSchema).safeParse(reading).success) yield reading
  }
}

/** In the order of the device's clock, and then what it had no time for, or one that cannot be, in the order of arrival. */
async function adoptTelemetry(device: AdoptedDevice, context: AdoptionContext): Promise<void> {
  const times = credibleTimes(context.nowMs)
  await adoptTelemetryOf(device, context, { filter: { timestamp: times }, sort: { timestamp: 1, _id: 1 } })
  await adoptTelemetryOf(device, context, {
    filter: { timestamp: { $not: times } },
    sort: { received_at: 1, _id: 1 },
  })
}

async function adoptTelemetryOf(
  device: AdoptedDevice,
  context: AdoptionContext,
  query: Pick<DeviceReading, 'filter' | 'sort'>,
): Promise<void> {
  const collection = 'telemetry_events'
  const before = (instants: readonly Date[]) => readingsAt(device, context, instants)
  const measurements = measurementSeries(device, context, collection, before)
  const events = telemetrySeries(device, context, collection)
  for await (const document of context.readOf(device, { collection, field: 'device_id', ...query })) {
    const at = telemetryTime(document, context)
    if (typeof at === 'string') {
      context.leave(collection, document, at)
      continue
    }
    const isMeasured = isGiven(document.power_w) || isGiven(document.energy_wh_total)
    const read = seriesDocument(device, document, at, { collection, context })
    if (isMeasured) await measurements.add(document, meteredOf(read))
    else await events.add(document, statusOf(read))
  }
  await measurements.flush()
  await events.flush()
}

/** The time of the device's clock; that of the arrival for one that cannot be, as for what the library receives itself. */
function telemetryTime(document: Document, context: AdoptionContext): Date | string {
  const [at, arrival] = [dateOf(document.timestamp), dateOf(document.received_at)]
  if (at === undefined) return wrongType
  const reason = whyNotCredible(at, context.nowMs)
  if (reason === undefined) return at
  if (arrival === undefined || whyNotCredible(arrival, context.nowMs) !== undefined) return reason
  const note = `${reason}. That of its arrival was taken`
  context.find({ kind: 'noted', collection: 'telemetry_events', document, reason: note })
  return arrival
}

/** A document of a time series, with what it is here. */
interface SeriesDocument {
  readonly document: Document
  readonly isArrival: boolean
  readonly fields: {
    readonly _id: ObjectId
    readonly timestamp: Date
    readonly meta: { readonly device: ObjectId; readonly site: ObjectId }
    readonly source: 'migration'
  }
}

function seriesDocument(
  { input }: AdoptedDevice,
  document: Document,
  timestamp: Date,
  { collection, context }: { readonly collection: string; readonly context: AdoptionContext },
): SeriesDocument {
  const own: unknown = document._id
  const _id = own instanceof ObjectId ? own : derivedId(context.origin.name, collection, idKey(own))
  const meta = { device: input._id, site: input.classroom }
  const isArrival = dateOf(document.timestamp)?.getTime() !== timestamp.getTime()
  return { document, isArrival, fields: { _id, timestamp, meta, source: 'migration' } }
}

function readingOf({ document, fields }: SeriesDocument): MeasurementInput & Here {
  const { power, voltage, current, energy, totalEnergy, status, consumptionFactor, activeSwitches } = document
  const energyWh = numberOf(energy)
  const totalKwh = numberOf(totalEnergy)
  return {
    ...fields,
    data_type: 'consumption',
    ...given('power', numberOf(power)),
    ...given('voltage', numberOf(voltage)),
    ...given('current', numberOf(current)),
    ...given('energy_amount', energyWh === undefined ? undefined : energyWh / 1000),
    ...given('counter_wh', totalKwh === undefined ? undefined : totalKwh * 1000),
    ...given('received_at', dateOf(document.syncedAt)),
    metadata: {
      originalRecordId: idKey(document._id),
      ...given('status', textOf(status)?.slice(0, 1000)),
      ...given('consumptionFactor', numberOf(consumptionFactor)),
      ...given('activeSwitches', numberOf(activeSwitches)),
    },
  }
}

function meteredOf({ document, isArrival, fields }: SeriesDocument): MeasurementInput {
  const { power_w, energy_wh_total, status, sequence_no } = document
  return {
    ...fields,
    data_type: 'consumption',
    ...given('power', numberOf(power_w)),
    ...given('counter_wh', numberOf(energy_wh_total)),
    ...given('received_at', dateOf(document.received_at)),
    ...(isArrival ? { quality: 'fair' as const } : {}),
    ...given('sequence_no', sequenceOf(sequence_no)),
    metadata: {
      originalRecordId: idKey(document._id),
      ...given('status', textOf(status)?.slice(0, 1000)),
      ...relaysOf(document),
    },
  }
}

function statusOf({ document, isArrival, fields }: SeriesDocument): TelemetryEventInput {
  const { meta = {}, quality_flags: flags = {}, uptime_seconds, status, sequence_no } = document
  const { time_drift_detected, out_of_order, duplicate_suspected, gap_before_ms, confidence } = Object(flags)
  const { firmware_ver, wifi_rssi, signal_strength, free_heap } = Object(meta)
  return {
    ...fields,
    received_at: dateOf(document.received_at) ?? fields.timestamp,
    type: 'status',
    ...given('status', textOf(status)?.slice(0, 50)),
    ...given('uptime_seconds', numberOf(uptime_seconds)),
    ...given('firmware_ver', textOf(firmware_ver)?.slice(0, 100)),
    ...given('signal_strength', numberOf(wifi_rssi) ?? numberOf(signal_strength)),
    ...given('free_heap', numberOf(free_heap)),
    ...given('sequence_no', sequenceOf(sequence_no)),
    quality_flags: {
      time_drift: isArrival || time_drift_detected === true,
      out_of_order: out_of_order === true,
      duplicate: duplicate_suspected === true,
      gap_before: (numberOf(gap_before_ms) ?? 0) > gapMs,
      confidence: isArrival ? 'low' : confidence === 'medium' || confidence === 'low' ? confidence : 'high',
    },
    metadata: { originalRecordId: idKey(document._id), ...relaysOf(document) },
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
