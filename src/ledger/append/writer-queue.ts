import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { stampStage } from '../../core/collection/stamps.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { QueuedWriter } from './writer-queue-entity.js'

/** For so long a writer that was killed, or hangs, holds up the others. */
const lastsMs = 1_500
/** How often a place in the queue has to be renewed. */
export const renewEveryMs = 400

type QueueEntry = Pick<QueuedWriter, '_id' | 'switchIds' | 'createdAt'>

/**
 * The writers of all processes that wait for chains, in the order in which they asked. It decides nothing about the chains,
 * which is the unique index's work: who has lost its place without noticing collides, and no more.
 */
export class WriterQueue {
  readonly #queue: EntityCollection<QueuedWriter>

  constructor(database: Database, entity: Entity<QueuedWriter>) {
    this.#queue = database.of(entity, { isDurable: true, isOutside: true })
  }

  /** Joins the queue at its end; stays where it is if it is there already. */
  async join(id: ObjectId, switchIds: readonly ObjectId[]): Promise<void> {
    await this.#queue.updateOne({ _id: id }, [{ $set: { switchIds, ...longer() } }], { upsert: true })
  }

  /** Stays in the queue for longer, unless the place is gone. */
  async renew(id: ObjectId): Promise<void> {
    await this.#queue.updateOne({ _id: id }, [{ $set: longer() }])
  }

  /** The writers that wait for one of the chains, or have their turn, in their order. */
  async waiting(switchIds: readonly ObjectId[]): Promise<QueueEntry[]> {
    const filter = { switchIds: { $in: switchIds }, $expr: { $gt: ['$expiresAt', '$$NOW'] } }
    const entries = await this.#queue.find<QueueEntry>(filter, { projection: { switchIds: 1, createdAt: 1 } })
    return entries.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || compareIds(a._id, b._id))
  }

  async leave(id: ObjectId): Promise<void> {
    await this.#queue.deleteOne({ _id: id })
  }
}

function longer() {
  return { expiresAt: { $add: ['$$NOW', lastsMs] }, ...stampStage('$$NOW') }
}

function compareIds(a: ObjectId, b: ObjectId): number {
  return a.toHexString() < b.toHexString() ? -1 : 1
}
