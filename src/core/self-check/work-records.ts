import { z } from 'zod'
import type { Clock } from '../clock.js'
import type { EntityCollection } from '../collection/entity-collection.js'
import { defineEntity, type Stored } from '../entity.js'
import type { PeriodicWork } from '../periodic.js'

/** Work record: until when a work that is due every so often has done all that there was, whichever process did it. */
export const workRecordEntity = defineEntity({
  name: 'work record',
  collection: 'periodic_work',
  personal: 'none',
  fields: {
    /** Such as `roll-ups`. */
    name: z.string().min(1).max(100),
    /** All that there was at this instant is done, by the clock of the process that did it. It only grows. */
    completeUntil: z.date(),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'record and look up by name' }],
})

export type WorkRecord = Stored<typeof workRecordEntity>

/** What is further behind is late. */
export const lateAfterMs = 15 * 60_000

/** Late work: a work that nobody does, or that is far behind. */
export interface LateWork {
  /** Null if nobody ever did it. */
  readonly completeUntil: Date | null
}

export interface WorkRecordParts {
  readonly records: EntityCollection<WorkRecord>
  /** The same, outside of the caller's transaction. */
  readonly recordsOutside: EntityCollection<WorkRecord>
  readonly clock: Clock
  readonly periodic: PeriodicWork
}

/** How far each work has come, in the database. */
export class WorkRecords {
  readonly #parts: WorkRecordParts

  constructor(parts: WorkRecordParts) {
    this.#parts = parts
  }

  /** @param completeUntil An instant before the work looked for what there was to do. */
  async record(name: string, completeUntil: Date): Promise<void> {
    // The server tries an upsert by a unique key again when another process was faster.
    await this.#parts.recordsOutside.updateOne({ name }, { $max: { completeUntil } }, { upsert: true })
  }

  /** Until when a work is complete, as the caller's transaction sees it; null if nobody ever did it. */
  async completeUntil(name: string): Promise<Date | null> {
    const record = await this.#parts.records.findOne({ name })
    return record?.completeUntil ?? null
  }

  /** @returns undefined if the work is not late, or this handle began with it only just now. */
  async late(name: string): Promise<LateWork | undefined> {
    const record = await this.#parts.recordsOutside.findOne({ name })
    return this.lateSince(name, record?.completeUntil ?? null)
  }

  /** As {@link late}, for a record that was read. */
  lateSince(name: string, completeUntil: Date | null): LateWork | undefined {
    const { clock, periodic } = this.#parts
    const isRecent = (at: Date) => clock.now().getTime() - at.getTime() <= lateAfterMs
    if (completeUntil !== null && isRecent(completeUntil)) return undefined
    const isNew = periodic.status().some((work) => work.name === name && isRecent(work.startedAt))
    return isNew ? undefined : { completeUntil }
  }
}
