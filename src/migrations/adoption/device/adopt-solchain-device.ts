import type { MeasurementInput } from '../../../energy/measurement/measurement-input.js'
import { civilDayOf, mwsFromWh } from '../../../metering/index.js'
import type { AdoptedDevice, AdoptionContext } from '../context.js'
import { type EnergyRow, energyRowOf } from '../map/solchain.js'
import { wholeDeviceId } from '../map/switches.js'
import { derivedId, given, idKey } from '../map/values.js'
import { bookWholeDevice } from './channel.js'
import { measurementSeries } from './series.js'
import { slotsOf, type WholeEnergy } from './whole-sources.js'

const collection = 'energy_data'

/** Adopts the rows of energy of one device of SolChain: as measurements, and in the ledger, where reports take it from. */
export async function adoptSolchainDevice(device: AdoptedDevice, context: AdoptionContext): Promise<void> {
  const { registry, options, origin, tally } = context
  const rows = new Map<number, EnergyRow & { readonly document: object }>()
  for await (const document of context.read(collection, { device_id: device.document.device_id }, { _id: 1 })) {
    const row = energyRowOf(document, context.nowMs)
    if (registry.userOf(document.user_id) === undefined)
      context.leave(collection, document, 'of a user that is not there')
    else if (typeof row === 'string') context.leave(collection, document, row)
    else if (rows.has(row.at.getTime())) context.leave(collection, document, 'the same device and instant once more')
    else rows.set(row.at.getTime(), { ...row, document })
  }
  // Times of several forms are in no order there.
  const inOrder = [...rows.values()].toSorted((a, b) => a.at.getTime() - b.at.getTime())
  const series = measurementSeries(device, context, collection)
  for (const row of inOrder) {
    for (const measurement of measurementsOf(device, origin.name, row)) await series.add(row.document, measurement)
  }
  await series.flush()
  const slots = slotsOf(inOrder.map((row) => energyOf(row, options.timeZone)))
  tally.adopt('ledgerEntries', await bookWholeDevice(device, slots, context))
  if (slots.size === 0) return
  const whole = [...slots.values()]
  tally.wholeDevices.push({
    deviceId: device.input._id,
    switchId: wholeDeviceId(device.input._id),
    collections: [collection],
    days: new Set(whole.map(({ day }) => day)).size,
    energyWh: whole.reduce((sum, { consumedMws }) => sum + consumedMws, 0) / 3.6e6,
    productionWh: whole.reduce((sum, { producedMws }) => sum + producedMws, 0) / 3.6e6,
  })
}

function energyOf({ at, consumedKwh, producedKwh }: EnergyRow, timeZone: string): WholeEnergy {
  return {
    atMs: at.getTime(),
    day: civilDayOf(at.getTime(), timeZone),
    consumedMws: mwsFromWh(consumedKwh * 1000),
    producedMws: mwsFromWh(producedKwh * 1000),
  }
}

/** A row says both what was consumed and what was produced. */
function measurementsOf(
  { input }: AdoptedDevice,
  database: string,
  {
    at,
    consumedKwh,
    producedKwh,
    batteryPercent,
    document,
  }: EnergyRow & { readonly document: { readonly _id?: unknown } },
): MeasurementInput[] {
  const id = idKey(document._id)
  const amounts = { consumption: consumedKwh, production: producedKwh } as const
  return (['consumption', 'production'] as const).map((data_type) => ({
    _id: derivedId(database, collection, id, data_type),
    timestamp: at,
    meta: { device: input._id, site: input.classroom, ...given('owner', input.owner) },
    data_type,
    energy_amount: amounts[data_type],
    ...given('battery_soc', batteryPercent),
    source: 'migration',
    metadata: { originalRecordId: id },
  }))
}
