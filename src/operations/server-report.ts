import type { Document } from 'mongodb'
import { isRecord } from '../core/is-record.js'
import { type Admin, numberOf } from './admin.js'

/** How many operations of each kind. */
export type OperationCounts = Readonly<Record<'insert' | 'query' | 'update' | 'delete' | 'getmore' | 'command', number>>

export interface NetworkCounts {
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly requests: number
}

/** Server report: what one server says of itself. */
export interface ServerReport {
  readonly version: string
  /** Such as `wiredTiger`. */
  readonly storageEngine: string
  readonly upSeconds: number
  readonly connections: { readonly current: number; readonly available: number; readonly totalCreated: number }
  readonly memory: { readonly residentMb: number; readonly virtualMb: number }
  readonly cache: { readonly usedBytes: number; readonly maximumBytes: number; readonly dirtyBytes: number }
  /** Since the server started. */
  readonly operations: OperationCounts
  readonly network: NetworkCounts
  /** Since this handle last looked; null at the first look, and after the server has started again. */
  readonly sinceLastLook: {
    readonly seconds: number
    readonly operations: OperationCounts
    readonly network: NetworkCounts
  } | null
}

interface Look {
  readonly upSeconds: number
  readonly operations: OperationCounts
  readonly network: NetworkCounts
}

/** Reads `serverStatus`, and keeps the last look of this handle. */
export class ServerStatus {
  readonly #admin: Admin
  #last: Look | undefined

  constructor(admin: Admin) {
    this.#admin = admin
  }

  async report(): Promise<ServerReport> {
    const status = await this.#admin.runOnServer({ serverStatus: 1 })
    const look = lookOf(status)
    const sinceLastLook = this.#last === undefined ? null : difference(look, this.#last)
    this.#last = look
    const { connections, mem, wiredTiger, storageEngine } = status
    const cache = isRecord(wiredTiger) && isRecord(wiredTiger.cache) ? wiredTiger.cache : {}
    return {
      version: String(status.version),
      storageEngine: String(storageEngine?.name ?? 'unknown'),
      upSeconds: look.upSeconds,
      connections: {
        current: numberOf(connections?.current),
        available: numberOf(connections?.available),
        totalCreated: numberOf(connections?.totalCreated),
      },
      memory: { residentMb: numberOf(mem?.resident), virtualMb: numberOf(mem?.virtual) },
      cache: {
        usedBytes: numberOf(cache['bytes currently in the cache']),
        maximumBytes: numberOf(cache['maximum bytes configured']),
        dirtyBytes: numberOf(cache['tracked dirty bytes in the cache']),
      },
      operations: look.operations,
      network: look.network,
      sinceLastLook,
    }
  }
}

function lookOf({ uptimeMillis, opcounters = {}, network = {} }: Document): Look {
  return {
    upSeconds: numberOf(uptimeMillis) / 1000,
    operations: countsOf((name) => numberOf(opcounters[name])),
    network: {
      receivedBytes: numberOf(network.bytesIn),
      sentBytes: numberOf(network.bytesOut),
      requests: numberOf(network.numRequests),
    },
  }
}

function difference(now: Look, then: Look): ServerReport['sinceLastLook'] {
  const seconds = now.upSeconds - then.upSeconds
  if (seconds <= 0) return null
  return {
    seconds,
    operations: countsOf((name) => now.operations[name] - then.operations[name]),
    network: {
      receivedBytes: now.network.receivedBytes - then.network.receivedBytes,
      sentBytes: now.network.sentBytes - then.network.sentBytes,
      requests: now.network.requests - then.network.requests,
    },
  }
}

function countsOf(count: (name: keyof OperationCounts) => number): OperationCounts {
  return {
    insert: count('insert'),
    query: count('query'),
    update: count('update'),
    delete: count('delete'),
    getmore: count('getmore'),
    command: count('command'),
  }
}
