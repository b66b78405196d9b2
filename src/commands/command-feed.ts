import { setTimeout as sleep } from 'node:timers/promises'
import type { ChangeStreamDocument, Collection, ObjectId } from 'mongodb'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import type { DeviceCommand } from './command.js'

export interface CommandListeners {
  /** A command was queued, or put back. */
  readonly onQueued: () => void
  readonly onEnded: (id: ObjectId) => void
}

const reopenAfterMs = 1_000
const pipeline = [
  {
    $match: {
      $or: [
        { operationType: 'insert', 'fullDocument.status': 'queued' },
        { operationType: 'update', 'updateDescription.updatedFields.isOpen': false },
      ],
    },
  },
  { $project: { operationType: 1, documentKey: 1 } },
]

/**
 * One change stream for a process: it only wakes those who wait. What it misses while it is away they find by themselves,
 * for workers look from time to time, and who waits for a command looks at its end.
 */
export class CommandFeed {
  readonly #database: Database
  readonly #entity: Entity<DeviceCommand>
  readonly #listeners: CommandListeners
  #isOpen = false

  constructor(database: Database, entity: Entity<DeviceCommand>, listeners: CommandListeners) {
    this.#database = database
    this.#entity = entity
    this.#listeners = listeners
  }

  /** Listens until the handle is closed. On a standalone server there is nothing to listen to. */
  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    void this.#listen()
  }

  async #listen(): Promise<void> {
    const { closing, logger } = this.#database
    const hasStreams = await this.#database.requireReplicaSet('Change streams').then(
      () => true,
      () => false,
    )
    while (hasStreams && !closing.aborted) {
      try {
        await this.#follow(this.#database.collectionOf<DeviceCommand>(this.#entity), closing)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        if (!closing.aborted) logger.warn({ reason }, 'commands are not listened to')
      }
      await sleep(reopenAfterMs, undefined, { signal: closing, ref: false }).catch(() => undefined)
    }
  }

  async #follow(collection: Collection<DeviceCommand>, closing: AbortSignal): Promise<void> {
    const stream = collection.watch(pipeline, { maxAwaitTimeMS: 1_000 })
    const stop = () => void stream.close().catch(() => undefined)
    const ended = this.#database.watches.open()
    closing.addEventListener('abort', stop, { once: true })
    try {
      while (!closing.aborted) {
        const change = await stream.tryNext()
        if (change !== null) this.#tell(change)
      }
    } finally {
      closing.removeEventListener('abort', stop)
      await stream.close().catch(() => undefined)
      ended()
    }
  }

  #tell(change: ChangeStreamDocument<DeviceCommand>): void {
    if (change.operationType === 'insert') this.#listeners.onQueued()
    if (change.operationType === 'update') this.#listeners.onEnded(change.documentKey._id)
  }
}
