import { randomUUID } from 'node:crypto'
import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { ConflictError, DatabaseError, ValidationError } from '../core/errors.js'
import { objectId } from '../core/fields.js'
import { where } from '../core/repository/conditions.js'
import { Reader } from '../core/repository/reader.js'
import { requireOptions } from '../core/repository/selection.js'
import { typeName, validateData } from '../core/validate.js'
import type { Device } from '../devices/device.js'
import type { DeviceRepository } from '../devices/device-repository.js'
import { type DeviceCommand, parameterValues } from './command.js'
import {
  type ClassroomOptions,
  type CommandRequest,
  classroomRequests,
  commandReport,
  type DeviceReport,
} from './command-bulk.js'
import { CommandClaims } from './command-claims.js'
import { CommandFeed } from './command-feed.js'
import {
  type CommandOptions,
  commandOptions,
  executeOptions,
  type PreparedCommand,
  prepareCommand,
} from './command-request.js'
import { CommandSender } from './command-sender.js'
import { type CommandStatistics, commandStatistics, type StatisticsQuestion } from './command-statistics.js'
import { CommandStore } from './command-store.js'
import { CommandTimeoutError } from './command-timeout-error.js'
import { CommandWaiters } from './command-waiters.js'
import { CommandWorker } from './command-worker.js'
import { type CommandWorkerOptions, workerOptions } from './command-worker-options.js'
import { DeviceAnswers } from './device-answers.js'
import { Pacer } from './pacer.js'
import { permitUntil } from './transport.js'

export interface ExecuteOptions extends Omit<CommandOptions, 'expiresInMs'> {
  /** How long the device has to answer; it is not sent after that. @default what the transport gives it, and 30_000 without one */
  readonly timeoutMs?: number
}

/** Parameters of a command, by name. */
type Parameters = Readonly<Record<string, unknown>>

const requestsSchema = z
  .array(commandOptions.extend({ device: objectId(), command: z.string(), parameters: parameterValues().default({}) }))
  .max(1_000)
const classroomSchema = z.strictObject({
  classroom: z.union([objectId(), z.string().min(1).max(200)]),
  state: z.boolean(),
})

const usualTimeoutMs = 30_000
const usualLeaseMs = 10_000
/** After the device's time is over its answer may still be on the way here. */
const onTheWayMs = 1_000
const classroomOptionNames = ['priority', 'expiresInMs', 'correlationId', 'requester']
const requestsAtOnce = 1_000

/** Commands to devices: a queue, what became of each, and the workers that send them. They never write the ledger: devices do. */
export class Commands extends Reader<DeviceCommand> {
  /** For ingestion: what devices have answered. @internal */
  readonly answers: Pick<DeviceAnswers, 'take' | 'announce'>
  readonly #devices: DeviceRepository
  readonly #store: CommandStore
  readonly #waiters: CommandWaiters
  readonly #feed: CommandFeed
  readonly #pacer = new Pacer()
  readonly #workers = new Set<CommandWorker>()
  #sender: CommandSender | undefined

