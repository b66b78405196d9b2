import { AsyncLocalStorage } from 'node:async_hooks'
import type { ClientSession, MongoClient, TransactionOptions } from 'mongodb'
import { DatabaseError } from './errors.js'
import { hasErrorLabel, translateError } from './translate-error.js'

const maximumAttempts = 10
const commitAttempts = 5
const transactionOptions: TransactionOptions = {
  readConcern: { level: 'snapshot' },
  writeConcern: { w: 'majority' },
  readPreference: 'primary',
}

/** One running transaction: its session, and the queue in which its operations wait for each other. */
class Transaction {
  /** Set once the transaction has ended: calls that come later were not awaited by its callback. */
  ended = false
  /** The first failure inside: MongoDB has aborted, or a joined callback has failed; it cannot be committed any more. */
  failure: unknown
  readonly #afterCommit: (() => void)[] = []
  #queue: Promise<unknown> = Promise.resolve()

  constructor(readonly session: ClientSession) {}

  /** Runs one operation after those before it: a session can serve only one at a time. */
  enqueue<Result>(operation: (session: ClientSession) => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(() => {
      if (this.ended) throw lateCall()
      return operation(this.session)
    })
    this.#queue = result.catch(() => undefined)
    return result
  }

  /** Waits until the operations that were begun have ended, those begun meanwhile included. */
  async drain(): Promise<void> {
    let seen: unknown
    while (seen !== this.#queue) {
      seen = this.#queue
      await this.#queue
    }
  }

  onCommit(task: () => void): void {
    this.#afterCommit.push(task)
  }

  committed(): void {
    for (const task of this.#afterCommit) task()
  }
}

function lateCall(): DatabaseError {
  return new DatabaseError(
    'TRANSACTION',
    'The transaction that this call belongs to has ended; await every call inside the transaction callback',
  )
}

/**
 * The transactions of one handle. The running one travels with the asynchronous context, so calls of another handle,
 * and calls outside the callback, do not see it.
 */
export class Transactions {
  readonly #running = new AsyncLocalStorage<Transaction | undefined>()
  readonly #client: () => MongoClient
  readonly #refuseStandalone: () => Promise<void>

  constructor(client: () => MongoClient, refuseStandalone: () => Promise<void>) {
    this.#client = client
    this.#refuseStandalone = refuseStandalone
  }

  /** The session of the transaction that the caller is in. */
  get session(): ClientSession | undefined {
    return this.#running.getStore()?.session
  }

  /** Runs one operation: in the caller's transaction, in its turn, or on its own. */
  execute<Result>(operation: (session: ClientSession | undefined) => Promise<Result>): Promise<Result> {
    const transaction = this.#running.getStore()
    if (transaction === undefined) return operation(undefined)
    return transaction.enqueue(operation)
  }

  /** Calls the task once the caller's transaction has committed, or now if there is none. */
  afterCommit(task: () => void): void {
    const transaction = this.#running.getStore()
    if (transaction === undefined) task()
    else transaction.onCommit(task)
  }

  /** Runs the work outside the caller's transaction, if there is one. */
  outside<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#running.run(undefined, work)
  }

  /**
   * Runs the work in a transaction; inside another of the same handle it joins that one. Work that meets a transient
   * error is run again from the start, so it must have no effects outside the database.
   */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const outer = this.#running.getStore()
    if (outer !== undefined) return this.#join(outer, work)
    await this.#refuseStandalone()
    const session = this.#client().startSession()
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await this.#attempt(session, work)
        } catch (error) {
          if (attempt >= maximumAttempts || !hasErrorLabel(error, 'TransientTransactionError'))
            throw translateError(error)
          await pause(attempt)
        }
      }
    } finally {
      await session.endSession()
    }
  }

  async #join<Result>(outer: Transaction, work: () => Promise<Result>): Promise<Result> {
    if (outer.ended) throw lateCall()
    try {
      return await work()
    } catch (error) {
      outer.failure ??= error
      throw error
    }
  }

  async #attempt<Result>(session: ClientSession, work: () => Promise<Result>): Promise<Result> {
    session.startTransaction(transactionOptions)
    const transaction = new Transaction(session)
    try {
      const result = await this.#running.run(transaction, work)
      await transaction.drain()
      transaction.ended = true
      if (transaction.failure !== undefined) throw transaction.failure
      await commit(session)
      transaction.committed()
      return result
    } catch (error) {
      await transaction.drain()
      transaction.ended = true
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined)
      throw error
    }
  }
}

/** Commits; a commit whose outcome is unknown is repeated, which MongoDB makes safe. */
async function commit(session: ClientSession): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await session.commitTransaction()
      return
    } catch (error) {
      if (attempt >= commitAttempts || !hasErrorLabel(error, 'UnknownTransactionCommitResult')) throw error
      await pause(attempt)
    }
  }
}

/** Waits with jitter, so that transactions that collided do not collide again. */
function pause(attempt: number): Promise<void> {
  const limitMs = Math.min(5 * 2 ** attempt, 500)
  return new Promise((resolve) => setTimeout(resolve, Math.random() * limitMs))
}
