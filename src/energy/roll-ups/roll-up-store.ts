import type { Document, ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { StoreWrite } from '../../core/collection/store-query.js'
import type { Database } from '../../core/database.js'
import type { Entity, Identified, StoredFields } from '../../core/entity.js'
import { ConflictError } from '../../core/errors.js'
import { StaleReadError } from '../../core/retry-on-conflict.js'
import type { DailyAggregate } from './daily-aggregate.js'
import type { DayFields, PricedDay } from './day-document.js'
import type { DocumentChange } from './document-change.js'
import type { MonthFields } from './month-document.js'
import type { MonthlyAggregate } from './monthly-aggregate.js'
import {
  type ChainProgress,
  type CursorChange,
  cursorWrite,
  type RollUpCursor,
  readProgress,
} from './roll-up-cursor.js'
import type { DaySpan } from './slot-tally.js'

export interface RollUpEntities {
  readonly daily: Entity<DailyAggregate>
  readonly monthly: Entity<MonthlyAggregate>
  readonly cursors: Entity<RollUpCursor>
}

export type DayChange = DocumentChange<DailyAggregate, DayFields>
/** A day that has another price now. */
export type DayRepricing = Required<DocumentChange<PricedDay, PricedDay>>
export type MonthChange = DocumentChange<MonthlyAggregate, MonthFields>

/** Roll-up batch: what is written together. */
export interface RollUpBatch {
  readonly cursors: readonly CursorChange[]
  readonly days: readonly (DayChange | DayRepricing)[]
  readonly months: readonly MonthChange[]
}

/** Device day: whose documents they are. */
export interface DeviceDay {
  readonly deviceId: ObjectId
  readonly classroom: ObjectId
  /** `YYYY-MM-DD`. */
  readonly date: string
}

export interface DeviceMonth {
  readonly deviceId: ObjectId
  readonly classroom: ObjectId
  /** `YYYY-MM`. */
  readonly month: string
}

const documentsAtOnce = 500

/** Reads and writes roll-ups. Whatever is written is as it was read until then, or nothing of the batch is. */
export class RollUpStore {
  readonly #database: Database
  readonly #daily: EntityCollection<DailyAggregate>
  readonly #monthly: EntityCollection<MonthlyAggregate>
  readonly #cursors: EntityCollection<RollUpCursor>
  readonly #onChanged: (days: readonly DeviceDay[]) => Promise<void>

  /** @param onChanged Called with the days that were written, once they are. */
  constructor(
    database: Database,
    { daily, monthly, cursors }: RollUpEntities,
    onChanged: (days: readonly DeviceDay[]) => Promise<void>,
  ) {
    this.#database = database
    this.#daily = database.of(daily)
    this.#monthly = database.of(monthly)
    this.#cursors = database.of(cursors)
    this.#onChanged = onChanged
  }

  /** The progress of chains, all or those of some switches, by the switch's id in hexadecimal. */
  progress(switchIds?: readonly ObjectId[]): Promise<Map<string, ChainProgress>> {
    return readProgress(this.#cursors, switchIds)
  }

  async days(keys: readonly DeviceDay[]): Promise<Map<string, DailyAggregate>> {
    const filters = keys.map(({ deviceId, classroom, date }) => ({ device_id: deviceId, classroom, date_string: date }))
    const found = await findAll(this.#daily, filters, { device_id: 1, classroom: 1, date_string: 1 })
    return new Map(found.map((one) => [dayKey({ ...one, deviceId: one.device_id, date: one.date_string }), one]))
  }

  /** All days of some devices in a span. */
  daysOf(deviceIds: readonly ObjectId[], { from, to }: DaySpan): Promise<DailyAggregate[]> {
    return findAll(
      this.#daily,
      deviceIds.map((id) => ({ device_id: id, date_string: { $gte: from, $lte: to } })),
      { device_id: 1, date_string: 1 },
    )
  }

  async months(keys: readonly DeviceMonth[]): Promise<Map<string, MonthlyAggregate>> {
    const filters = keys.map(({ deviceId, classroom, month }) => ({ device_id: deviceId, classroom, month }))
    const found = await findAll(this.#monthly, filters, { device_id: 1, classroom: 1, month: 1 })
    return new Map(found.map((one) => [monthKey({ ...one, deviceId: one.device_id }), one]))
  }

  /**
   * Writes all of it or nothing.
   * @throws StaleReadError if something is no longer as it was read.
   */
  async write({ cursors, days, months }: RollUpBatch): Promise<void> {
    await this.#database.transactions.run(async () => {
      await this.#requireAsRead({ cursors, days, months })
      await writeAll(this.#cursors, cursors.map(cursorWrite))
      await writeAll(
        this.#daily,
        days.flatMap((day) => documentWrite<DailyAggregate>(day)),
      )
      await writeAll(
        this.#monthly,
        months.flatMap((month) => documentWrite<MonthlyAggregate>(month)),
      )
    })
    await this.#onChanged(days.flatMap(deviceDay))
  }

  /**
   * What is as it was read in the transaction's snapshot is so until the end: who writes it meanwhile makes the transaction
   * fail. So the writes can name the documents by their ids alone, which the server finds in half the time.
   */
  async #requireAsRead({ cursors, days, months }: RollUpBatch): Promise<void> {
    const isRead =
      (await isAsRead(this.#cursors, 'through_sequence', cursors.flatMap(cursorAsRead))) &&
      (await isAsRead(this.#daily, '__v', days.flatMap(documentAsRead))) &&
      (await isAsRead(this.#monthly, '__v', months.flatMap(documentAsRead)))
    if (!isRead) throw new StaleReadError()
  }
}

async function isAsRead<Stored extends Identified>(
  collection: EntityCollection<Stored>,
  field: string,
  read: readonly AsRead[],
): Promise<boolean> {
  if (read.length === 0) return true
  const ids = read.map(({ _id }) => _id)
  const options = { projection: { [field]: 1 }, batchSize: ids.length + 1 }
  const found = await collection.find<Document>({ _id: { $in: ids } }, options)
  const now = new Map(found.map((one) => [String(one._id), Number(one[field])]))
  return read.every(({ _id, value }) => now.get(_id.toHexString()) === value)
}

/** @param hint The server would weigh all indexes for each of the filters. */
async function findAll<Stored extends Identified>(
  collection: EntityCollection<Stored>,
  filters: readonly object[],
  hint: Record<string, 1>,
): Promise<Stored[]> {
  const found: Stored[] = []
  for (let at = 0; at < filters.length; at += documentsAtOnce) {
    const filter = { $or: filters.slice(at, at + documentsAtOnce) }
    found.push(...(await collection.find(filter, { hint, batchSize: documentsAtOnce })))
  }
  return found
}

async function writeAll<Stored extends Identified>(
  collection: EntityCollection<Stored>,
  writes: readonly StoreWrite<Stored>[],
): Promise<void> {
  try {
    const done = await collection.bulkWrite(writes, { isUnordered: true, isTrusted: true })
    if (done.inserted + done.matched + done.deleted !== writes.length) throw new StaleReadError()
  } catch (error) {
    // Another worker has created one of the documents.
    throw error instanceof ConflictError ? new StaleReadError() : error
  }
}

/** A key of a map. */
export function dayKey({ deviceId, classroom, date }: DeviceDay): string {
  return `${deviceId.toHexString()} ${classroom.toHexString()} ${date}`
}

function deviceDay({ before, after }: DayChange | DayRepricing): DeviceDay[] {
  const day = after ?? before
  return day === undefined ? [] : [{ deviceId: day.device_id, classroom: day.classroom, date: day.date_string }]
}

/** A key of a map. */
export function monthKey({ deviceId, classroom, month }: DeviceMonth): string {
  return `${deviceId.toHexString()} ${classroom.toHexString()} ${month}`
}

/** What a document had when it was read. */
interface AsRead {
  readonly _id: ObjectId
  readonly value: number
}

function cursorAsRead({ switchId, from }: CursorChange): AsRead[] {
  return from === 0 ? [] : [{ _id: switchId, value: from }]
}

function documentAsRead({ before }: DocumentChange<StoredFields, object>): AsRead[] {
  return before === undefined ? [] : [{ _id: before._id, value: before.__v }]
}

function documentWrite<Stored extends StoredFields>({
  before,
  after,
  set,
}: DocumentChange<StoredFields, object>): StoreWrite<Stored>[] {
  return [writeOf()].flat() as StoreWrite<Stored>[]

  function writeOf() {
    if (before === undefined) return after === undefined ? [] : { insert: after }
    const document = { _id: before._id }
    if (after === undefined) return { delete: document }
    return set === undefined ? { replace: before, by: after } : { update: document, by: { $set: set } }
  }
}
