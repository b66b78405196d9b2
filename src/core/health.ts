import type { Document, MongoClient } from 'mongodb'
import type { Database } from './database.js'
import { DatabaseError } from './errors.js'
import { listen } from './listen.js'
import type { PeriodicStatus } from './periodic.js'
import type { Notice } from './self-check/notice.js'
import { settlesWithin } from './settles-within.js'
import { translateError } from './translate-error.js'

export interface PoolUse {
  /** Open connections; of a borrowed connection those that were used since it was borrowed. */
  readonly size: number
  readonly checkedOut: number
  /** Operations that wait for a connection. */
  readonly waiting: number
}

export interface Health {
  readonly status: 'up' | 'down'
  /** The time of one round trip; null while the database is down. */
  readonly latencyMs: number | null
  readonly replicaSet: {
    readonly name: string
    readonly isWritablePrimary: boolean
    readonly primary: string | null
    readonly hosts: readonly string[]
  } | null
  readonly pool: PoolUse
  /** What is not as it should be although nothing fails: each says what to do. Empty while the database is down. */
  readonly notices: readonly Notice[]
  /** What this handle does every so often, and how it goes. */
  readonly periodicWork: readonly PeriodicStatus[]
  /** Why the database is down; names no credentials. */
  readonly reason: string | null
}

type PoolEvent = { readonly address: string; readonly connectionId?: number | string }

/** Counts the connections of a client's pool from the driver's events. */
export class PoolMonitor {
  readonly #open = new Set<string>()
  readonly #checkedOut = new Set<string>()
  #waiting = 0
  /** Stops counting. */
  readonly stop: () => void

  constructor(client: MongoClient) {
    this.stop = listen(client, [
      ['connectionCreated', (event) => void this.#open.add(nameOf(event))],
      ['connectionClosed', (event) => this.#closed(nameOf(event))],
      ['connectionCheckOutStarted', () => this.#wait(1)],
      ['connectionCheckOutFailed', () => this.#wait(-1)],
      ['connectionCheckedOut', (event) => this.#taken(nameOf(event))],
      ['connectionCheckedIn', (event) => void this.#checkedOut.delete(nameOf(event))],
    ])
  }

  use(): PoolUse {
    return { size: this.#open.size, checkedOut: this.#checkedOut.size, waiting: Math.max(0, this.#waiting) }
  }

  #wait(more: 1 | -1): void {
    this.#waiting += more
  }

  #taken(connection: string): void {
    this.#wait(-1)
    this.#open.add(connection)
    this.#checkedOut.add(connection)
  }

  #closed(connection: string): void {
    this.#open.delete(connection)
    this.#checkedOut.delete(connection)
  }
}

function nameOf(event: unknown): string {
  const { address, connectionId } = event as PoolEvent
  return `${address} ${String(connectionId)}`
}

/** A server that hangs keeps its connections open, and would be waited for as long as an operation may take. */
const limitMs = 5_000

/** Asks the server how it is, and waits for the answer for five seconds at most. Never throws: a database that cannot be asked is down. */
export async function checkHealth(database: Database, pool: PoolMonitor): Promise<Health> {
  const startedMs = performance.now()
  try {
    const hello = await database.transactions.outside(() => askServer(database))
    const latencyMs = Math.round((performance.now() - startedMs) * 1000) / 1000
    const use = pool.use()
    const notices = await database.transactions.outside(() => noticesOf(database))
    const periodicWork = database.periodic.status()
    return { status: 'up', latencyMs, replicaSet: replicaSetOf(hello), pool: use, notices, periodicWork, reason: null }
  } catch (error) {
    const translated = translateError(error)
    const reason = translated instanceof Error ? translated.message : String(translated)
    const periodicWork = database.periodic.status()
    return { status: 'down', latencyMs: null, replicaSet: null, pool: pool.use(), notices: [], periodicWork, reason }
  }
}

/** A set without a primary is up too, if only to be read. */
async function askServer(database: Database): Promise<Document> {
  database.requireOpen()
  const command = { hello: 1, maxTimeMS: limitMs }
  const answer = database.native.admin().command(command, { readPreference: 'primaryPreferred' })
  if (!(await settlesWithin(limitMs, answer))) {
    throw new DatabaseError('TIMEOUT', `The database has not answered within ${limitMs} ms`)
  }
  return answer
}

/** Those that are found in time. */
async function noticesOf(database: Database): Promise<Notice[]> {
  const notices = database.selfCheck.notices()
  return (await settlesWithin(limitMs, notices)) ? notices : []
}

function replicaSetOf({ setName, isWritablePrimary, primary, hosts }: Document): Health['replicaSet'] {
  if (typeof setName !== 'string') return null
  return {
    name: setName,
    isWritablePrimary: isWritablePrimary === true,
    primary: typeof primary === 'string' ? primary : null,
    hosts: Array.isArray(hosts) ? hosts.map(String) : [],
  }
}
