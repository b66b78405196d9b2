import { setTimeout as sleep } from 'node:timers/promises'
import type { Document } from 'mongodb'
import type { Database } from '../../core/database.js'

/** How often the lag is asked for while a backfill runs, and while it waits. */
const everyMs = 1_000
const secondary = 2

/** Replication lag: how far the slowest secondary is behind, for work that is not to leave it further behind. */
export class ReplicationLag {
  readonly #database: Database
  #askedMs = Number.NEGATIVE_INFINITY

  constructor(database: Database) {
    this.#database = database
  }

  /** Waits until no secondary is behind by more than this, or the signal is aborted. Asks once a second at most. */
  async settle(maximumLagMs: number, signal: AbortSignal): Promise<void> {
    if (performance.now() - this.#askedMs < everyMs) return
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      this.#askedMs = performance.now()
      const lagMs = await this.#measure()
      if (lagMs <= maximumLagMs) return
      if (isFirst) this.#database.logger.warn({ lagMs, maximumLagMs }, 'a backfill waits for a secondary')
      await sleep(everyMs, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Milliseconds; 0 where the deployment does not say. */
  async #measure(): Promise<number> {
    const admin = this.#database.native.admin()
    try {
      const [status, config] = [
        await admin.command({ replSetGetStatus: 1 }),
        await admin.command({ replSetGetConfig: 1 }),
      ]
      return lagOfMembers(status.members ?? [], config.config?.members ?? [])
    } catch {
      // The role lacks clusterMonitor, or this is a mongos: what every client may know is how far the majority is.
      return lagOfMajority(await admin.command({ hello: 1 }).catch(() => ({})))
    }
  }
}

/** Members that are down are not waited for, nor those that are behind on purpose. */
function lagOfMembers(members: readonly Document[], configured: readonly Document[]): number {
  const delayed = new Set(
    configured.filter(({ secondaryDelaySecs }) => Number(secondaryDelaySecs) > 0).map(({ _id }) => _id),
  )
  const times = (those: readonly Document[]) => those.map(({ optimeDate }) => Number(optimeDate))
  const behind = members.filter(({ _id, state, health }) => state === secondary && health === 1 && !delayed.has(_id))
  if (behind.length === 0) return 0
  return Math.max(...times(members)) - Math.min(...times(behind))
}

function lagOfMajority({ lastWrite }: Document): number {
  const lagMs = Number(lastWrite?.lastWriteDate) - Number(lastWrite?.majorityWriteDate)
  return Number.isFinite(lagMs) ? lagMs : 0
}
