import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { StoreFilter } from '../core/collection/store-query.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { DatabaseError, NotFoundError } from '../core/errors.js'
import { toObjectId } from '../core/fields.js'
import type { BulkOperation, BulkResult } from '../core/repository/bulk.js'
import type { Changes } from '../core/repository/changes.js'
import type { Filter } from '../core/repository/conditions.js'
import { Repository, type UpdateOptions } from '../core/repository/repository.js'
import { retryCreation } from '../core/retry-on-conflict.js'
import { Turns } from '../core/turns.js'
import { validateData } from '../core/validate.js'
import { nextOccurrence, type Occurrence } from './occurrences.js'
import type { Schedule, ScheduleInput } from './schedule.js'
import type { ScheduleSites } from './schedule-sites.js'
import { stateWrite, targetGone } from './schedule-state.js'
import type { ScheduleRun, ScheduleWorker } from './schedule-worker.js'
import { readSwitchTimes, type SwitchTimes, switchTimeInputs, switchTimesSchema } from './switch-times.js'

const startSchema = z.strictObject({
  /** How long it rests between two looks at what is due. */
  everyMs: z.int().min(100).max(86_400_000).default(1_000),
})
export type ScheduleStartOptions = z.input<typeof startSchema>

const first = ([schedule]: readonly Schedule[]) => {
  if (schedule === undefined) throw new DatabaseError('DATABASE', 'The server did not give the schedule back')
  return schedule
}

const runCount = z.int().min(1).max(1_000)

/** What of a schedule decides when it runs. */
const deciding: readonly string[] = ['rule', 'enabled', 'target', 'validFrom', 'validUntil', 'onHolidays']

export interface ScheduleParts {
  readonly sites: ScheduleSites
  readonly worker: ScheduleWorker
}

/** When switches, devices and classrooms are to be moved; and what moves them. */
export class ScheduleRepository extends Repository<Schedule, ScheduleInput> {
  readonly #parts: ScheduleParts
  /** What the library keeps of each, whoever may see the schedule. */
  readonly #states: EntityCollection<Schedule>
  readonly #turns = new Turns()

  constructor(
    database: Database,
    entity: Entity<Schedule, ScheduleInput>,
    parts: ScheduleParts,
    documents?: EntityCollection<Schedule>,
  ) {
    super(database, entity, documents)
    this.#parts = parts
    this.#states = database.of(entity)
  }

  /** @internal */
  override over(documents: EntityCollection<Schedule>): ScheduleRepository {
    return new ScheduleRepository(this.database, this.entity, this.#parts, documents)
  }

  /** As every repository's. @throws NotFoundError if there is no such switch, device or classroom. */
  override create(input: ScheduleInput): Promise<Schedule> {
    return this.#stated(async () => [await super.create(input)], first)
  }

  override createMany(inputs: readonly ScheduleInput[]): Promise<Schedule[]> {
    return this.#stated(
      () => super.createMany(inputs),
      (schedules) => [...schedules],
    )
  }

  override async update(
    id: ObjectId | string,
    changes: Changes<Schedule, ScheduleInput>,
    options: UpdateOptions = {},
  ): Promise<Schedule> {
    const _id = toObjectId(id)
    const work = () => this.#stated(async () => [await super.update(_id, changes, options)], first)
    // Each is a transaction on one document. A caller's transaction may hold what others in the queue wait for.
    return this.database.transactions.session === undefined ? this.#turns.take(_id.toHexString(), work) : work()
  }

  override upsert(filter: Filter<Schedule>, input: ScheduleInput): Promise<Schedule> {
    return this.#stated(async () => [await super.upsert(filter, input)], first)
  }

  override async bulk(operations: readonly BulkOperation<Schedule, ScheduleInput>[]): Promise<BulkResult> {
    return this.database.transactions.run(async () => {
      const result = await super.bulk(operations)
      await this.#state({ _id: { $in: result.created } })
      return result
    })
  }

  /** The next runs of a schedule. @throws NotFoundError, ValidationError for more than 1,000. */
  async next(id: ObjectId | string, count: number): Promise<Occurrence[]> {
    const schedule = await this.get(id)
    return schedule.enabled ? this.#runsOf(schedule, validateData(runCount, count, 'The count')) : []
  }

  /** The next runs that a schedule would have: for editors. @throws ValidationError, NotFoundError. */
  async preview(input: ScheduleInput, count: number): Promise<Occurrence[]> {
    const parsed = validateData(this.entity.inputSchema, input, 'The schedule') as Schedule
    return this.#runsOf(parsed, validateData(runCount, count, 'The count'))
  }

