import { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { RegisterMark } from './register-mark.js'
import type { TouchedQuarter } from './touched-quarter.js'

const durable = { writeConcern: { w: 'majority', journal: true } } as const

/** Which quarter hours of which switches are to be looked at. */
export class RegisterMarkStore {
  readonly #database: Database
  readonly #entity: Entity<RegisterMark>

  constructor(database: Database, entity: Entity<RegisterMark>) {
    this.#database = database
    this.#entity = entity
  }

  /** Marks the quarter hours, each once; durable when it resolves. Measurements are stored before. */
  async touch(quarters: Iterable<TouchedQuarter>): Promise<void> {
    const distinct = new Map<string, TouchedQuarter>()
    for (const one of quarters) distinct.set(`${one.switchId.toHexString()} ${one.startMs}`, one)
    if (distinct.size === 0) return
    const now = this.#database.clock.now()
    const writes = [...distinct.values()].map(({ switchId, deviceId, startMs, dueMs }) => ({
      updateOne: {
        filter: { switchId, quarter: new Date(startMs) },
        update: {
          $set: { deviceId, dueAt: new Date(dueMs), updatedAt: now },
          $inc: { touches: 1, __v: 1 },
          $setOnInsert: { _id: new ObjectId(), createdAt: now },
        },
        upsert: true,
      },
    }))
    await this.#database.run(this.#entity, 'touch', () =>
      this.#collection.bulkWrite(writes as never[], { ordered: false, ...durable }),
    )
  }

  /** Marks the quarter hour, unless it is marked and not due: nobody can be about to take that mark away. */
  async touchUnlessPending(quarter: TouchedQuarter): Promise<void> {
    const { switchId, startMs } = quarter
    const pending = { switchId, quarter: new Date(startMs), dueAt: { $gt: this.#database.clock.now() } }
    const found = await this.#database.run(this.#entity, 'read', () => this.#collection.findOne(pending))
    if (found === null) await this.touch([quarter])
  }

  /** The marks that are due, oldest first, after the one that is given. */
  async due(after: RegisterMark | undefined, limit: number): Promise<RegisterMark[]> {
    const now = this.#database.clock.now()
    const isLater =
      after === undefined
        ? {}
        : { $or: [{ dueAt: { $gt: after.dueAt } }, { dueAt: after.dueAt, _id: { $gt: after._id } }] }
    return this.#database.run(this.#entity, 'due', () =>
      this.#collection
        .find({ dueAt: { $lte: now }, ...isLater })
        .sort({ dueAt: 1, _id: 1 })
        .limit(limit)
        .toArray(),
    ) as Promise<RegisterMark[]>
  }

  /** Takes the marks away, but for those that were touched since they were read. */
  async release(marks: readonly RegisterMark[]): Promise<void> {
    if (marks.length === 0) return
    const writes = marks.map(({ switchId, _id, touches }) => ({ deleteOne: { filter: { switchId, _id, touches } } }))
    await this.#database.run(this.#entity, 'release', () =>
      this.#collection.bulkWrite(writes as never[], { ordered: false, ...durable }),
    )
  }

  get #collection() {
    const { collection } = this.#entity
    return this.#database.native.collection<RegisterMark>(collection, { readPreference: 'primary' })
  }
}
