import type { ObjectId } from 'mongodb'
import type { Device, DeviceSwitch, EnergyRole } from '../../devices/device.js'
import { type Fact, factOf } from '../../ledger/facts/fact.js'
import { gapLimitMs } from '../../metering/index.js'
import type { EnergyMeasurement } from '../measurement/measurement.js'
import { settlingMs } from '../register-marks/touched-quarter.js'

/** A switch as its measurements are to be understood. */
export interface MeteredSwitch {
  readonly switchId: ObjectId
  readonly source: 'power' | 'counter'
  readonly gapLimitMs: number
  readonly settlingMs: number
  readonly energyRole: EnergyRole
  readonly document: DeviceSwitch
}

export function meteredSwitch(device: Device, document: DeviceSwitch): MeteredSwitch {
  return {
    switchId: document._id,
    // What was measured of a switch that is rated by now is as good as it was.
    source: document.energySource === 'counter' ? 'counter' : 'power',
    gapLimitMs: gapLimitMs(device.reportingPeriodMs),
    settlingMs: settlingMs(device),
    energyRole: device.energyRole,
    document,
  }
}

/** What a measurement says about energy, as an entry with the same reading would; undefined if it says nothing. */
export function factOfMeasurement(
  { timestamp, meta, data_type, power, counter_wh, boot, sequence_no, quality }: EnergyMeasurement,
  { source, gapLimitMs, energyRole, document }: MeteredSwitch,
): Fact | undefined {
  return factOf({
    deviceId: meta.device,
    classroom: meta.site,
    timestamp,
    eventType: quality === 'refused' ? 'refused_reading' : 'power_reading',
    powerState: power !== 0,
    powerRating: document.powerRating,
    energySource: source,
    // A power has the direction of its measurement; what a counter counts does not change from one reading to the next.
    energyDirection: (source === 'power' ? data_type : energyRole) === 'production' ? 'production' : undefined,
    reading: {
      powerW: power,
      energyWh: counter_wh,
      counterQuantumWh: document.counterQuantumWh,
      counterWidthWh: document.counterWidthWh,
      maximumPower: document.maximumPower,
    },
    gapLimitMs,
    silentSince: undefined,
    ratePerKwh: 0,
    metadata: { bootId: boot, deviceSequence: sequence_no },
    // Copies are left out when measurements are read: nothing else can distinguish two of one instant.
    idempotencyKey: data_type,
  })
}
