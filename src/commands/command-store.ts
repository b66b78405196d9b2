import { type Document, ObjectId } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import { stampStage } from '../core/collection/stamps.js'
import type { StoreFilter } from '../core/collection/store-query.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { ConflictError } from '../core/errors.js'
import { type CommandEvidence, type CommandReason, type CommandStatus, type DeviceCommand, keptMs } from './command.js'
import type { PreparedCommand } from './command-request.js'

/** How a command ends. */
export interface CommandEnd {
  readonly status: Extract<CommandStatus, 'succeeded' | 'failed' | 'expired' | 'cancelled'>
  readonly reason?: CommandReason
  readonly detail?: string
  readonly answer?: { readonly at: Date; readonly evidence: CommandEvidence; readonly state?: boolean | undefined }
}

export type Placed = Pick<DeviceCommand, '_id' | 'slot' | 'device'>

const longestDetail = 300

/** The writes on commands. Each is conditional on what the command is, so that the database decides between processes. */
export class CommandStore {
  readonly documents: EntityCollection<DeviceCommand>
  readonly #database: Database

  constructor(database: Database, entity: Entity<DeviceCommand>) {
    this.#database = database
    this.documents = database.of(entity, { isDurable: true })
  }

  /**
   * Stores a command, or finds the one that has its idempotency key. A newer command of a switch takes the place of those that
   * are queued.
   * @throws ConflictError for a key that another command of the device has; or if one is under way and this one is sent.
   */
  async add(prepared: PreparedCommand): Promise<{ readonly command: DeviceCommand; readonly isNew: boolean }> {
    try {
      const command = await this.documents.for('add').insertOne(prepared)
      if (command.status === 'queued') await this.replaceQueued(command)
      return { command, isNew: true }
    } catch (error) {
      const { slot, device, idempotencyKey } = prepared
      if (!(error instanceof ConflictError) || idempotencyKey === undefined) throw error
      const known = await this.documents.findOne({ slot, device, idempotencyKey })
      if (known === null) throw error
      if (known.command === prepared.command && known.target === prepared.target)
        return { command: known, isNew: false }
      throw error
    }
  }

  /** Stores many. @returns how many were new; the others are there by their idempotency keys. */
  async addMany(prepared: readonly PreparedCommand[]): Promise<number> {
    if (prepared.length === 0) return 0
    const documents = prepared.map((command) => ({ _id: new ObjectId(), ...command }))
    try {
      await this.documents.for('addMany').insert(documents, { isUnordered: true })
    } catch (error) {
      // The others are stored: an unordered insert goes on.
      if (!(error instanceof ConflictError)) throw error
    }
    await this.#replaceQueuedOf(prepared)
    return this.documents.count({ _id: { $in: documents.map(({ _id }) => _id) } })
  }

  /** Ends a command, if it has not ended. @param condition What else it must be. @returns it as it is then; null if it was not so. */
  async end(
    command: Placed,
    end: CommandEnd,
    condition: StoreFilter<DeviceCommand> = {},
  ): Promise<DeviceCommand | null> {
    return this.documents
      .for('end')
      .findOneAndUpdate({ ...placeOf(command), isOpen: true, ...condition }, this.endStages(end))
  }

  /** As {@link end}, for many at once. */
  async endMany(ends: readonly { readonly command: Placed; readonly end: CommandEnd }[]): Promise<void> {
    const writes = ends.map(({ command, end }) => ({
      update: { ...placeOf(command), isOpen: true },
      by: this.endStages(end),
    }))
    await this.documents.for('endMany').bulkWrite(writes, { isUnordered: true })
  }

  endStages({ status, reason, detail, answer }: CommandEnd): Document[] {
    const now = this.#database.clock.now()
    const finishedAt = answer?.at ?? now
    const latencyMs = { $max: [0, { $subtract: [finishedAt, '$createdAt'] }] }
    return [
      {
        $set: {
          status,
          isOpen: false,
          isUnderWay: false,
          finishedAt,
          expireAt: new Date(now.getTime() + keptMs),
          ...(status === 'succeeded' && { latencyMs }),
          ...(reason !== undefined && { reason }),
          ...(detail !== undefined && { detail: { $literal: detail.slice(0, longestDetail) } }),
          ...(answer !== undefined && { answer: { $literal: withoutUndefined(answer) } }),
          ...stampStage(now),
        },
      },
      { $unset: ['leaseUntil', 'deadlineAt'] },
    ]
  }

  /** Of a switch only the last word counts; of two that come at once both sides agree on which that is. */
  async replaceQueued({ _id, slot, device, target }: DeviceCommand): Promise<void> {
    if (target.startsWith('do:')) return
    await this.documents
      .for('replaceQueued')
      .updateMany(
        { slot, device, isOpen: true, target, status: 'queued', _id: { $lt: _id } },
        this.endStages({ status: 'cancelled', reason: 'superseded' }),
      )
  }

  async #replaceQueuedOf(prepared: readonly PreparedCommand[]): Promise<void> {
    const devices = prepared.map(({ device }) => device)
    const queued = await this.documents.find(
      {
        slot: { $in: [...new Set(prepared.map(({ slot }) => slot))] },
        device: { $in: devices },
        isOpen: true,
        status: 'queued',
      },
      { projection: { slot: 1, device: 1, target: 1 }, sort: { _id: 1 } },
    )
    const newest = new Map(queued.map((one) => [`${one.device.toHexString()} ${one.target}`, one._id]))
    const older = queued.filter(({ _id, device, target }) => {
      return !target.startsWith('do:') && newest.get(`${device.toHexString()} ${target}`)?.equals(_id) === false
    })
    const by = this.endStages({ status: 'cancelled', reason: 'superseded' })
    const writes = older.map((one) => ({ update: { ...placeOf(one), isOpen: true, status: 'queued' }, by }))
    await this.documents.for('replaceQueued').bulkWrite(writes, { isUnordered: true })
  }
}

/** What finds a command on a sharded collection too. */
export function placeOf({ _id, slot, device }: Placed): { _id: ObjectId; slot: number; device: ObjectId } {
  return { _id, slot, device }
}

function withoutUndefined(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
