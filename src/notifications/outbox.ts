import { randomUUID } from 'node:crypto'
import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import { stampStage } from '../core/collection/stamps.js'
import type { Database } from '../core/database.js'
import type { deliveryEntity, NotificationDelivery } from './delivery.js'

/** Rows of the outbox that a worker has. */
export interface Claim {
  readonly token: string
  /** By `performance.now()`; before the claim began. */
  readonly claimedMs: number
  readonly rows: readonly NotificationDelivery[]
}

/** How long a worker has what it claimed. Then others take it over. */
export const claimMs = 90_000
/** How many rows are claimed at once. */
const rowsAtOnce = 50
/** Of so many candidates each worker takes some at random, so that several seldom want the same. */
const candidates = 4 * rowsAtOnce
const mostInDigest = 1_000
const sweptAtOnce = 500
const mostClockSkewMs = 3_600_000

type Row = Pick<NotificationDelivery, '_id' | 'user' | 'digestAt'>

/** The rows of deliveries: what decides who sends what is a conditional update. */
export class Outbox {
  readonly #database: Database
  readonly #rows: EntityCollection<NotificationDelivery>

  constructor(database: Database, entity: typeof deliveryEntity) {
    this.#database = database
    this.#rows = database.of(entity, { isDurable: true, isOutside: true })
  }

  /** Takes rows of the channel that are due. @returns null if there are none; a claim without rows if others were faster. */
  async claim(channel: string): Promise<Claim | null> {
    const claimedMs = performance.now()
    const due = { status: 'pending', channel, dueAt: { $lte: this.#database.clock.now() } }
    const found = await this.#rows.for('claim').find<Row>(due, {
      sort: { dueAt: 1, _id: 1 },
      limit: candidates,
      projection: { user: 1, digestAt: 1 },
    })
    if (found.length === 0) return null
    const _id = { $in: await this.#withDigests(channel, someOf(found)) }
    const token = randomUUID()
    await this.#rows.for('claim').updateMany({ ...due, _id }, [
      {
        $set: {
          status: 'sending',
          attempts: { $add: ['$attempts', 1] },
          claim: { token, until: { $add: ['$$NOW', claimMs] } },
          ...stampStage('$$NOW'),
        },
      },
    ])
    const rows = await this.#rows.for('claim').find({ status: 'sending', 'claim.token': token }, { sort: { _id: 1 } })
    return { token, claimedMs, rows }
  }

  async deliver(rows: readonly NotificationDelivery[]): Promise<void> {
    await this.#end(rows, { status: 'delivered' })
  }

  /** It is not to be sent any more. */
  async skip(rows: readonly NotificationDelivery[], reason: string): Promise<void> {
    await this.#end(rows, { status: 'skipped', reason })
  }

  async giveUp(rows: readonly NotificationDelivery[], reason: string): Promise<void> {
    await this.#end(rows, { status: 'failed', reason })
  }

  async retry(rows: readonly NotificationDelivery[], dueAt: Date, reason: string): Promise<void> {
    const set = { $set: { status: 'pending', dueAt, reason }, $unset: { claim: '' } }
    await this.#rows.for('retry').updateMany(heldRows(rows), set)
  }

  /** Puts them off until quiet hours end, which is no attempt. */
  async defer(rows: readonly NotificationDelivery[], until: Date): Promise<void> {
    const set = {
      $set: { status: 'pending', dueAt: until, digestAt: until },
      $inc: { attempts: -1 },
      $unset: { claim: '' },
    }
    await this.#rows.for('defer').updateMany(heldRows(rows), set)
  }

  /** Gives rows back that were not tried. */
  async release(rows: readonly NotificationDelivery[]): Promise<void> {
    const set = { $set: { status: 'pending' }, $inc: { attempts: -1 }, $unset: { claim: '' } }
    if (rows.length > 0) await this.#rows.for('release').updateMany(heldRows(rows), set)
  }

  /** Takes back what workers have that are gone: it is due again, or given up after the last attempt. */
  async sweep(maximumAttempts: number): Promise<void> {
    const abandoned = {
      status: 'sending',
      // What the index is read by; the server's clock decides.
      'claim.until': { $lte: new Date(Date.now() + mostClockSkewMs) },
      $expr: { $lte: ['$claim.until', '$$NOW'] },
    }
    const rows = this.#rows.for('sweep')
    const found = await rows.find<Row>(abandoned, { limit: sweptAtOnce, projection: { _id: 1 } })
    if (found.length === 0) return
    const _id = { $in: found.map((row) => row._id) }
    const reason = 'the process that tried it ended, or hung'
    const given = { $set: { status: 'failed', reason, endedAt: this.#database.clock.now() }, $unset: { claim: '' } }
    await rows.updateMany({ ...abandoned, _id, attempts: { $gte: maximumAttempts } }, given)
    await rows.updateMany({ ...abandoned, _id }, { $set: { status: 'pending', reason }, $unset: { claim: '' } })
  }

  async #end(
    rows: readonly NotificationDelivery[],
    outcome: Pick<NotificationDelivery, 'status' | 'reason'>,
  ): Promise<void> {
    const endedAt = this.#database.clock.now()
    await this.#rows.for(outcome.status).updateMany(heldRows(rows), {
      $set: { status: outcome.status, endedAt, ...(outcome.reason === undefined ? {} : { reason: outcome.reason }) },
      $unset: { claim: '', ...(outcome.reason === undefined ? { reason: '' } : {}) },
    })
  }

  /** With each row those of its user that wait for the same end of quiet hours. */
  async #withDigests(channel: string, rows: readonly Row[]): Promise<ObjectId[]> {
    const digests = new Map(rows.filter(({ digestAt }) => digestAt !== undefined).map((row) => [digestOf(row), row]))
    const ids = rows.filter(({ digestAt }) => digestAt === undefined).map(({ _id }) => _id)
    for (const { user, digestAt } of digests.values()) {
      const waiting = { status: 'pending', user, channel, dueAt: { $lte: this.#database.clock.now() }, digestAt }
      const found = await this.#rows.for('claim').find<Row>(waiting, { limit: mostInDigest, projection: { _id: 1 } })
      ids.push(...found.map(({ _id }) => _id))
    }
    return ids
  }
}

/** Names the message that a row is in, where it waits for the end of quiet hours. */
export function digestOf({ user, digestAt }: Pick<NotificationDelivery, 'user' | 'digestAt'>): string {
  return `${user.toHexString()} ${digestAt?.toISOString()}`
}

/** The rows, as long as the worker's claim holds. */
function heldRows(rows: readonly NotificationDelivery[]) {
  return { _id: { $in: rows.map(({ _id }) => _id) }, status: 'sending', 'claim.token': rows[0]?.claim?.token ?? '' }
}

/** Some of the rows at random, in their order. */
function someOf(rows: readonly Row[]): Row[] {
  const left = [...rows]
  while (left.length > rowsAtOnce) left.splice(Math.floor(Math.random() * left.length), 1)
  return left
}
