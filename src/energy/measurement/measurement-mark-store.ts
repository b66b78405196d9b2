import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { MeasurementMark } from './measurement-mark.js'

/** A measurement, by the fields that distinguish it from others. */
export interface MarkedMeasurement {
  readonly device: ObjectId
  readonly timestamp: Date
  readonly identity: string
}

/** Measurement mark store: what is known of measurements that have been marked. */
export class MeasurementMarkStore {
  readonly #marks: EntityCollection<MeasurementMark>

  constructor(database: Database, entity: Entity<MeasurementMark>) {
    this.#marks = database.of(entity)
  }

  /** Marks the measurements; the last word counts. Takes part in the caller's transaction. */
  async set(
    measurements: readonly MarkedMeasurement[],
    mark: { readonly validated: boolean; readonly validated_by: ObjectId | undefined },
  ): Promise<void> {
    if (measurements.length === 0) return
    const { validated, validated_by } = mark
    const by =
      validated_by === undefined
        ? { $set: { validated }, $unset: { validated_by: '' } }
        : { $set: { validated, validated_by } }
    const writes = measurements.map(({ device, timestamp, identity }) => ({
      update: { device, timestamp, identity },
      by,
      upsert: true,
    }))
    await this.#marks.bulkWrite(writes, { isUnordered: true })
  }

  /** The keys of those of the measurements that are validated; see {@link markKey}. */
  async validated(measurements: readonly MarkedMeasurement[]): Promise<ReadonlySet<string>> {
    const [first] = measurements
    if (first === undefined) return new Set()
    const devices = new Map(measurements.map(({ device }) => [device.toHexString(), device]))
    let [from, to] = [first.timestamp, first.timestamp]
    for (const { timestamp } of measurements) {
      if (timestamp < from) from = timestamp
      if (timestamp > to) to = timestamp
    }
    const filter = { device: { $in: [...devices.values()] }, timestamp: { $gte: from, $lte: to }, validated: true }
    const marks = await this.#marks.find(filter, { projection: { device: 1, timestamp: 1, identity: 1 } })
    return new Set(marks.map(markKey))
  }
}

export function markKey({ device, timestamp, identity }: MarkedMeasurement): string {
  return `${device.toHexString()}|${timestamp.getTime()}|${identity}`
}
