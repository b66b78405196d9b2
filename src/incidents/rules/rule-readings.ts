import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { EnergyMeasurement } from '../../energy/measurement/measurement.js'
import type { TelemetryEvent } from '../../energy/measurement/telemetry-event.js'
import type { RuleReading } from './rule-kinds.js'

export interface RuleReadingEntities {
  readonly measurements: Entity<EnergyMeasurement>
  readonly telemetry: Entity<TelemetryEvent>
}

/** The readings of a device, or of one of its switches, by time. */
export interface SubjectReadings {
  /** The id of the device, with that of the switch where there is one. */
  readonly subject: string
  readonly device: ObjectId
  readonly readings: readonly RuleReading[]
}

interface Row {
  readonly timestamp: Date
  readonly meta: { readonly device: ObjectId; readonly switch?: ObjectId }
}

/** A stretch of time, epoch ms; the end is not part of it. */
export interface ReadingWindow {
  readonly fromMs: number
  readonly toMs: number
}

/** Reads what was measured in a stretch of time, of many devices at once. */
export class RuleReadings {
  readonly #measurements: EntityCollection<EnergyMeasurement>
  readonly #telemetry: EntityCollection<TelemetryEvent>

  constructor(database: Database, { measurements, telemetry }: RuleReadingEntities) {
    // What is not yet on a majority could be rolled back, and is looked at once.
    this.#measurements = database.of(measurements, { isDurable: true }).for('alertRules')
    this.#telemetry = database.of(telemetry, { isDurable: true }).for('alertRules')
  }

  async measured(devices: readonly ObjectId[], window: ReadingWindow): Promise<SubjectReadings[]> {
    const projection = {
      _id: 0,
      timestamp: 1,
      'meta.device': 1,
      'meta.switch': 1,
      power: 1,
      voltage: 1,
      current: 1,
      counter_wh: 1,
    }
    const query = { ...inWindow(devices, window), quality: { $ne: 'refused' } }
    const rows = await this.#measurements.find<Row & Omit<RuleReading, 'atMs'>>(query, {
      projection,
      batchSize: 50_000,
    })
    return bySubject(rows, ({ timestamp, power, voltage, current, counter_wh }) => ({
      atMs: timestamp.getTime(),
      power,
      voltage,
      current,
      counter_wh,
    }))
  }

  async temperatures(devices: readonly ObjectId[], window: ReadingWindow): Promise<SubjectReadings[]> {
    const projection = { _id: 0, timestamp: 1, 'meta.device': 1, 'meta.switch': 1, value: 1 }
    const query = { ...inWindow(devices, window), type: 'sensor', name: 'temperature', value: { $type: 'number' } }
    const rows = await this.#telemetry.find<Row & { readonly value: number }>(query, { projection, batchSize: 50_000 })
    return bySubject(rows, ({ timestamp, value }) => ({ atMs: timestamp.getTime(), temperature: value }))
  }
}

function inWindow(devices: readonly ObjectId[], { fromMs, toMs }: ReadingWindow) {
  return { 'meta.device': { $in: devices }, timestamp: { $gte: new Date(fromMs), $lt: new Date(toMs) } }
}

function bySubject<One extends Row>(rows: readonly One[], readingOf: (row: One) => RuleReading): SubjectReadings[] {
  const found = new Map<string, { device: ObjectId; readings: RuleReading[] }>()
  for (const row of rows) {
    const { device, switch: switchId } = row.meta
    const subject = switchId === undefined ? device.toHexString() : `${device.toHexString()}:${switchId.toHexString()}`
    const known = found.get(subject)
    if (known === undefined) found.set(subject, { device, readings: [readingOf(row)] })
    else known.readings.push(readingOf(row))
  }
  return [...found].map(([subject, { device, readings }]) => ({
    subject,
    device,
    readings: readings.sort((one, other) => one.atMs - other.atMs),
  }))
}
