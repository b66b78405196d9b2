import { ObjectId } from 'mongodb'
import { z } from 'zod'
import { BestEffort, type BestEffortCounts } from '../core/best-effort.js'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { anyValue, instant, objectId } from '../core/fields.js'
import { requireOpenData } from '../core/repository/data.js'
import { Reader } from '../core/repository/reader.js'
import { validateData } from '../core/validate.js'
import type { Activity } from './activity.js'

const values = () => z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue())

const inputSchema = z.strictObject({
  /** In your words, such as `renamed`. */
  action: z.string().regex(/^[a-z][a-z0-9_]{0,99}$/, { error: 'expected a word such as `renamed`' }),
  /** The name of the entity that it was done to, such as `classroom`. */
  entity: z.string().min(1).max(100),
  /** The id of that document. */
  entityId: objectId(),
  /** Who did it. */
  userId: z.string().min(1).max(128).optional(),
  /** The name that the user has now. */
  userName: z.string().max(256).optional(),
  /** What counts of the document, as it was; without secrets. */
  before: values().optional(),
  /** The same as it is. */
  after: values().optional(),
  /** Where it came from, such as `web`. */
  source: z.string().min(1).max(100),
  /** The site that it belongs to: who may see what happens there sees it. */
  classroom: objectId().optional(),
  /** The device that it is of. */
  deviceId: objectId().optional(),
  /** @default now */
  timestamp: instant().optional(),
})

/** Activity input: what somebody did to a document. */
export type ActivityInput = z.input<typeof inputSchema>

/**
 * Activity log: who moved which switch, and who did what to any document; newest first or by device, classroom, document or user. Changed
 * by nobody.
 */
export class ActivityLog extends Reader<Activity> {
  readonly #logged: BestEffort<Omit<Activity, '_id'>>

  constructor(database: Database, entity: Entity<Activity>, documents?: EntityCollection<Activity>) {
    super(database, entity, documents)
    const write = (activities: readonly Omit<Activity, '_id'>[]) =>
      this.documents.for('log').insert(activities, { isUnordered: true })
    this.#logged = new BestEffort(database, { name: 'the activity log', write, atOnce: 500 })
  }

  /** @internal */
  override over(documents: EntityCollection<Activity>): ActivityLog {
    return new ActivityLog(this.database, this.entity, documents)
  }

  /**
   * Logs what somebody did, beside the work that it reports: it does not wait, and what cannot be written is counted in {@link logged}. In a
   * transaction it is logged once that has committed. @throws ValidationError.
   */
  log(input: ActivityInput): void {
    const parsed = validateData(inputSchema, input, 'The activity')
    requireOpenData(this.entity, parsed, 'The activity')
    const receivedAt = this.database.clock.now()
    const idempotencyKey = new ObjectId().toHexString()
    this.#logged.add({ ...parsed, timestamp: parsed.timestamp ?? receivedAt, receivedAt, idempotencyKey })
  }

  /** What became of what was logged by {@link log}, since the start of this process. */
  logged(): BestEffortCounts {
    return this.#logged.counts()
  }

  /**
   * Logs the activities, each once however often it is reported. Takes part in the caller's transaction. @internal
   * @returns how many were logged already.
   */
  async record(activities: readonly Omit<Activity, '_id'>[]): Promise<number> {
    if (activities.length === 0) return 0
    const writes = activities.map((activity) => ({
      update: { deviceId: activity.deviceId, idempotencyKey: activity.idempotencyKey },
      by: { $setOnInsert: activity },
      upsert: true,
    }))
    const { matched } = await this.documents.for('record').bulkWrite(writes, { isUnordered: true })
    return matched
  }
}
