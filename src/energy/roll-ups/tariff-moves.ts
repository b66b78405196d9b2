import type { Document, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { Reader } from '../../core/repository/reader.js'
import { Repository } from '../../core/repository/repository.js'
import type { Classroom } from '../../devices/classroom.js'
import { DEFAULT_TARIFF } from '../tariffs/cost-version.js'
import type { Recosting, RecostingInput } from '../tariffs/recosting.js'
import type { DailyAggregate } from './daily-aggregate.js'

export interface TariffMoveParts {
  readonly database: Database
  readonly classrooms: Reader<Classroom>
  readonly recostings: Entity<Recosting, RecostingInput>
  readonly daily: Entity<DailyAggregate>
}

/**
 * Orders the days of those classrooms to be computed again that have another tariff than when this was called last. However
 * the tariff was changed, by this process or another: the last order of a classroom names the one it had.
 */
export async function orderMoved(parts: TariffMoveParts): Promise<void> {
  const ordered = await lastOrdered(parts)
  const orders = new Repository(parts.database, parts.recostings)
  const rooms = parts.classrooms.stream({}, { select: ['tariff'], withDeleted: true })
  for await (const { _id, tariff = DEFAULT_TARIFF } of rooms) {
    const before = ordered.get(_id.toHexString())
    if (before === tariff) continue
    const isMoved = before !== undefined || (await hasDaysOfAnother(parts, _id, tariff))
    const state = isMoved ? 'pending' : 'finished'
    await orders.create({ tariff, classroom: _id, from: new Date(0), state })
  }
}

/** The tariff of the last order for each classroom, from an index alone. */
async function lastOrdered({ database, recostings }: TariffMoveParts): Promise<Map<string, string>> {
  const lastOfEach: Document[] = [
    { $match: { classroom: { $type: 'objectId' } } },
    { $sort: { classroom: 1, createdAt: -1, _id: -1 } },
    { $group: { _id: '$classroom', tariff: { $first: '$tariff' } } },
  ]
  const found = await database
    .of<Recosting>(recostings)
    .for('re-costing')
    .aggregate<{ _id: ObjectId; tariff: string }>(lastOfEach, { batchSize: 10_000 })
  return new Map(found.map(({ _id, tariff }) => [_id.toHexString(), tariff]))
}

/** Looked up once for each classroom: where nothing was ordered for it yet. */
async function hasDaysOfAnother(
  { database, daily }: TariffMoveParts,
  classroom: ObjectId,
  tariff: string,
): Promise<boolean> {
  const another = { classroom, tariff: { $ne: tariff } }
  return (
    (await database
      .of(daily)
      .for('re-costing')
      .findOne(another, { projection: { _id: 1 } })) !== null
  )
}
