import { ObjectId } from 'mongodb'
import { compiled } from '../core/compiled-schema.js'
import { validateData } from '../core/validate.js'
import { dataTypeOf } from '../energy/measurement/data-type.js'
import { type EnergyMeasurement, measurementEntity } from '../energy/measurement/measurement.js'
import type { MeasurementStore } from '../energy/measurement/measurement-store.js'
import { implausibilitiesOf } from '../energy/measurement/plausibility.js'
import { refusedMeasurement } from '../energy/measurement/refused-measurement.js'
import { type TelemetryEvent, telemetryEventEntity } from '../energy/measurement/telemetry-event.js'
import type { TelemetryStore } from '../energy/measurement/telemetry-store.js'
import { isInQuarterHours, type TouchedQuarter, touchedAt } from '../energy/register-marks/touched-quarter.js'
import type { KnownSwitch } from './device-directory.js'
import type { ReceivedReport } from './received-report.js'
import type { DeviceReport, ReadingReport } from './report.js'
import type { TelemetryMemory } from './telemetry-memory.js'

export interface SeriesStores {
  readonly measurements: MeasurementStore
  /** Whether readings are stored that go to the ledger one by one as well. */
  readonly everyReading: boolean
  readonly telemetry?: TelemetryStore | undefined
}

/** Series batch: what a batch of messages comes to in the time series. */
export class SeriesBatch {
  readonly #stores: SeriesStores
  readonly #memory: TelemetryMemory
  readonly #measurements: EnergyMeasurement[] = []
  readonly #touched: TouchedQuarter[] = []
  readonly #events: TelemetryEvent[] = []

  constructor(stores: SeriesStores, memory: TelemetryMemory) {
    this.#stores = stores
    this.#memory = memory
  }

  /**
   * Takes a reading of a switch.
   * @throws ValidationError for values that are none: time series have no validator that would refuse them.
   */
  takeReading(report: ReadingReport, target: KnownSwitch, received: ReceivedReport): void {
    const { document } = received.device
    const isForRegister = isInQuarterHours(document, target)
    if (isForRegister || this.#stores.everyReading) this.#addMeasurement(measurementOf(report, target, received))
    if (isForRegister) this.#touched.push(touchedAt(document, target._id, received.instant.atMs))
    if (this.#stores.telemetry === undefined) return
    const { temperature, vitals } = report
    const flags = this.#memory.flagsOf(received)
    const base = { ...eventBase(received), quality_flags: flags }
    if (temperature !== undefined) {
      const meta = { ...base.meta, switch: target._id }
      const value = { name: 'temperature', value: temperature, unit: '°C' }
      this.#addEvent({ ...base, _id: new ObjectId(), meta, type: 'sensor', ...value })
    }
    if (vitals !== undefined) this.#addEvent({ ...base, ...vitalFields(report), type: 'heartbeat' })
  }

  /** Takes a reading of a switch whose power was refused: the register of the power before it ends there. */
  takeRefusedReading(report: ReadingReport, target: KnownSwitch, received: ReceivedReport): void {
    const { device, instant, arrivalMs } = received
    this.#addMeasurement(refusedMeasurement(measurementOf(report, target, received), [], arrivalMs))
    this.#touched.push(touchedAt(device.document, target._id, instant.atMs))
  }

  /** Takes a heartbeat, or a status; of one that the broker had kept nothing is new. */
  takeTelemetry(received: ReceivedReport, isRetained: boolean): void {
    const { report, arrivalMs } = received
    if (this.#stores.telemetry === undefined) return
    if (report.kind === 'heartbeat') {
      const flags = this.#memory.flagsOf(received)
      this.#addEvent({ ...eventBase(received), ...vitalFields(report), type: 'heartbeat', quality_flags: flags })
    }
    if (report.kind === 'status' && !isRetained) {
      const status = report.online ? 'online' : 'offline'
      this.#addEvent({ ...eventBase(received), timestamp: new Date(arrivalMs), type: 'status', status })
    }
  }

  /** Stores what was taken, durably. It can be handed in again: what is stored twice is read once. */
  async store(): Promise<void> {
    await Promise.all([
      this.#stores.measurements.insertValid(this.#measurements, this.#touched),
      this.#stores.telemetry?.insertValid(this.#events),
    ])
  }

  #addMeasurement(measurement: EnergyMeasurement): void {
    validateData(compiled(measurementEntity.inputSchema), measurement, 'The measurement')
    this.#measurements.push(measurement)
  }

  #addEvent(event: TelemetryEvent): void {
    validateData(compiled(telemetryEventEntity.inputSchema), event, 'The telemetry event')
    this.#events.push(event)
  }
}

function measurementOf(report: ReadingReport, target: KnownSwitch, received: ReceivedReport): EnergyMeasurement {
  const { device, instant, arrivalMs } = received
  const { owner, energyRole } = device.document
  const measurement: EnergyMeasurement = {
    _id: new ObjectId(),
    timestamp: new Date(instant.atMs),
    meta: { device: device.id, switch: target._id, owner, site: target.classroom },
    data_type: dataTypeOf(energyRole, report.powerW),
    power: report.powerW,
    voltage: report.voltage,
    current: report.current,
    power_factor: report.powerFactor,
    frequency: report.frequency,
    counter_wh: report.energyWh,
    quality: instant.flags.length === 0 ? 'good' : 'fair',
    received_at: new Date(arrivalMs),
    boot: report.boot,
    sequence_no: report.sequence,
    source: 'mqtt',
  }
  const implausible = implausibilitiesOf(measurement, target, arrivalMs)
  return implausible.length === 0 ? measurement : { ...measurement, quality: 'poor', implausible }
}

function eventBase({ report, device, instant, arrivalMs }: ReceivedReport) {
  return {
    _id: new ObjectId(),
    timestamp: new Date(instant.atMs),
    received_at: new Date(arrivalMs),
    meta: { device: device.id, owner: device.document.owner, site: device.classroom },
    firmware_ver: report.firmwareVersion || undefined,
    boot: report.boot,
    sequence_no: report.sequence,
    source: 'mqtt',
  } as const
}

function vitalFields({ vitals = {} }: DeviceReport) {
  return {
    uptime_seconds: vitals.uptimeSeconds,
    signal_strength: vitals.signalStrength,
    free_heap: vitals.freeHeap,
    status: vitals.status,
  }
}
