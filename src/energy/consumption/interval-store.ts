import { type AnyBulkWriteOperation, type Collection, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { inSession } from '../../core/repository/reader.js'
import type { TimeRange } from '../switch-energy.js'
import type { DeviceConsumption } from './device-consumption.js'
import { areSame, type IntervalFields } from './interval-document.js'
import type { IntervalTurn } from './interval-turn.js'

/** How long a derived interval is at most. */
const longestMs = 3_600_000

/** What was done to the derived intervals. */
export interface IntervalChanges {
  readonly created: number
  readonly changed: number
  readonly removed: number
}

/** Keeps the derived intervals of switches. To be called in a transaction. */
export class IntervalStore {
  readonly #database: Database
  readonly #entity: Entity<DeviceConsumption>
  readonly #turns: Entity<IntervalTurn>

  constructor(database: Database, entity: Entity<DeviceConsumption>, turns: Entity<IntervalTurn>) {
    this.#database = database
    this.#entity = entity
    this.#turns = turns
  }

  /**
   * Makes the derived intervals of a switch in a span be these. What is so already is not written; others that reach into
   * the span go.
   * @param intervals In order, within the span.
   */
  async replace(switchId: ObjectId, span: TimeRange, intervals: readonly IntervalFields[]): Promise<IntervalChanges> {
    const stored = new Map((await this.#stored(switchId, span)).map((one) => [one.start_ts.getTime(), one]))
    const now = this.#database.clock.now()
    const writes: AnyBulkWriteOperation<DeviceConsumption>[] = []
    const changes = { created: 0, changed: 0, removed: 0 }
    for (const fields of intervals) {
      const startMs = fields.start_ts.getTime()
      const known = stored.get(startMs)
      stored.delete(startMs)
      if (known === undefined) {
        changes.created += 1
        const document = { _id: new ObjectId(), ...fields, createdAt: now, updatedAt: now, __v: 0 }
        writes.push({ insertOne: { document } })
      } else if (!areSame(known, fields)) {
        changes.changed += 1
        const { _id, createdAt, __v } = known
        const replacement = { ...fields, createdAt, updatedAt: now, __v: __v + 1 }
        writes.push({ replaceOne: { filter: { _id }, replacement } })
      }
    }
    for (const { _id } of stored.values()) writes.push({ deleteOne: { filter: { _id } } })
    changes.removed = stored.size
    if (writes.length > 0) await this.#write(switchId, writes)
    return changes
  }

  get #collection(): Collection<DeviceConsumption> {
    return this.#database.collectionOf(this.#entity)
  }

  #stored(switchId: ObjectId, { fromMs, toMs }: TimeRange): Promise<DeviceConsumption[]> {
    const filter = {
      switch_id: switchId,
      origin: 'ledger' as const,
      start_ts: { $gt: new Date(fromMs - longestMs), $lt: new Date(toMs) },
      end_ts: { $gt: new Date(fromMs) },
    }
    return this.#database.run(this.#entity, 'intervals', (session) =>
      this.#collection.find(filter, inSession(session)).sort({ start_ts: 1 }).toArray(),
    )
  }

  async #write(switchId: ObjectId, writes: AnyBulkWriteOperation<DeviceConsumption>[]): Promise<void> {
    await this.#database.run(this.#turns, 'turn', (session) => this.#takeTurn(switchId, inSession(session)))
    await this.#database.run(this.#entity, 'derive', (session) =>
      this.#collection.bulkWrite(writes, inSession(session)),
    )
  }

  async #takeTurn(switchId: ObjectId, options: ReturnType<typeof inSession>): Promise<void> {
    const now = this.#database.clock.now()
    const turns = this.#database.collectionOf<IntervalTurn>(this.#turns)
    await turns.updateOne(
      { _id: switchId },
      { $inc: { changes: 1, __v: 1 }, $set: { updatedAt: now }, $setOnInsert: { createdAt: now } },
      { ...options, upsert: true },
    )
  }
}