  /** When a switch goes on and off each day, as its own `schedule` field had it. @throws ValidationError for what is no id. */
  async switchTimes(switchId: ObjectId | string): Promise<SwitchTimes> {
    const filter = { 'target.id': toObjectId(switchId), switchTime: { $gt: '' } }
    return readSwitchTimes(await this.documents.for('switchTimes').find(filter))
  }

  /** Sets when a switch goes on and off each day: two schedules. @throws ValidationError, NotFoundError if there is no such switch. */
  async setSwitchTimes(switchId: ObjectId | string, times: SwitchTimes): Promise<SwitchTimes> {
    const parsed = validateData(switchTimesSchema, times, 'The times')
    await retryCreation(this.database, () =>
      this.database.transactions.run(async () => {
        for (const { switchTime, input } of switchTimeInputs(switchId, parsed)) {
          const filter = { 'target.id': toObjectId(switchId), switchTime }
          const known = await this.documents.for('setSwitchTimes').findOne(filter)
          if (input === undefined && known !== null) await this.delete(known._id)
          if (input !== undefined && known === null) await this.create(input)
          if (input === undefined || known === null) continue
          const { rule, enabled } = input
          await this.update(known._id, { rule, enabled: enabled === true })
        }
      }),
    )
    return this.switchTimes(switchId)
  }

  /** Does what is due. Any number of processes may do it at once. */
  async run(): Promise<ScheduleRun> {
    return this.#parts.worker.run(this.database.closing)
  }

  /** Does what is due until it is stopped or the handle is closed. @returns a function that stops it. @throws ValidationError. */
  start(options: ScheduleStartOptions = {}): () => Promise<void> {
    const { everyMs } = validateData(startSchema, options, 'The options of the schedules')
    const { worker } = this.#parts
    return this.database.periodic.start({ name: 'schedules', everyMs, work: (signal) => worker.run(signal) })
  }

  protected override async changing<Result>(
    filter: StoreFilter<Schedule>,
    fields: readonly string[],
    work: () => Promise<Result>,
  ): Promise<Result> {
    if (!fields.some((field) => deciding.includes(field.split('.')[0] ?? ''))) return work()
    return this.database.transactions.run(async () => {
      const before = await this.#states.find(filter, { projection: { _id: 1 } })
      const result = await work()
      await this.#state({ _id: { $in: before.map(({ _id }) => _id) } })
      return result
    })
  }

  async #runsOf(schedule: Schedule, count: number): Promise<Occurrence[]> {
    const site = (await this.#parts.sites.ofTargets([schedule.target])).get(schedule.target.id.toHexString())
    if (site === undefined) throw new NotFoundError(schedule.target.kind, `id ${schedule.target.id.toHexString()}`)
    const runs: Occurrence[] = []
    for (let after = this.database.clock.now(); runs.length < count; ) {
      const next = nextOccurrence(schedule, site, after)
      if (next === null) break
      runs.push(next)
      after = next.at
    }
    return runs
  }

  /** Writes, and in the same transaction computes when what was written runs. @returns what was asked for of it, as it is then. */
  async #stated<Shown>(
    write: () => Promise<Schedule[]>,
    shown: (schedules: readonly Schedule[]) => Shown,
  ): Promise<Shown> {
    return this.database.transactions.run(async () => {
      const written = await write()
      const ids = written.map(({ _id }) => _id)
      await this.#state({ _id: { $in: ids }, slot: null })
      const found = await this.#states.find({ _id: { $in: ids } })
      const byId = new Map(found.map((one) => [one._id.toHexString(), one]))
      return shown(written.map((one) => this.shown(byId.get(one._id.toHexString()) ?? one)))
    })
  }

  async #state(filter: StoreFilter<Schedule>): Promise<void> {
    const schedules = await this.#states.find(filter)
    if (schedules.length === 0) return
    const sites = await this.#parts.sites.ofTargets(schedules.map(({ target }) => target))
    const gone = schedules.find(({ target }) => !sites.has(target.id.toHexString()))
    if (gone !== undefined) throw new NotFoundError('schedule target', targetGone(gone))
    const now = this.database.clock.now()
    await this.#states
      .for('state')
      .bulkWrite(schedules.map((one) => stateWrite(one, sites.get(one.target.id.toHexString()), now)))
  }
}
