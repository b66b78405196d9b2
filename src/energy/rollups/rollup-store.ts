import {
  type AnyBulkWriteOperation,
  type ClientSession,
  type Document,
  type Filter,
  MongoBulkWriteError,
  ObjectId,
} from 'mongodb'
import type { Database } from '../../core/database.js'
import type { Entity, Identified, StoredFields } from '../../core/entity.js'
import { inSession } from '../../core/repository/reader.js'
import { ValidatorBypass } from '../../core/validator-bypass.js'
import type { DailyAggregate } from './daily-aggregate.js'
import type { DayFields, PricedDay } from './day-document.js'
import type { DocumentChange } from './document-change.js'
import type { MonthFields } from './month-document.js'
import type { MonthlyAggregate } from './monthly-aggregate.js'
import type { RollUpCursor } from './rollup-cursor.js'
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

/** How far a chain is in the roll-ups, before and after. */
export interface CursorChange {
  readonly switchId: ObjectId
  /** 0 where it had none. */
  readonly from: number
  readonly to: number
}

/** What is written together. */
export interface RollUpBatch {
  readonly cursors: readonly CursorChange[]
  readonly days: readonly (DayChange | DayRepricing)[]
  readonly months: readonly MonthChange[]
}

/** Whose documents they are. */
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

/** Somebody else has written meanwhile: what was read is no longer so. */
export class RollUpConflict extends Error {
  override readonly name = 'RollUpConflict'
}

const documentsAtOnce = 500
const duplicateKey = 11_000

/** Reads and writes roll-ups. Whatever is written is as it was read until then, or nothing of the batch is. */
export class RollUpStore {
  readonly #database: Database
  readonly #entities: RollUpEntities
  readonly #bypass: ValidatorBypass
  readonly #onChanged: (days: readonly DeviceDay[]) => Promise<void>

  /** @param onChanged Told of the days that were written, once they are. */
  constructor(database: Database, entities: RollUpEntities, onChanged: (days: readonly DeviceDay[]) => Promise<void>) {
    this.#database = database
    this.#entities = entities
    this.#bypass = new ValidatorBypass(database.logger, 'roll-ups')
    this.#onChanged = onChanged
  }

