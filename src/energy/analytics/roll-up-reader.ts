import type { Document } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { inSession } from '../../core/repository/in-session.js'
import type { DailyAggregate } from '../roll-ups/daily-aggregate.js'
import type { MonthlyAggregate } from '../roll-ups/monthly-aggregate.js'
import type { Pipeline } from './stages.js'

export interface RollUpEntities {
  readonly daily: Entity<DailyAggregate>
  readonly monthly: Entity<MonthlyAggregate>
}

/** As many as there mostly are, in one reply. */
const batchSize = 10_000

/** Asks the roll-ups. */
export class RollUpReader {
  readonly #database: Database
  readonly #entities: RollUpEntities

  constructor(database: Database, entities: RollUpEntities) {
    this.#database = database
    this.#entities = entities
  }

  daily<Row>(pipeline: Pipeline<Row>): Promise<Row[]> {
    return this.#aggregate(this.#entities.daily, pipeline)
  }

  monthly<Row>(pipeline: Pipeline<Row>): Promise<Row[]> {
    return this.#aggregate(this.#entities.monthly, pipeline)
  }

  /** The results one after the other; memory does not grow with their number. */
  async *dailyStream<Row>(pipeline: Pipeline<Row>): AsyncGenerator<Row, void, undefined> {
    const entity = this.#entities.daily
    const options = inSession(this.#database.transactions.session)
    const cursor = this.#database.collectionOf(entity).aggregate(pipeline as Document[], options)
    try {
      while (await this.#database.run(entity, 'analytics', () => cursor.hasNext())) {
        for (const row of cursor.readBufferedDocuments()) yield row as Row
      }
    } finally {
      await cursor.close()
    }
  }

  #aggregate<Row>(entity: Entity<DailyAggregate> | Entity<MonthlyAggregate>, pipeline: Pipeline<Row>): Promise<Row[]> {
    return this.#database.run(entity, 'analytics', (session) => {
      const options = { ...inSession(session), batchSize }
      return this.#database
        .collectionOf(entity)
        .aggregate(pipeline as Document[], options)
        .toArray() as Promise<Row[]>
    })
  }
}