  constructor(database: Database, entity: Entity<DeviceCommand>, devices: DeviceRepository) {
    super(database, entity)
    this.#devices = devices
    this.#store = new CommandStore(database, entity)
    this.#waiters = new CommandWaiters(this.#store)
    const answers = new DeviceAnswers(this.#store, (ids) => this.#waiters.settle(ids))
    this.answers = { take: (given) => answers.take(given), announce: (ids) => answers.announce(ids) }
    this.#feed = new CommandFeed(database, entity, {
      onQueued: () => this.#wake(),
      onEnded: (id) => this.#waiters.settle([id]),
    })
    database.beforeClose(() => (this.#workers.size === 0 ? undefined : this.#stopAll()))
  }

  /**
   * Puts a command into the queue; some process with {@link start} sends it.
   * @throws ValidationError for what the device cannot do, NotFoundError, ConflictError for a key of another command.
   */
  async enqueue(
    device: ObjectId | string,
    command: string,
    parameters: Parameters = {},
    options: CommandOptions = {},
  ): Promise<DeviceCommand> {
    const given = validateData(commandOptions, options, 'The options')
    const found = await this.#devices.get(device)
    const prepared = prepareCommand(found, command, parameters, given, this.database.clock.now())
    const added = await this.#store.add(prepared)
    this.#wake()
    return added.command
  }

  /**
   * Puts up to 1,000 commands into the queue. Those whose idempotency key is there already are not put again.
   * @returns how many were new. @throws ValidationError; then none is.
   */
  async enqueueMany(requests: readonly CommandRequest[]): Promise<number> {
    const given = validateData(requestsSchema, requests, 'The commands')
    const found = await this.#devices.find(
      { _id: where.in(given.map(({ device }) => device)) },
      { limit: requestsAtOnce },
    )
    const devices = new Map(found.map((one) => [one._id.toHexString(), one]))
    const now = this.database.clock.now()
    const prepared = given.map(({ device, command, parameters, ...options }) => {
      const own = devices.get(device.toHexString())
      if (own === undefined) {
        const issue = { path: 'device', message: 'is not registered', received: typeName(device) }
        throw new ValidationError('The command', [issue])
      }
      return prepareCommand(own, command, parameters, options, now)
    })
    const count = await this.#store.addMany(prepared)
    this.#wake()
    return count
  }

  /**
   * Sends a command and waits for the device's own answer. From a process with a transport it is sent at once; else, or while
   * another command is under way to the switch, by way of the queue.
   * @returns the command as it has ended: `succeeded`, or with a `reason` why not.
   * @throws CommandTimeoutError if the device does not answer in time, with what is known; ValidationError, NotFoundError.
   * @example
   * const { status, latencyMs } = await volt.commands.executeCommand(device._id, 'turn_on', { power: true })
   */
  async executeCommand(
    device: ObjectId | string,
    command: string,
    parameters: Parameters = {},
    options: ExecuteOptions = {},
  ): Promise<DeviceCommand> {
    const given = validateData(executeOptions, options, 'The options')
    const found = await this.#devices.get(device)
    const transport = this.#sender?.transportTo(found)
    const answerMs = transport === undefined ? usualTimeoutMs : transport.answerWithinMs(found) + onTheWayMs
    const timeoutMs = given.timeoutMs ?? answerMs
    const now = this.database.clock.now()
    const prepared = prepareCommand(found, command, parameters, { ...given, expiresInMs: timeoutMs }, now)
    this.#feed.open()
    const added =
      transport === undefined || found.service === 'inactive'
        ? await this.#store.add(prepared)
        : await this.#addSent(prepared, transport.answerWithinMs(found))
    if (!added.command.isOpen) return added.command
    // From before it is sent: the answer may be faster than the broker's acknowledgement.
    const ended = this.#waiters.wait(added.command._id, timeoutMs)
    ended.catch(() => undefined)
    if (added.isNew && added.command.status === 'sent') await this.#sendNow(added.command, found, timeoutMs)
    else this.#wake()
    const last = (await ended) ?? added.command
    if (last.isOpen || last.status === 'expired' || last.reason === 'no_answer') throw await this.#timeout(last)
    return last
  }

  /** Takes a command back that is still in the queue. @throws NotFoundError; ConflictError if it is on its way, or has ended. */
  async cancel(id: ObjectId | string): Promise<DeviceCommand> {
    const command = await this.get(id)
    const end = { status: 'cancelled', reason: 'withdrawn' } as const
    const cancelled = await this.#store.end(command, end, { status: 'queued' })
    if (cancelled !== null) return cancelled
    throw new ConflictError('CONFLICT', `The command ${command._id.toHexString()} is not in the queue any more`)
  }

