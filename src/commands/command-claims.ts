import { randomUUID } from 'node:crypto'
import type { Document } from 'mongodb'
import { stampStage } from '../core/collection/stamps.js'
import type { StoreFilter } from '../core/collection/store-query.js'
import type { Database } from '../core/database.js'
import { ConflictError } from '../core/errors.js'
import type { DeviceCommand } from './command.js'
import { type CommandEnd, type CommandStore, type Placed, placeOf } from './command-store.js'
import { commandSlots } from './slot.js'

/** Commands that a worker may send until its lease on them ends. */
export interface Claim {
  readonly commands: readonly DeviceCommand[]
  /** When it was asked for, by the monotonic clock of this process. */
  readonly sinceMs: number
}

type Candidate = Placed & Pick<DeviceCommand, 'target'>

const slotsAtOnce = 8
/** A device takes its commands one after the other, so a claim has only so many of them. */
const ofOneDevice = 16
const dueAtOnce = 500
const pagesAtMost = 10
const shortestBackOffMs = 500
const longestBackOffMs = 30_000

/**
 * How workers get commands, and what becomes of those that were sent in vain. A batch is claimed in three steps: candidates,
 * a conditional update with a token of its own, and what has that token; the condition makes it right, whoever else looks at
 * the same rows. Leases are by the server's clock, all other times by the handle's.
 */
export class CommandClaims {
  readonly #database: Database
  readonly #store: CommandStore
  readonly #leaseMs: number

  constructor(database: Database, store: CommandStore, leaseMs: number) {
    this.#database = database
    this.#store = store
    this.#leaseMs = leaseMs
  }

  /** Takes queued commands of the protocols; none where there are none. */
  async claim(protocols: readonly string[], limit: number): Promise<Claim> {
    // Workers begin at slots of their own, so that they rarely want the same rows.
    const first = Math.floor(Math.random() * commandSlots)
    for (let at = 0; at < commandSlots; at += slotsAtOnce) {
      const slots = Array.from({ length: slotsAtOnce }, (_, one) => (first + at + one) % commandSlots)
      const sinceMs = performance.now()
      const commands = await this.#claimIn(slots, protocols, limit)
      if (commands.length > 0) return { commands, sinceMs }
    }
    return { commands: [], sinceMs: performance.now() }
  }

  async #claimIn(slots: readonly number[], protocols: readonly string[], limit: number): Promise<DeviceCommand[]> {
    const now = this.#database.clock.now()
    const { documents } = this.#store
    const wanted = await this.#candidates(slots, protocols, now, limit)
    if (wanted.length === 0) return []
    const token = randomUUID()
    const ids = { _id: { $in: wanted.map(({ _id }) => _id) } }
    try {
      await documents
        .for('claim')
        .updateMany({ ...ids, status: 'queued', slot: { $in: slots }, expiresAt: { $gt: now } }, [
          { $set: { ...this.#claimed(token, now), attempts: { $add: ['$attempts', 1] }, ...stampStage(now) } },
        ])
    } catch (error) {
      // Another worker has sent one to the same switch meanwhile. Those before it are ours.
      if (!(error instanceof ConflictError)) throw error
    }
    return documents.for('claim').find({ ...ids, token }, { sort: { rankAt: 1, _id: 1 } })
  }

  /** The next commands that may be sent: past those that wait for others to the same switches, as far as that is not endless. */
  async #candidates(
    slots: readonly number[],
    protocols: readonly string[],
    now: Date,
    limit: number,
  ): Promise<Candidate[]> {
    for (let page = 0; page < pagesAtMost; page += 1) {
      const queued = await this.#store.documents
        .for('claim')
        .find<Candidate>(
          { status: 'queued', slot: { $in: slots }, protocol: { $in: protocols }, rankAt: { $lte: now } },
          { sort: { rankAt: 1, _id: 1 }, skip: page * limit, limit, projection: { slot: 1, device: 1, target: 1 } },
        )
      const wanted = queued.length === 0 ? [] : await this.#withoutBusy(queued)
      if (wanted.length > 0 || queued.length < limit) return wanted
    }
    return []
  }

