import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { ConflictError, DatabaseError, NotFoundError } from '../core/errors.js'
import { toObjectId } from '../core/fields.js'
import { callback } from '../core/option-schemas.js'
import { Reader } from '../core/repository/reader.js'
import { validateData } from '../core/validate.js'
import type { Firmware } from './firmware.js'
import { FirmwareDownloads, type FirmwareHandler } from './firmware-handler.js'
import type { FirmwareParts } from './firmware-parts.js'
import { type FirmwareInput, type FirmwareUpload, firmwareInputSchema } from './firmware-upload.js'
import type { Rollout } from './rollout.js'
import { type RolloutInput, rolloutInputSchema } from './rollout-input.js'
import type { OfferFirmware, StepOptions } from './rollout-offers.js'
import { type RolloutCounts, RolloutStep } from './rollout-step.js'

const stepSchema = z.strictObject({
  offer: callback<OfferFirmware>(),
  baseUrl: z
    .string()
    .max(500)
    .regex(/^https?:\/\/[^\s?#]+$/, { error: 'expected a URL such as https://energy.example.org/firmware' }),
})
const startSchema = stepSchema.extend({
  /** How long it rests between two steps. */
  everyMs: z.int().min(100).max(86_400_000).default(5_000),
})
/** Roll-out start options: what moves roll-outs on, and how often. */
export type FirmwareStartOptions = StepOptions & { readonly everyMs?: number }

const failureSchema = z.string().min(1).max(500)

export interface ServiceParts extends FirmwareParts {
  readonly upload: FirmwareUpload
}

/** Firmware for devices: images, and their way to the devices in stages. A reader of the images. */
export class FirmwareService extends Reader<Firmware> {
  readonly #parts: ServiceParts
  readonly #step: RolloutStep
  readonly #downloads: FirmwareDownloads

  constructor(
    database: Database,
    entity: Entity<Firmware>,
    parts: ServiceParts,
    documents?: EntityCollection<Firmware>,
  ) {
    super(database, entity, documents)
    this.#parts = parts
    this.#step = new RolloutStep(parts)
    this.#downloads = new FirmwareDownloads(parts)
  }

  /** @internal */
  override over(documents: EntityCollection<Firmware>): FirmwareService {
    return new FirmwareService(this.database, this.entity, this.#parts, documents)
  }

  /**
   * Stores an image, in bounded memory. It is there once all of it is, and what it says is right; else nothing is left of it.
   * @param source The bytes, such as a request or a file's stream.
   * @throws ValidationError if it is too large, or digest or signature are not right; ConflictError if the version is there for the board.
   */
  async upload(input: FirmwareInput, source: AsyncIterable<Uint8Array>): Promise<Firmware> {
    const parsed = validateData(firmwareInputSchema, input, 'The firmware')
    if (typeof source !== 'object' || source === null || !(Symbol.asyncIterator in source))
      throw new DatabaseError('CONFIGURATION', 'An image is a stream of bytes')
    return this.shown(await this.#parts.upload.upload(parsed, source))
  }

  /** Removes an image. @throws NotFoundError, ConflictError while a roll-out of it goes on. */
  async remove(id: ObjectId | string): Promise<void> {
    const { _id } = await this.get(id)
    if ((await this.#parts.rollouts.findOne({ firmware: _id, open: true })) !== null)
      throw new ConflictError('CONFLICT', 'A roll-out of the firmware goes on')
    await this.#parts.upload.remove(_id)
  }

  /** Removes what dead uploads have left; {@link start} does so too. @returns how many. */
  sweepUploads(): Promise<number> {
    return this.#parts.upload.sweep()
  }

  /** Begins to bring an image to the devices. @throws ValidationError, NotFoundError if there is no such image that is ready. */
  async rollOut(input: RolloutInput): Promise<Rollout> {
    const parsed = validateData(rolloutInputSchema, input, 'The roll-out')
    const image = await this.findOne({ _id: parsed.firmware, status: 'ready' })
    if (image === null) throw new NotFoundError('firmware that is ready', `id ${parsed.firmware.toHexString()}`)
    const { version, board } = image
    const started = { status: 'running' as const, open: true, stage: 0, stageStartedAt: this.database.clock.now() }
    return this.#parts.rollouts.for('rollOut').insertOne({ ...parsed, version, board, ...started, enrolled: false })
  }

  /** Offers it to nobody any more, until it is resumed; who has begun goes on. @throws NotFoundError if none of that id runs. */
  pause(id: ObjectId | string): Promise<Rollout> {
    return this.#change(id, 'running', { status: 'paused' })
  }

  /** @throws NotFoundError if none of that id is paused. */
  resume(id: ObjectId | string): Promise<Rollout> {
    return this.#change(id, 'paused', { status: 'running' })
  }

  /** Ends it for devices that have not begun; who has begun may be too far to be stopped. @throws NotFoundError if none of that id goes on. */
  async cancel(id: ObjectId | string): Promise<Rollout> {
    const endedAt = this.database.clock.now()
    const set = { status: 'cancelled' as const, endedAt }
    const cancelled = await this.#change(id, { $in: ['running', 'paused', 'halted'] }, set)
    const waiting = { rollout: cancelled._id, status: 'pending' }
    await this.#parts.installs.for('cancel').updateMany(waiting, { $set: { status: 'cancelled', endedAt } })
    return cancelled
  }

  /** How many devices of the stages so far are where. @throws NotFoundError. */
  async progress(id: ObjectId | string): Promise<RolloutCounts> {
    const _id = toObjectId(id)
    const rollout = await this.#parts.rollouts.for('progress').findOne({ _id })
    if (rollout === null) throw new NotFoundError('firmware roll-out', `id ${_id.toHexString()}`)
    return this.#step.counts(rollout)
  }

  /** A device says that it could not install it. @returns whether it was about to. @throws ValidationError. */
  async reportFailure(rollout: ObjectId | string, device: ObjectId | string, reason: string): Promise<boolean> {
    const row = { rollout: toObjectId(rollout), device: toObjectId(device) }
    const failed = {
      status: 'failed',
      reason: validateData(failureSchema, reason, 'The reason'),
      endedAt: this.database.clock.now(),
    }
    const active = { ...row, status: { $in: ['pending', 'downloading', 'installing'] } }
    const { matched } = await this.#parts.installs.for('reportFailure').updateOne(active, { $set: failed })
    if (matched > 0) {
      const details = { rollout: row.rollout, status: 'failed', reason: failed.reason }
      this.#parts.deviceLogs.log({ device: row.device, kind: 'firmware_update', level: 'warning', details })
    }
    return matched > 0
  }

  /** Moves every roll-out on. Any number of processes may do it at once. @throws ValidationError. */
  async step(options: StepOptions): Promise<void> {
    await this.#step.step(validateData(stepSchema, options, 'The options of the roll-outs'), this.database.closing)
  }

  /** Moves roll-outs on, and removes what dead uploads have left, until it is stopped or the handle is closed. @returns a function that stops it. */
  start(options: FirmwareStartOptions): () => Promise<void> {
    const { everyMs, ...step } = validateData(startSchema, options, 'The options of the roll-outs')
    return this.database.periodic.start({
      name: 'firmware',
      everyMs,
      work: async (signal) => {
        await this.#parts.upload.sweep()
        await this.#step.step(step, signal)
      },
    })
  }

  /**
   * Answers the requests of devices: with ranges, each part verified before it leaves.
   * @example
   * http.createServer(volt.firmware.handler())             // Node
   * app.use('/firmware', volt.firmware.handler())          // Express
   * fastify.get('/firmware/*', (request, reply) => { reply.hijack(); handler(request.raw, reply.raw) })
   */
  handler(): FirmwareHandler {
    return (request, response) => this.#downloads.handle(request, response)
  }

  async #change(id: ObjectId | string, status: unknown, set: Partial<Rollout>): Promise<Rollout> {
    const _id = toObjectId(id)
    const changed = await this.#parts.rollouts.for('change').findOneAndUpdate({ _id, status }, { $set: set })
    if (changed === null) throw new NotFoundError('firmware roll-out in a state for that', `id ${_id.toHexString()}`)
    return changed
  }
}
