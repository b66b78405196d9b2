import { type AutoVolt, DatabaseError } from '@autovolt/data'
import type { BackupStorage } from '@autovolt/data/backup'

const shownBackups = 4

export interface BackupSettings {
  /** A backup that is older than this is too old. */
  readonly oldAfterMs: number
}

/** What is known of a drill that this app has made. */
interface Drill {
  readonly at: Date
  readonly valid: boolean
  readonly documents: number
  readonly durationMs: number
}

/** The backups of the app's database: what there is, and one more, or a drill, when somebody presses a button. */
export class Backups {
  readonly #volt: AutoVolt
  readonly #storage: BackupStorage
  readonly #settings: BackupSettings
  #underWay: Promise<unknown> | undefined
  #drill: Drill | undefined

  constructor(volt: AutoVolt, storage: BackupStorage, settings: BackupSettings) {
    this.#volt = volt
    this.#storage = storage
    this.#settings = settings
  }

  /** Backs up the database, and reads the backup back. */
  make(): Promise<void> {
    return this.#alone(async () => {
      const { id } = await this.#volt.backup.create({ storage: this.#storage })
      await this.#volt.backup.verify({ storage: this.#storage, backup: id })
    })
  }

  /** Restores the newest backup on trial. */
  drill(): Promise<void> {
    return this.#alone(async () => {
      const startedMs = performance.now()
      const { valid, collections } = await this.#volt.backup.restoreDrill({ storage: this.#storage })
      const documents = collections.reduce((sum, one) => sum + (one.documents ?? 0), 0)
      this.#drill = { at: new Date(), valid, documents, durationMs: Math.round(performance.now() - startedMs) }
    })
  }

  async view() {
    const [status, backups] = [await this.#volt.backup.status(), await this.#volt.backup.list(this.#storage)]
    return {
      lastSuccessAt: status.lastSuccessAt,
      oldAfterMs: this.#settings.oldAfterMs,
      failures: status.failures,
      lastError: status.lastError,
      lastDrillAt: status.lastDrillAt,
      reachableUntil: status.slices?.reachableUntil ?? null,
      drill: this.#drill ?? null,
      backups: backups
        .toReversed()
        .slice(0, shownBackups)
        .map(({ id, state, startedAt, bytes, content }) => {
          return { id, state, startedAt, bytes, documents: content?.documents ?? null }
        }),
    }
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    await this.#underWay?.catch(() => undefined)
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#underWay !== undefined)
      throw new DatabaseError('CONFLICT', 'A backup or a drill is under way', { retryable: true })
    this.#underWay = work()
    try {
      await this.#underWay
    } finally {
      this.#underWay = undefined
    }
  }
}