  #claimed(token: string, now: Date): Document {
    return {
      status: 'sent',
      isUnderWay: true,
      token,
      sentAt: now,
      leaseUntil: { $add: ['$$NOW', this.#leaseMs] },
    }
  }

  /** One command for each switch, none for a switch with one under way, and not too many for one device. */
  async #withoutBusy(queued: readonly Candidate[]): Promise<Candidate[]> {
    const underWay = await this.#store.documents.for('claim').find<Candidate>(
      {
        slot: { $in: [...new Set(queued.map(({ slot }) => slot))] },
        device: { $in: queued.map(({ device }) => device) },
        isUnderWay: true,
      },
      { projection: { slot: 1, device: 1, target: 1 } },
    )
    const taken = new Set(underWay.map(targetOf))
    const counts = new Map<string, number>()
    return queued.filter((one) => {
      const [target, device] = [targetOf(one), one.device.toHexString()]
      const count = counts.get(device) ?? 0
      if (taken.has(target) || count >= ofOneDevice) return false
      taken.add(target)
      counts.set(device, count + 1)
      return true
    })
  }

  /** Notes which of the commands were sent, and until when their devices have to answer. */
  async markSent(
    sent: readonly { readonly command: DeviceCommand; readonly answerMs: number; readonly isAcknowledged: boolean }[],
  ): Promise<void> {
    const nowMs = this.#database.clock.now().getTime()
    const writes = sent.map(({ command, answerMs, isAcknowledged }) => ({
      update: this.#held(command),
      by: {
        $set: {
          deadlineAt: new Date(nowMs + answerMs),
          ...(isAcknowledged && { status: 'acknowledged' as const }),
        },
        $unset: { leaseUntil: true },
      },
    }))
    await this.#store.documents.for('markSent').bulkWrite(writes, { isUnordered: true })
  }

  /** Puts back what was not sent: it is no attempt. */
  async putBack(commands: readonly DeviceCommand[], waitMs: number): Promise<void> {
    const now = this.#database.clock.now()
    const rankAt = new Date(now.getTime() + waitMs)
    const writes = commands.map((command) => ({
      update: this.#held(command),
      by: [
        { $set: { ...queuedAt(rankAt), attempts: { $subtract: ['$attempts', 1] }, ...stampStage(now) } },
        { $unset: command.attempts === 1 ? ['leaseUntil', 'deadlineAt', 'sentAt'] : ['leaseUntil', 'deadlineAt'] },
      ],
    }))
    await this.#store.documents.for('putBack').bulkWrite(writes, { isUnordered: true })
  }

  /** Ends commands that this worker has a claim on. */
  async endHeld(ends: readonly { readonly command: DeviceCommand; readonly end: CommandEnd }[]): Promise<void> {
    const writes = ends.map(({ command, end }) => ({ update: this.#held(command), by: this.#store.endStages(end) }))
    await this.#store.documents.for('endHeld').bulkWrite(writes, { isUnordered: true })
  }

  /**
   * Sends again, or ends, what nobody has answered in time, what a worker has left behind, and what was never sent in time. Any
   * process may do it: each write is conditional. @returns how many were found.
   */
  async settleDue(): Promise<number> {
    const now = this.#database.clock.now()
    const { documents } = this.#store
    await documents
      .for('settleDue')
      .updateMany(
        { status: 'queued', expiresAt: { $lte: now }, attempts: 0 },
        this.#store.endStages({ status: 'expired' }),
      )
    await documents
      .for('settleDue')
      .updateMany(
        { status: 'queued', expiresAt: { $lte: now }, attempts: { $gt: 0 } },
        this.#store.endStages({ status: 'failed', reason: 'no_answer' }),
      )
    const unanswered = await this.#due({ isUnderWay: true, deadlineAt: { $lte: now } }, { deadlineAt: 1, _id: 1 })
    const abandoned = await this.#due(
      { isUnderWay: true, leaseUntil: { $type: 'date' }, $expr: { $lte: ['$leaseUntil', '$$NOW'] } },
      { leaseUntil: 1, _id: 1 },
    )
    const due = [...new Map([...unanswered, ...abandoned].map((one) => [one._id.toHexString(), one])).values()]
    if (due.length > 0) await this.#sendAgain(due, now)
    return due.length
  }

  #due(filter: StoreFilter<DeviceCommand>, sort: Record<string, 1>): Promise<DeviceCommand[]> {
    return this.#store.documents.for('settleDue').find(filter, { sort, limit: dueAtOnce })
  }

  async #sendAgain(due: readonly DeviceCommand[], now: Date): Promise<void> {
    const others = await this.#store.documents.find<Candidate>(
      {
        slot: { $in: [...new Set(due.map(({ slot }) => slot))] },
        device: { $in: due.map(({ device }) => device) },
        isOpen: true,
      },
      { projection: { slot: 1, device: 1, target: 1 } },
    )
    const writes = due.map((command) => {
      const isReplaced = others.some((one) => targetOf(one) === targetOf(command) && one._id > command._id)
      const isOver = command.attempts >= command.maximumAttempts || command.expiresAt <= now
      const end: CommandEnd | undefined =
        isReplaced && !command.target.startsWith('do:')
          ? { status: 'cancelled', reason: 'superseded' }
          : isOver
            ? { status: 'failed', reason: 'no_answer' }
            : undefined
      const rankAt = new Date(now.getTime() + backOffMs(command.attempts))
      return {
        update: this.#held(command),
        by:
          end === undefined
            ? [{ $set: { ...queuedAt(rankAt), ...stampStage(now) } }, { $unset: ['leaseUntil', 'deadlineAt'] }]
            : this.#store.endStages(end),
      }
    })
    await this.#store.documents.for('sendAgain').bulkWrite(writes, { isUnordered: true })
  }

  /** The command as long as the claim that it was read with holds. */
  #held(command: DeviceCommand) {
    return { ...placeOf(command), isUnderWay: true, token: command.token, attempts: command.attempts }
  }
}

function queuedAt(rankAt: Date): Document {
  return { status: 'queued', isUnderWay: false, rankAt }
}

/** Doubled with each attempt, with jitter. */
function backOffMs(attempts: number): number {
  return Math.min(shortestBackOffMs * 2 ** attempts, longestBackOffMs) * (0.5 + Math.random() / 2)
}

function targetOf({ device, target }: Candidate): string {
  return `${device.toHexString()} ${target}`
}
