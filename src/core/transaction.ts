import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientSession, MongoClient, TransactionOptions } from 'mongodb'
import { AsyncContext } from './async-context.js'
import { DatabaseError } from './errors.js'
import { hasErrorLabel, translateError } from './translate-error.js'

/** As long as the drivers' own `withTransaction` does. */
const retryForMs = 120_000
const commitAttempts = 5
const transactionOptions: TransactionOptions = {
  readConcern: { level: 'snapshot' },
  writeConcern: { w: 'majority' },
  readPreference: 'primary',
}

interface Failure {
  readonly error: unknown
  /** The error of later calls. */
  readonly refusal: DatabaseError
}

/** Operations that wait for each other: a session can serve only one at a time. */
class OperationQueue {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs one operation after those before it. */
  add<Result>(operation: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(operation)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Waits until the operations that were begun have ended, those begun meanwhile included. */
  async drain(): Promise<void> {
    let seen: unknown
    while (seen !== this.#last) {
      seen = this.#last
      await this.#last
    }
  }
}

/** One running transaction. */
class Transaction {
  /** Set once the transaction has ended: calls that come later were not awaited by its callback. */
  ended = false
  readonly #afterCommit: (() => void)[] = []
  #failure: Failure | undefined

  constructor(readonly session: ClientSession) {}

  /** @throws DatabaseError `TRANSACTION` if the transaction has ended or failed. */
  requireRunning(): void {
    if (this.ended) throw lateCall()
    if (this.#failure !== undefined) throw this.#failure.refusal
  }

  /** The first failure dooms the transaction, caught or not: MongoDB has aborted it, or it is half done. */
  fail(error: unknown): void {
    this.#failure ??= { error, refusal: refusal() }
  }

  /** @throws what made the transaction fail, if something did. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** What the error that came out of the callback goes back to: a failure that it only reports, or that is worth another try. */
  originOf(error: unknown): unknown {
    if (this.#failure === undefined) return error
    const isOrigin = error === this.#failure.refusal || hasErrorLabel(this.#failure.error, 'TransientTransactionError')
    return isOrigin ? this.#failure.error : error
  }

  onCommit(task: () => void): void {
    this.#afterCommit.push(task)
  }

  committed(): void {
    for (const task of this.#afterCommit) task()
  }
}

function refusal(): DatabaseError {
  return new DatabaseError('TRANSACTION', 'An earlier call in this transaction failed, so nothing of it will be stored')
}

function lateCall(): DatabaseError {
  return new DatabaseError(
    'TRANSACTION',
    'The transaction that this call belongs to has ended; await every call inside the transaction callback',
  )
}

/** Where a call is made: in which transaction, and which calls it has to wait for. */
interface Scope {
  readonly transaction: Transaction
  /** Of the transaction's own calls; of an operation that makes calls itself, those of that operation. */
  readonly queue: OperationQueue
}

/**
 * The transactions of one handle. The running one travels with the asynchronous context, so calls of another handle,
 * and calls outside the callback, do not see it.
 */
export class Transactions {
  readonly #running = new AsyncContext<Scope | undefined>()
  readonly #client: () => MongoClient
  readonly #refuseStandalone: () => Promise<void>

  constructor(client: () => MongoClient, refuseStandalone: () => Promise<void>) {
    this.#client = client
    this.#refuseStandalone = refuseStandalone
  }

  /** The session of the transaction that the caller is in. */
  get session(): ClientSession | undefined {
    return this.#running.value?.transaction.session
  }

  /** Runs one operation: in the caller's transaction, in its turn, or on its own. */
  execute<Result>(operation: (session: ClientSession | undefined) => Promise<Result>): Promise<Result> {
    const scope = this.#running.value
    if (scope === undefined) return operation(undefined)
    return scope.queue.add(() => this.#runIn(scope.transaction, operation))
  }

  /** Calls that the operation makes itself run inside it, in a queue of their own: in that of the operation they would wait for it. */
  async #runIn<Result>(
    transaction: Transaction,
    operation: (session: ClientSession) => Promise<Result>,
  ): Promise<Result> {
    transaction.requireRunning()
    const queue = new OperationQueue()
    try {
      return await this.#running.run({ transaction, queue }, () => operation(transaction.session))
    } catch (error) {
      transaction.fail(error)
      throw error
    } finally {
      await queue.drain()
    }
  }

  /** Calls the task once the caller's transaction has committed, or now if there is none. */
  afterCommit(task: () => void): void {
    const scope = this.#running.value
    if (scope === undefined) task()
    else scope.transaction.onCommit(task)
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
    if (typeof work !== 'function') throw new DatabaseError('CONFIGURATION', 'A transaction takes a function')
    const outer = this.#running.value
    if (outer !== undefined) return this.#join(outer.transaction, work)
    await this.#refuseStandalone()
    const deadlineMs = performance.now() + retryForMs
    const session = this.#client().startSession()
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await this.#attempt(session, work)
        } catch (error) {
          if (!hasErrorLabel(error, 'TransientTransactionError') || performance.now() > deadlineMs)
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
      outer.fail(error)
      throw error
    }
  }

  async #attempt<Result>(session: ClientSession, work: () => Promise<Result>): Promise<Result> {
    session.startTransaction(transactionOptions)
    const transaction = new Transaction(session)
    const result = await this.#untilCommitted(transaction, work)
    transaction.committed()
    return result
  }

  async #untilCommitted<Result>(transaction: Transaction, work: () => Promise<Result>): Promise<Result> {
    const { session } = transaction
    const queue = new OperationQueue()
    try {
      const result = await this.#running.run({ transaction, queue }, work)
      await queue.drain()
      transaction.ended = true
      transaction.throwFailure()
      await commit(session)
      return result
    } catch (error) {
      await queue.drain()
      transaction.ended = true
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined)
      throw transaction.originOf(error)
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
      if (!hasErrorLabel(error, 'UnknownTransactionCommitResult')) throw error
      if (attempt >= commitAttempts) throw unknownOutcome(error)
      await pause(attempt)
    }
  }
}

function unknownOutcome(error: unknown): DatabaseError {
  return new DatabaseError(
    'TRANSACTION',
    'The connection was lost while the transaction was being committed, and it is not known whether it was: look before doing it again',
    { cause: translateError(error) },
  )
}

/** Waits with jitter, so that transactions that collided do not collide again. */
function pause(attempt: number): Promise<void> {
  return sleep(Math.random() * Math.min(5 * 2 ** attempt, 500))
}