  /** How far chains are, all or those of some switches, by the switch's id in hexadecimal. */
  async cursors(switchIds?: readonly ObjectId[]): Promise<Map<string, number>> {
    const { cursors } = this.#entities
    const filter = switchIds === undefined ? {} : { _id: { $in: [...switchIds] } }
    const found = await this.#database.run(cursors, 'cursors', (session) =>
      this.#database
        .collectionOf<RollUpCursor>(cursors)
        .find(filter, { batchSize: 10_000, ...inSession(session) })
        .toArray(),
    )
    return new Map(found.map(({ _id, through_sequence }) => [_id.toHexString(), through_sequence]))
  }

  async days(keys: readonly DeviceDay[]): Promise<Map<string, DailyAggregate>> {
    const filters = keys.map(({ deviceId, classroom, date }) => ({ device_id: deviceId, classroom, date_string: date }))
    const found = await this.#findAll(this.#entities.daily, filters, { device_id: 1, classroom: 1, date_string: 1 })
    return new Map(found.map((one) => [dayKey({ ...one, deviceId: one.device_id, date: one.date_string }), one]))
  }

  /** All days of some devices in a span. */
  daysOf(deviceIds: readonly ObjectId[], { from, to }: DaySpan): Promise<DailyAggregate[]> {
    return this.#findAll(
      this.#entities.daily,
      deviceIds.map((id) => ({ device_id: id, date_string: { $gte: from, $lte: to } })),
      { device_id: 1, date_string: 1 },
    )
  }

  async months(keys: readonly DeviceMonth[]): Promise<Map<string, MonthlyAggregate>> {
    const filters = keys.map(({ deviceId, classroom, month }) => ({ device_id: deviceId, classroom, month }))
    const found = await this.#findAll(this.#entities.monthly, filters, { device_id: 1, classroom: 1, month: 1 })
    return new Map(found.map((one) => [monthKey({ ...one, deviceId: one.device_id }), one]))
  }

  /**
   * Writes all of it or nothing.
   * @param beside Other writes of the same transaction.
   * @throws RollUpConflict if something is no longer as it was read.
   */
  async write(
    { cursors, days, months }: RollUpBatch,
    beside?: (session: ClientSession) => Promise<void>,
  ): Promise<void> {
    const now = this.#database.clock.now()
    await this.#database.transactions.run(() =>
      this.#database.transactions.execute(async (session) => {
        const inTransaction = session as ClientSession
        await beside?.(inTransaction)
        await this.#requireAsRead({ cursors, days, months }, inTransaction)
        await this.#bulk(
          this.#entities.cursors,
          cursors.map((change) => cursorWrite(change, now)),
          inTransaction,
        )
        await this.#bulk(
          this.#entities.daily,
          days.flatMap((change) => documentWrite(change, now)),
          inTransaction,
        )
        await this.#bulk(
          this.#entities.monthly,
          months.flatMap((change) => documentWrite(change, now)),
          inTransaction,
        )
      }),
    )
    await this.#onChanged(days.flatMap(deviceDay))
  }

  /**
   * What is as it was read in the transaction's snapshot is so until the end: who writes it meanwhile makes the transaction
   * fail. So the writes can name the documents by their ids alone, which the server finds in half the time.
   */
  async #requireAsRead({ cursors, days, months }: RollUpBatch, session: ClientSession): Promise<void> {
    const isRead = [
      await this.#isAsRead(this.#entities.cursors, 'through_sequence', cursors.flatMap(cursorAsRead), session),
      await this.#isAsRead(this.#entities.daily, '__v', days.flatMap(documentAsRead), session),
      await this.#isAsRead(this.#entities.monthly, '__v', months.flatMap(documentAsRead), session),
    ]
    if (isRead.includes(false)) throw new RollUpConflict()
  }

  async #isAsRead(entity: Entity, field: string, read: readonly AsRead[], session: ClientSession): Promise<boolean> {
    if (read.length === 0) return true
    const ids = read.map(({ _id }) => _id)
    const found = await this.#database.native
      .collection(entity.collection)
      .find({ _id: { $in: ids } }, { projection: { [field]: 1 }, session, batchSize: ids.length + 1 })
      .toArray()
    const now = new Map(found.map((one) => [one._id.toHexString(), Number(one[field])]))
    return read.every(({ _id, value }) => now.get(_id.toHexString()) === value)
  }

  /** @param hint The server would weigh all indexes for each of the filters. */
  async #findAll<Stored extends Identified>(
    entity: Entity<Stored>,
    filters: readonly Document[],
    hint: Record<string, 1>,
  ): Promise<Stored[]> {
    const found: Stored[] = []
    for (let at = 0; at < filters.length; at += documentsAtOnce) {
      const filter = { $or: filters.slice(at, at + documentsAtOnce) } as Filter<Stored>
      const some = await this.#database.run(entity, 'roll-ups', (session) =>
        this.#database
          .collectionOf<Stored>(entity)
          .find(filter, { hint, batchSize: documentsAtOnce, ...inSession(session) })
          .toArray(),
      )
      found.push(...(some as Stored[]))
    }
    return found
  }

  async #bulk(
    entity: Entity,
    writes: readonly AnyBulkWriteOperation<Document>[],
    session: ClientSession,
  ): Promise<void> {
    if (writes.length === 0) return
    const collection = this.#database.native.collection(entity.collection)
    try {
      const done = await this.#bypass.write(session, (bypassDocumentValidation) =>
        collection.bulkWrite([...writes], { session, ordered: false, bypassDocumentValidation }),
      )
      if (done.insertedCount + done.matchedCount + done.deletedCount !== writes.length) throw new RollUpConflict()
    } catch (error) {
      if (error instanceof MongoBulkWriteError && error.code === duplicateKey) throw new RollUpConflict()
      throw error
    }
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

function cursorWrite({ switchId, from, to }: CursorChange, now: Date): AnyBulkWriteOperation<Document> {
  if (from === 0) {
    const document = { _id: switchId, through_sequence: to, createdAt: now, updatedAt: now, __v: 0 }
    return { insertOne: { document } }
  }
  const update = { $set: { through_sequence: to, updatedAt: now }, $inc: { __v: 1 } }
  return { updateOne: { filter: { _id: switchId }, update } }
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

function documentWrite(
  { before, after, set }: DocumentChange<StoredFields, object>,
  now: Date,
): AnyBulkWriteOperation<Document>[] {
  if (before === undefined) {
    if (after === undefined) return []
    return [{ insertOne: { document: { _id: new ObjectId(), ...after, createdAt: now, updatedAt: now, __v: 0 } } }]
  }
  const filter = { _id: before._id }
  if (after === undefined) return [{ deleteOne: { filter } }]
  if (set !== undefined) {
    const update = { $set: { ...set, updatedAt: now }, $inc: { __v: 1 } }
    return [{ updateOne: { filter, update } }]
  }
  const replacement = { ...after, createdAt: before.createdAt, updatedAt: now, __v: before.__v + 1 }
  return [{ replaceOne: { filter, replacement } }]
}