  /**
   * Switches everything in a classroom: a command for each relay of each device in service, which share a correlation id.
   * @returns the id, for {@link reportOf}, and how many commands it is. @throws ValidationError.
   */
  async switchClassroom(
    classroom: ObjectId | string,
    state: boolean,
    options: ClassroomOptions = {},
  ): Promise<{ readonly correlationId: string; readonly commands: number }> {
    requireOptions(options, classroomOptionNames)
    const given = validateData(classroomSchema, { classroom, state }, 'The classroom')
    const devices = await this.#devices.allInService(given.classroom)
    const correlationId = options.correlationId ?? randomUUID()
    const requests = classroomRequests(devices, given.state, { ...options, correlationId })
    let commands = 0
    for (let at = 0; at < requests.length; at += requestsAtOnce) {
      commands += await this.enqueueMany(requests.slice(at, at + requestsAtOnce))
    }
    return { correlationId, commands }
  }

  /** What has become of commands that belong together, by device. @throws ValidationError. */
  reportOf(correlationId: string): Promise<DeviceReport[]> {
    return commandReport(this.documents, validateData(z.string().min(1).max(100), correlationId, 'The correlation id'))
  }

  /** How a device's commands have ended, and how long that took, by command; from an index alone. @throws ValidationError. */
  statistics(question: StatisticsQuestion): Promise<CommandStatistics[]> {
    return commandStatistics(this.documents, question)
  }

  /**
   * Begins to send what is in the queue, as one of any number of processes, until it is stopped or the handle is closed.
   * @throws ValidationError; DatabaseError `CONFIGURATION` if this handle sends commands already.
   */
  start(options: CommandWorkerOptions): () => Promise<void> {
    const { transports, ...times } = validateData(workerOptions, options, 'The options')
    if (this.#sender !== undefined) throw new DatabaseError('CONFIGURATION', 'This handle sends commands already')
    const { database } = this
    const sender = new CommandSender(database, transports, this.#pacer)
    const claims = new CommandClaims(database, this.#store, times.leaseMs)
    const parts = { database, devices: this.#devices, claims, sender, waiters: this.#waiters }
    const worker = new CommandWorker(parts, times)
    this.#sender = sender
    this.#workers.add(worker)
    this.#feed.open()
    return async () => {
      this.#workers.delete(worker)
      this.#sender = undefined
      await worker.stop()
    }
  }

  async #stopAll(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.stop()))
  }

  #wake(): void {
    for (const worker of this.#workers) worker.wake()
  }

  /** One write: what is sent at once is stored as sent. If another is under way to the switch, it is queued. */
  async #addSent(prepared: PreparedCommand, answerMs: number) {
    const now = this.database.clock.now()
    const sent: PreparedCommand = {
      ...prepared,
      status: 'sent',
      isUnderWay: true,
      attempts: 1,
      token: randomUUID(),
      sentAt: now,
      deadlineAt: new Date(now.getTime() + Math.max(answerMs, usualLeaseMs)),
    }
    try {
      return await this.#store.add(sent)
    } catch (error) {
      if (!(error instanceof ConflictError) || !error.fields.includes('target')) throw error
      return this.#store.add(prepared)
    }
  }

  async #sendNow(command: DeviceCommand, device: Device, timeoutMs: number): Promise<void> {
    const claims = new CommandClaims(this.database, this.#store, usualLeaseMs)
    const permit = permitUntil(performance.now() + Math.min(timeoutMs, usualLeaseMs))
    const sent = await this.#sender?.send(command, device, permit)
    if (sent?.kind === 'ended') {
      await claims.endHeld([{ command, end: sent.end }])
      this.#waiters.settle([command._id])
    } else if (sent?.kind === 'sent' && sent.isAcknowledged) await claims.markSent([{ command, ...sent }])
    else if (sent?.kind !== 'sent') {
      await claims.putBack([command], 0)
      this.#wake()
    }
    // What was queued for the switch before is older than this one.
    await this.#store.replaceQueued(command)
  }

  async #timeout(command: DeviceCommand): Promise<CommandTimeoutError> {
    const device = await this.#devices.findOne({ _id: command.device })
    const target = device?.switches.find(({ _id }) => command.switchId?.equals(_id))
    const wasSent = command.attempts === 0 ? 'no' : command.leaseUntil === undefined ? 'yes' : 'unknown'
    return new CommandTimeoutError(command, {
      wasSent,
      deviceSeenAt: device?.lastSeenAt,
      lastState: target?.state,
    })
  }
}
