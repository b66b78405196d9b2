import type { MongoClient } from 'mongodb'
import type { Database } from './database.js'
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
  /** Why the database is down; names no credentials. */
  readonly reason: string | null
}

type PoolEvent = { readonly address: string; readonly connectionId?: number | string }

/** Counts the connections of a client's pool from the driver's events. */
export class PoolMonitor {
  readonly #open = new Set<string>()
  readonly #checkedOut = new Set<string>()
  #waiting = 0
  readonly #client: MongoClient
  readonly #listeners: readonly (readonly [string, (event: PoolEvent) => void])[]

  constructor(client: MongoClient) {
    this.#client = client
    this.#listeners = [
      ['connectionCreated', (event) => void this.#open.add(nameOf(event))],
      ['connectionClosed', (event) => this.#closed(nameOf(event))],
      ['connectionCheckOutStarted', () => this.#wait(1)],
      ['connectionCheckOutFailed', () => this.#wait(-1)],
      ['connectionCheckedOut', (event) => this.#taken(nameOf(event))],
      ['connectionCheckedIn', (event) => void this.#checkedOut.delete(nameOf(event))],
    ]
    for (const [event, listener] of this.#listeners) client.on(event as never, listener as never)
  }

  use(): PoolUse {
    return { size: this.#open.size, checkedOut: this.#checkedOut.size, waiting: Math.max(0, this.#waiting) }
  }

  stop(): void {
    for (const [event, listener] of this.#listeners) this.#client.off(event as never, listener as never)
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

function nameOf({ address, connectionId }: PoolEvent): string {
  return `${address} ${String(connectionId)}`
}

/** Asks the server how it is. Never throws: a database that cannot be asked is down. */
export async function checkHealth(database: Database, pool: PoolMonitor): Promise<Health> {
  const startedMs = performance.now()
  try {
    const hello = await database.transactions.outside(() => database.native.admin().command({ hello: 1 }))
    const latencyMs = Math.round((performance.now() - startedMs) * 1000) / 1000
    const name: unknown = hello.setName
    const replicaSet =
      typeof name === 'string'
        ? {
            name,
            isWritablePrimary: hello.isWritablePrimary === true,
            primary: (hello.primary as string | undefined) ?? null,
            hosts: (hello.hosts as string[] | undefined) ?? [],
          }
        : null
    return { status: 'up', latencyMs, replicaSet, pool: pool.use(), reason: null }
  } catch (error) {
    const reason = translateError(error)
    return {
      status: 'down',
      latencyMs: null,
      replicaSet: null,
      pool: pool.use(),
      reason: reason instanceof Error ? reason.message : String(reason),
    }
  }
}
