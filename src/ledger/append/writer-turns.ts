import { setImmediate as nextTick, setTimeout as sleep } from 'node:timers/promises'
import { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import type { Contention } from './contention.js'
import { renewEveryMs, type WriterQueue } from './writer-queue.js'
import { maximumChains } from './writer-queue-entity.js'

/**
 * How long a turn lasts from the end of its first write, while others may be waiting. The first write reads what the others
 * have appended, which takes longer than many writes after it; a write that was begun in the turn is ended.
 */
const turnMs = 300
/** A turn that nobody uses for so long is given up; a caller that awaits each append before the next one keeps its turn. */
const idleMs = 10
const shortestPauseMs = 5
const longestPauseMs = 80

/** A use of the writer's turn, by one batch or transaction. */
export interface TurnUse {
  /** Chains that have not been written to in this turn: others may have appended to them before it. */
  readonly unread: readonly string[]
  /** Ends this use of the turn; to be called once. */
  readonly leave: () => void
}

interface Turn {
  readonly id: ObjectId
  readonly chains: ReadonlySet<string>
  readonly unread: Set<string>
  /** Infinity until the first write has ended. */
  endsMs: number
  readonly renewal: NodeJS.Timeout
  idle: NodeJS.Timeout
  users: number
  isOver: boolean
}

interface Waiting {
  readonly chains: readonly string[]
  readonly deadlineMs: number
  readonly resolve: (use: TurnUse) => void
  readonly reject: (error: unknown) => void
}

/**
 * Fair access of one writer to contended chains, through the {@link WriterQueue}. The writer has one turn at a time, shared by
 * everything in it that waits. A turn lasts for many writes, because the next writer first has to read where the chains end;
 * after it the writer asks again, behind those that have asked meanwhile. So no writer is starved, however slow it is.
 */
export class WriterTurns {
  readonly #database: Database
  readonly #queue: WriterQueue
  readonly #contention: Contention
  #waiting: Waiting[] = []
  #turn: Turn | undefined
  /** The way into the queue, or out of it. */
  #underWay: Promise<void> | undefined

  constructor(database: Database, queue: WriterQueue, contention: Contention) {
    this.#database = database
    this.#queue = queue
    this.#contention = contention
    // What is left in the queue would hold up the others until it expires.
    database.beforeClose(() => {
      this.#end()
      return this.#underWay
    })
  }

  /**
   * Waits for the turn at the chains.
   * @throws DatabaseError `CONTENTION` at the deadline (of `performance.now()`).
   */
  enter(chains: readonly string[], deadlineMs: number): Promise<TurnUse> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ chains, deadlineMs, resolve, reject })
      this.#serve()
    })
  }

  /** Notices those of the chains that others wait for. */
  async look(chains: readonly string[]): Promise<void> {
    const own = this.#turn?.id
    for (const { _id, switchIds } of await this.#queue.waiting(chains.map((chain) => new ObjectId(chain)))) {
      if (own?.equals(_id)) continue
      const asked = new Set(switchIds.map((id) => id.toHexString()))
      for (const chain of chains) if (asked.has(chain)) this.#contention.noticed(chain)
    }
  }

  /** Lets in who waits for chains of the running turn; sees to it that there will be another one for the others. */
  #serve(): void {
    const turn = this.#turn
    if (turn === undefined) {
      if (this.#waiting.length > 0 && this.#underWay === undefined) this.#go(this.#ask())
      return
    }
    if (performance.now() >= turn.endsMs) turn.isOver = true
    const left: Waiting[] = []
    for (const waiting of this.#waiting) {
      if (turn.isOver || !waiting.chains.every((chain) => turn.chains.has(chain))) left.push(waiting)
      else waiting.resolve(this.#use(turn, waiting.chains))
    }
    this.#waiting = left
    if (left.length > 0) turn.isOver = true
    if (turn.isOver && turn.users === 0) this.#end()
  }

  #use(turn: Turn, chains: readonly string[]): TurnUse {
    clearTimeout(turn.idle)
    turn.users += 1
    const leave = () => {
      turn.users -= 1
      turn.endsMs = Math.min(turn.endsMs, performance.now() + turnMs)
      if (turn.users > 0) return
      if (turn.isOver) this.#end()
      else turn.idle = setTimeout(() => this.#end(), idleMs)
    }
    return { unread: chains.filter((chain) => turn.unread.delete(chain)), leave }
  }

  #end(): void {
    const turn = this.#turn
    if (turn === undefined || this.#underWay !== undefined) return
    clearInterval(turn.renewal)
    clearTimeout(turn.idle)
    this.#turn = undefined
    this.#go(this.#leave(turn.id))
  }

  #go(way: Promise<void>): void {
    this.#underWay = way.then(() => {
      this.#underWay = undefined
      this.#serve()
    })
  }

  async #ask(): Promise<void> {
    const id = new ObjectId()
    // What begins to wait in the same turn of the event loop shares the place.
    await nextTick()
    const chains = this.#chainsToAskFor()
    try {
      if (await this.#waitFor(id, chains)) this.#begin(id, chains)
      else await this.#leave(id)
    } catch (error) {
      for (const { reject } of this.#waiting.splice(0)) reject(error)
      await this.#leave(id)
    }
  }

  /** What is waited for, and what else is contended: the next appends will be about that as well. */
  #chainsToAskFor(): Set<string> {
    const chains = new Set(this.#waiting.flatMap((waiting) => waiting.chains))
    for (const chain of this.#contention.chains) if (chains.size < maximumChains) chains.add(chain)
    return chains
  }

  /** @returns whether it is the turn; false if nobody of this writer waits any more. */
  async #waitFor(id: ObjectId, chains: ReadonlySet<string>): Promise<boolean> {
    const switchIds = [...chains].map((chain) => new ObjectId(chain))
    let renewedMs = performance.now()
    await this.#queue.join(id, switchIds)
    for (;;) {
      if (this.#database.closing.aborted) throw new DatabaseError('CLOSED', 'The handle was closed meanwhile')
      const places = await this.#queue.waiting(switchIds)
      for (const place of places) {
        if (place._id.equals(id)) continue
        for (const chain of place.switchIds.map((switchId) => switchId.toHexString()))
          if (chains.has(chain)) this.#contention.noticed(chain)
      }
      const position = places.findIndex(({ _id }) => _id.equals(id))
      if (position === 0) return true
      this.#giveUpLate()
      if (this.#waiting.length === 0) return false
      if (position === -1 || performance.now() - renewedMs >= renewEveryMs) {
        renewedMs = performance.now()
        await this.#queue.join(id, switchIds)
      }
      await sleep(Math.min(shortestPauseMs * 4 ** (Math.max(position, 1) - 1), longestPauseMs))
    }
  }

  #giveUpLate(): void {
    const now = performance.now()
    const late = this.#waiting.filter(({ deadlineMs }) => deadlineMs <= now)
    if (late.length === 0) return
    this.#waiting = this.#waiting.filter(({ deadlineMs }) => deadlineMs > now)
    for (const { reject } of late) reject(contentionError())
  }

  #begin(id: ObjectId, chains: ReadonlySet<string>): void {
    // One that fails is made up for by the next; a turn that was lost costs collisions.
    const renewal = setInterval(() => void this.#queue.renew(id).catch(() => undefined), renewEveryMs)
    renewal.unref()
    const idle = setTimeout(() => this.#end(), idleMs)
    const unread = new Set(chains)
    this.#turn = { id, chains, unread, endsMs: Number.POSITIVE_INFINITY, renewal, idle, users: 0, isOver: false }
  }

  /** A place that cannot be given up expires. */
  async #leave(id: ObjectId): Promise<void> {
    try {
      await this.#queue.leave(id)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#database.logger.debug({ reason }, 'a place in the queue of ledger writers was left to expire')
    }
  }
}

/** What a writer gives up with. */
export function contentionError(): DatabaseError {
  return new DatabaseError(
    'CONTENTION',
    'Others have appended to the same chains all the time: append the events again, with the same idempotency keys',
    { retryable: true },
  )
}
