import type { MongoClient } from 'mongodb'
import type { Database } from './database.js'
import { translateError } from './translate-error.js'

export interface PoolUse {
  /** Connections that are open; null for a borrowed connection, whose beginning was not seen. */
  readonly size: number | null
  readonly checkedOut: number
  readonly waiting: number
}

export interface Health {
  readonly status: 'up' | 'down'
  /** The time of one round trip; null while the database is down. */
  readonly latencyMs: number | null
  readonly replicaSet: { readonly name: string; readonly isWritablePrimary: boolean; readonly primary: string | null; readonly hosts: readonly string[] } | null
  readonly pool: PoolUse
  /** Why the database is down; names no credentials. */
  readonly reason: string | null
}

/** Counts the connections of a client's pool from the driver's events. */
export class PoolMonitor {
  #open = 0
  #checkedOut = 0
  #waiting = 0
  readonly #sawBeginning: boolean
  readonly #listeners: readonly (readonly [string, () => void])[]
  readonly #client: MongoClient

  constructor(client: MongoClient, sawBeginning: boolean) {
    this.#client = client
    this.#sawBeginning = sawBeginning
    this.#listeners = [
      ['connectionCreated', () => (this.#open += 1)],
      ['connectionClosed', () => (this.#open -= 1)],
      ['connectionCheckOutStarted', () => (this.#waiting += 1)],
      ['connectionCheckOutFailed', () => (this.#waiting -= 1)],
      ['connectionCheckedOut', () => { this.#waiting -= 1; this.#checkedOut += 1 }],
      ['connectionCheckedIn', () => (this.#checkedOut -= 1)],
    ]
    for (const [event, listener] of this.#listeners) client.on(event as never, listener as never)
  }

  use(): PoolUse {
    return {
      size: this.#sawBeginning ? this.#open : null,
      checkedOut: Math.max(0, this.#checkedOut),
      waiting: Math.max(0, this.#waiting),
    }
  }

  stop(): void {
    for (const [event, listener] of this.#listeners) this.#client.off(event as never, listener as never)
  }
}

/** Asks the server how it is. Never throws: a database that cannot be asked is down. */
export async function checkHealth(database: Database, pool: PoolMonitor): Promise<Health> {
  const startedMs = performance.now()
  try {
    const hello = await database.transactions.outside(() => database.native.admin().command({ hello: 1 }))
    const latencyMs = Math.round((performance.now() - startedMs) * 1000) / 1000
    const name: unknown = hello['setName']
    const replicaSet =
      typeof name === 'string'
        ? { name, isWritablePrimary: hello['isWritablePrimary'] === true, primary: (hello['primary'] as string | undefined) ?? null, hosts: (hello['hosts'] as string[] | undefined) ?? [] }
        : null
    return { status: 'up', latencyMs, replicaSet, pool: pool.use(), reason: null }
  } catch (error) {
    const reason = translateError(error)
    return { status: 'down', latencyMs: null, replicaSet: null, pool: pool.use(), reason: reason instanceof Error ? reason.message : String(reason) }
  }
}
