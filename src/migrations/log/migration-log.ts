import { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity, Stored } from '../../core/entity.js'
import { DatabaseError } from '../../core/errors.js'
import type { MigrationEvent, MigrationRecord, MigrationRun, migrationRecordEntity } from './migration-record.js'

export interface LogEntities {
  readonly migrations: typeof migrationRecordEntity
  readonly migrationHistory: Entity<MigrationEvent>
}

type Fields = { readonly [Field in keyof Omit<MigrationRecord, '_id' | 'name'>]?: MigrationRecord[Field] | undefined }

const longestMessage = 2000

/** The records of migrations, and the history. What writes is to be called under the migration lock, in its transaction. */
export class MigrationLog {
  readonly #database: Database
  readonly #records: EntityCollection<Stored<typeof migrationRecordEntity>>
  readonly #history: EntityCollection<MigrationEvent>

  constructor(database: Database, entities: LogEntities) {
    this.#database = database
    this.#records = database.of(entities.migrations, { isDurable: true }).for('migrations')
    this.#history = database.of(entities.migrationHistory, { isDurable: true }).for('migrations')
  }

  /** All records of ours, by the id of their migration. */
  async records(): Promise<ReadonlyMap<string, MigrationRecord>> {
    const found = await this.#records.find<MigrationRecord>(
      { state: { $exists: true } },
      { sort: { _id: 1 }, batchSize: 10_000 },
    )
    return new Map(found.map((record) => [record.name, record]))
  }

  record(name: string): Promise<MigrationRecord | null> {
    return this.#records.findOne<MigrationRecord>({ name, state: { $exists: true } })
  }

  /** Makes the record be so, whether it is there or not. What is undefined is taken away. */
  async put(name: string, fields: Fields): Promise<void> {
    const { set, unset } = changesOf(fields)
    await this.#records.updateOne({ name, state: { $exists: true } }, { ...set, ...unset }, { upsert: true })
  }

  /** Changes the record; paths may be dotted. What is undefined is taken away. @throws DatabaseError `NOT_FOUND`. */
  async change(name: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    const { set, unset } = changesOf(fields)
    const { matched } = await this.#records.updateOne({ name, state: { $exists: true } }, { ...set, ...unset })
    if (matched > 0) return
    throw new DatabaseError(
      'NOT_FOUND',
      `The record of ${name} was removed while it was being run. Next: find out who changes \`migrations\` besides the runner, look at the data, then autovolt migrate repair ${name} --applied, or migrate again`,
    )
  }

  async remove(name: string): Promise<void> {
    await this.#records.deleteMany({ name, state: { $exists: true } })
  }

  /** Adds an event to the history, once however often it is repeated. */
  async add(event: MigrationEvent): Promise<void> {
    const { _id, ...fields } = event
    await this.#history.updateOne({ _id }, { $setOnInsert: fields }, { upsert: true })
  }

  /** An event of now. */
  event(
    about: Pick<MigrationEvent, 'name' | 'action' | 'outcome'> &
      Partial<Pick<MigrationEvent, 'checksum' | 'durationMs'>>,
    run: MigrationRun,
    message?: string,
  ): MigrationEvent {
    return {
      _id: new ObjectId(),
      at: this.#database.clock.now(),
      durationMs: 0,
      ...about,
      run,
      ...(message === undefined ? {} : { message: shortened(message) }),
    }
  }

  /** What was adopted from the logs of earlier tools, ever: what was rolled back since then is not adopted again. */
  async adoptedNames(): Promise<ReadonlySet<string>> {
    const found = await this.#history.find<{ name: string }>({ action: 'adopt' }, { projection: { name: 1 } })
    return new Set(found.map(({ name }) => name))
  }

  /** The newest events first. */
  history(limit: number): Promise<MigrationEvent[]> {
    return this.#history.find({}, { sort: { at: -1, _id: -1 }, limit })
  }
}

/** As much of a message as a record may have. */
export function shortened(message: string): string {
  return message.length <= longestMessage ? message : `${message.slice(0, longestMessage - 1)}…`
}

function changesOf(fields: Readonly<Record<string, unknown>>): { readonly set: object; readonly unset: object } {
  const entries = Object.entries(fields)
  const set = Object.fromEntries(entries.filter(([, value]) => value !== undefined))
  const unset = Object.fromEntries(entries.filter(([, value]) => value === undefined).map(([path]) => [path, '']))
  return {
    set: Object.keys(set).length === 0 ? {} : { $set: set },
    unset: Object.keys(unset).length === 0 ? {} : { $unset: unset },
  }
}
