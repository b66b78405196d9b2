import { setTimeout as sleep } from 'node:timers/promises'
import type { AutoVolt } from '@autovolt/data'
import type { Ingestion } from '@autovolt/data/mqtt'

const windowMs = 10_000
const patienceMs = 2_000

/** How ingestion and the database are doing, with the rate of the last seconds. */
export class IngestionMonitor {
  readonly #volt: AutoVolt
  readonly #ingestion: Ingestion
  readonly #servers: { readonly database: string; readonly broker: string }
  readonly #received: { readonly atMs: number; readonly count: number }[] = []

  constructor(volt: AutoVolt, ingestion: Ingestion, servers: { readonly database: string; readonly broker: string }) {
    this.#volt = volt
    this.#ingestion = ingestion
    this.#servers = servers
  }

  async read() {
    const status = this.#ingestion.status()
    const { status: database, latencyMs, replicaSet, reason } = await Promise.race([this.#volt.health(), silence()])
    return {
      ...status,
      messagesPerSecond: this.#rate(status.received),
      servers: this.#servers,
      database: {
        status: database,
        latencyMs: latencyMs === null ? null : Math.round(latencyMs * 10) / 10,
        replicaSet: replicaSet?.name ?? null,
        reason,
      },
    }
  }

  #rate(count: number): number {
    const atMs = performance.now()
    this.#received.push({ atMs, count })
    while ((this.#received[0]?.atMs ?? atMs) < atMs - windowMs) this.#received.shift()
    const oldest = this.#received[0]
    if (oldest === undefined || oldest.atMs === atMs) return 0
    return Math.round(((count - oldest.count) / (atMs - oldest.atMs)) * 10_000) / 10
  }
}

/** A server that hangs keeps its connections and says nothing: the page cannot wait for it. */
async function silence() {
  await sleep(patienceMs, undefined, { ref: false })
  return { status: 'down', latencyMs: null, replicaSet: null, reason: 'it does not answer' } as const
}
