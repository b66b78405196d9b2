import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../core/database.js'
import type { Input } from '../../core/entity.js'
import { redactCredentials } from '../../core/redact.js'
import { type Changes, change } from '../../core/repository/changes.js'
import { Repository } from '../../core/repository/repository.js'
import { within } from '../../core/within.js'
import type { Anchor } from './anchor.js'
import type { AnchorState, anchorEntity, StoredCheckpoint } from './log-entities.js'
import { consistencyPath } from './merkle-proof.js'
import { formatNote, parseNote } from './signed-note.js'
import type { TransparencyLog } from './transparency-log.js'

type AnchorInput = Input<typeof anchorEntity>

const attempts = 3
const firstPauseMs = 200
const longestAttemptMs = 30_000

/** How an anchor is doing. */
export interface AnchorStatus {
  readonly name: string
  /** The size of the newest checkpoint that it keeps; 0 if it keeps none. */
  readonly size: number
  readonly anchoredAt: Date | null
  /** Attempts that have failed since then. */
  readonly failures: number
  readonly lastError: string | null
}

/** Gives checkpoints to the anchors, tries again what fails, and remembers how far each has come. */
export class AnchorKeeper {
  readonly #database: Database
  readonly #log: TransparencyLog
  readonly #anchors: readonly Anchor[]
  readonly #limitMs: number
  readonly #states: Repository<AnchorState, AnchorInput>

  /** @param limitMs What one attempt may take: an anchor that never answers must not keep the next checkpoint from being made. */
  constructor(
    database: Database,
    entity: typeof anchorEntity,
    log: TransparencyLog,
    anchors: readonly Anchor[],
    limitMs = longestAttemptMs,
  ) {
    this.#limitMs = limitMs
    this.#database = database
    this.#log = log
    this.#anchors = anchors
    this.#states = new Repository<AnchorState, AnchorInput>(database, entity)
  }

  /** Gives the checkpoint to every anchor that does not keep it yet. A failure is noted, and never thrown. */
  async publish(checkpoint: StoredCheckpoint): Promise<void> {
    await Promise.all(this.#anchors.map((anchor) => this.#publishTo(anchor, checkpoint)))
  }

  async status(): Promise<AnchorStatus[]> {
    const states = new Map((await this.#states.find({}, { limit: 1000 })).map((state) => [state.name, state]))
    return this.#anchors.map(({ name }) => {
      const { size = 0, anchoredAt = null, failures = 0, lastError = null } = states.get(name) ?? {}
      return { name, size, anchoredAt, failures, lastError }
    })
  }

  async #publishTo(anchor: Anchor, checkpoint: StoredCheckpoint): Promise<void> {
    const state = await this.#states.upsert({ name: anchor.name }, await this.#known(anchor))
    if (state.size >= checkpoint.size) return
    for (let attempt = 1; ; attempt += 1) {
      try {
        const lines = await this.#inTime(anchor.publish(this.#published(checkpoint)))
        if (lines !== undefined && lines.length > 0) await this.#cosign(checkpoint.size, lines)
        const anchoredAt = this.#database.clock.now()
        await this.#note(anchor, { size: checkpoint.size, anchoredAt, failures: 0, lastError: change.unset() })
        return
      } catch (error) {
        // Another process may have given it a newer one meanwhile.
        if ((await this.#known(anchor)).size >= checkpoint.size) return
        const reason = redactCredentials(error instanceof Error ? error.message : String(error)).slice(0, 1000)
        await this.#note(anchor, { failures: state.failures + attempt, lastError: reason })
        this.#database.logger.warn({ anchor: anchor.name, attempt, reason }, 'a checkpoint could not be anchored')
        if (attempt >= attempts) return
        await sleep(firstPauseMs * 4 ** (attempt - 1), undefined, { signal: this.#database.closing }).catch(
          () => undefined,
        )
      }
    }
  }

  async #inTime<Result>(attempt: Promise<Result>): Promise<Result> {
    if (!(await within(this.#limitMs, attempt))) throw new Error(`no answer within ${this.#limitMs} ms`)
    return attempt
  }

  async #known(anchor: Anchor) {
    const state = await this.#states.findOne({ name: anchor.name })
    return { name: anchor.name, size: state?.size ?? 0, failures: state?.failures ?? 0 }
  }

  async #note(anchor: Anchor, changes: Changes<AnchorState, AnchorInput>): Promise<void> {
    const { _id } = await this.#states.upsert({ name: anchor.name }, await this.#known(anchor))
    await this.#states.update(_id, changes)
  }

  #published({ note, size }: StoredCheckpoint) {
    return {
      note,
      size,
      consistencyFrom: async (from: number) => {
        if (from === 0 || from === size) return []
        const hashes = await this.#log.tiles.rootsOf(consistencyPath(from, size))
        return hashes.map((hash) => hash.toString('base64'))
      },
    }
  }

  /** Adds the signatures of witnesses to the stored checkpoint; others may be adding theirs. */
  async #cosign(size: number, lines: readonly string[]): Promise<void> {
    for (;;) {
      const stored = await this.#log.checkpoints.ofSize(size)
      if (stored === null) return
      const missing = lines.filter((line) => !stored.note.includes(`${line}\n`))
      if (missing.length === 0) return
      const note = `${stored.note}${missing.map((line) => `${line}\n`).join('')}`
      // What is no signature line is not stored.
      if (formatNote(parseNote(note)) !== note) return
      if (await this.#log.checkpoints.addSignatures(size, stored.note, note)) return
    }
  }
}
