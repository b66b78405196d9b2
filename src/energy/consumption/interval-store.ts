import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { StoreWrite } from '../../core/collection/store-query.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { TimeRange } from '../switch-energy.js'
import type { DeviceConsumption } from './device-consumption.js'
import { areSame, type IntervalFields } from './interval-document.js'
import type { IntervalRevision } from './interval-revision.js'

/** How long a derived interval is at most. */
const longestMs = 3_600_000

/** Interval changes: what was done to the derived intervals. */
export interface IntervalChanges {
  readonly created: number
  readonly changed: number
  readonly removed: number
}

/** Keeps the derived intervals of switches. To be called in a transaction. */
export class IntervalStore {
  readonly #intervals: EntityCollection<DeviceConsumption>
  readonly #revisions: EntityCollection<IntervalRevision>

  constructor(database: Database, entity: Entity<DeviceConsumption>, revisions: Entity<IntervalRevision>) {
    this.#intervals = database.of(entity)
    this.#revisions = database.of(revisions)
  }

  /**
   * Makes the derived intervals of a switch in a span be these. What is so already is not written; others that reach into
   * the span go.
   * @param intervals In order, within the span.
   */
  async replace(switchId: ObjectId, span: TimeRange, intervals: readonly IntervalFields[]): Promise<IntervalChanges> {
    const stored = new Map((await this.#stored(switchId, span)).map((one) => [one.start_ts.getTime(), one]))
    const writes: StoreWrite<DeviceConsumption>[] = []
    const changes = { created: 0, changed: 0, removed: 0 }
    for (const fields of intervals) {
      const startMs = fields.start_ts.getTime()
      const known = stored.get(startMs)
      stored.delete(startMs)
      if (known === undefined) {
        changes.created += 1
        writes.push({ insert: fields })
      } else if (!areSame(known, fields)) {
        changes.changed += 1
        writes.push({ replace: known, by: fields })
      }
    }
    for (const { _id } of stored.values()) writes.push({ delete: { _id } })
    changes.removed = stored.size
    if (writes.length > 0) await this.#write(switchId, writes)
    return changes
  }

  #stored(switchId: ObjectId, { fromMs, toMs }: TimeRange): Promise<DeviceConsumption[]> {
    const filter = {
      switch_id: switchId,
      origin: 'ledger',
      start_ts: { $gt: new Date(fromMs - longestMs), $lt: new Date(toMs) },
      end_ts: { $gt: new Date(fromMs) },
    }
    return this.#intervals.find(filter, { sort: { start_ts: 1 } })
  }

  async #write(switchId: ObjectId, writes: readonly StoreWrite<DeviceConsumption>[]): Promise<void> {
    await this.#revisions.updateOne({ _id: switchId }, { $inc: { changes: 1 } }, { upsert: true })
    await this.#intervals.bulkWrite(writes)
  }
}
