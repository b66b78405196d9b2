import { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { MeasurementMark } from './measurement-mark.js'

/** A measurement, as far as it is told from others. */
export interface MarkedMeasurement {
  readonly device: ObjectId
  readonly timestamp: Date
  readonly identity: string
}

/** What is known of measurements that have been marked. */
export class MarkStore {
  readonly #database: Database
  readonly #entity: Entity<MeasurementMark>

  constructor(database: Database, entity: Entity<MeasurementMark>) {
    this.#database = database
    this.#entity = entity
  }

  /** Marks the measurements; the last word counts. Takes part in the caller's transaction. */
  async set(
    measurements: readonly MarkedMeasurement[],
    mark: { readonly validated: boolean; readonly validated_by: ObjectId | undefined },
  ): Promise<void> {
    if (measurements.length === 0) return
    const now = this.#database.clock.now()
    const { validated, validated_by } = mark
    const by = validated_by === undefined ? { $unset: { validated_by: '' as const } } : {}
    const $set = { validated, ...(validated_by === undefined ? {} : { validated_by }), updatedAt: now }
    const writes = measurements.map(({ device, timestamp, identity }) => ({
      updateOne: {
        filter: { device, timestamp, identity },
        update: { $set, $inc: { __v: 1 }, $setOnInsert: { _id: new ObjectId(), createdAt: now }, ...by },
        upsert: true,
      },
    }))
    await this.#database.run(this.#entity, 'markValidated', (session) =>
      this.#collection.bulkWrite(writes as never[], { ordered: false, ...(session === undefined ? {} : { session }) }),
    )
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
    const marks = await this.#database.run(this.#entity, 'read', () =>
      this.#collection.find(filter, { projection: { device: 1, timestamp: 1, identity: 1 } }).toArray(),
    )
    return new Set(marks.map(markKey))
  }

  get #collection() {
    return this.#database.collectionOf<MeasurementMark>(this.#entity)
  }
}

export function markKey({ device, timestamp, identity }: MarkedMeasurement): string {
  return `${device.toHexString()}|${timestamp.getTime()}|${identity}`
}
