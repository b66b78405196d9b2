import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { RegisterMark } from './register-mark.js'
import type { TouchedQuarter } from './touched-quarter.js'

/** The quarter hours whose registers are to be taken. Measurements take no part in transactions, and so do their marks not. */
export class RegisterMarkStore {
  readonly #database: Database
  readonly #marks: EntityCollection<RegisterMark>

  constructor(database: Database, entity: Entity<RegisterMark>) {
    this.#database = database
    this.#marks = database.of(entity, { isDurable: true, isOutside: true })
  }

  /** Marks the quarter hours, each once; durable when it resolves. Measurements are stored before. */
  async touch(quarters: Iterable<TouchedQuarter>): Promise<void> {
    const distinct = new Map<string, TouchedQuarter>()
    for (const one of quarters) distinct.set(`${one.switchId.toHexString()} ${one.startMs}`, one)
    const writes = [...distinct.values()].map(({ switchId, deviceId, startMs, dueMs }) => ({
      update: { switchId, quarter: new Date(startMs) },
      by: { $set: { deviceId, dueAt: new Date(dueMs) }, $inc: { touches: 1 } },
      upsert: true,
    }))
    await this.#marks.for('touch').bulkWrite(writes, { isUnordered: true })
  }

  /** Marks the quarter hour, unless it is marked and not due: nobody can be about to take that mark away. */
  async touchUnlessPending(quarter: TouchedQuarter): Promise<void> {
    const { switchId, startMs } = quarter
    const pending = { switchId, quarter: new Date(startMs), dueAt: { $gt: this.#database.clock.now() } }
    if ((await this.#marks.findOne(pending)) === null) await this.touch([quarter])
  }

  /** The marks that are due, oldest first, after the one that is given. */
  due(after: RegisterMark | undefined, limit: number): Promise<RegisterMark[]> {
    const now = this.#database.clock.now()
    const isLater =
      after === undefined
        ? {}
        : { $or: [{ dueAt: { $gt: after.dueAt } }, { dueAt: after.dueAt, _id: { $gt: after._id } }] }
    return this.#marks.for('due').find({ dueAt: { $lte: now }, ...isLater }, { sort: { dueAt: 1, _id: 1 }, limit })
  }

  /** Takes the marks away, but for those that were touched since they were read. */
  async release(marks: readonly RegisterMark[]): Promise<void> {
    const writes = marks.map(({ switchId, _id, touches }) => ({ delete: { switchId, _id, touches } }))
    await this.#marks.for('release').bulkWrite(writes, { isUnordered: true })
  }
}
