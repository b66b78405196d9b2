import { setTimeout as sleep } from 'node:timers/promises'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { StoreUpdate } from '../../core/collection/store-query.js'
import type { Database } from '../../core/database.js'
import { redactCredentials } from '../../core/redact.js'
import { settlesWithin } from '../../core/settles-within.js'
import type { Anchor } from './anchor.js'
import { type AnchorAnswer, askAnchors } from './ask-anchors.js'
import { parseTreeHead } from './checkpoint-text.js'
import type { AnchorState, anchorEntity, StoredCheckpoint } from './log-entities.js'
import { consistencyPath } from './merkle-proof.js'
import { formatNote, NoteError, parseNote } from './signed-note.js'
import type { TransparencyLog } from './transparency-log.js'

const attempts = 3
const firstPauseMs = 200
const longestAttemptMs = 30_000

/** Anchor status: how an anchor is doing. */
export interface AnchorStatus {
  readonly name: string
  /** The size of the newest checkpoint that it keeps; 0 if it keeps none. */
  readonly size: number
  readonly anchoredAt: Date | null
  /** Attempts that have failed since then. */
  readonly failures: number
  readonly lastError: string | null
}

/**
 * Gives checkpoints to the anchors, and tries again what fails. How far one has come it says itself, or this process knows it:
 * what the database has about it is there for {@link status} alone, and could have been written by anybody.
 */
export class AnchorPublisher {
  readonly #database: Database
  readonly #log: TransparencyLog
  readonly #anchors: readonly Anchor[]
  readonly #limitMs: number
  readonly #states: EntityCollection<AnchorState>
  /** The sizes that anchors which cannot be asked were given by this process. */
  readonly #given = new Map<string, number>()

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
    this.#states = database.of<AnchorState>(entity)
  }

  /** Gives the checkpoint to every anchor that does not keep it yet. A failure is noted, and never thrown. */
  async publish(checkpoint: StoredCheckpoint): Promise<void> {
    await Promise.all(this.#anchors.map((anchor) => this.#publishTo(anchor, checkpoint)))
  }

  async status(): Promise<AnchorStatus[]> {
    const states = new Map((await this.#noted()).map((state) => [state.name, state]))
    const kept = new Map((await askAnchors(this.#anchors, this.#limitMs)).map((answer) => [answer.name, answer]))
    return this.#anchors.map(({ name }) => {
      const { size: noted = 0, anchoredAt = null, failures = 0, lastError = null } = states.get(name) ?? {}
      const answer = kept.get(name)
      if (answer === undefined) return { name, size: noted, anchoredAt, failures, lastError }
      const size = sizeOf(answer)
      return { name, size, anchoredAt: answer.kept?.anchoredAt ?? null, failures, lastError: answer.fault ?? lastError }
    })
  }

  async #publishTo(anchor: Anchor, checkpoint: StoredCheckpoint): Promise<void> {
    if ((await this.#keptBy(anchor)) >= checkpoint.size) return
    const failures = await this.#failuresOf(anchor)
    for (let attempt = 1; ; attempt += 1) {
      try {
        const lines = await this.#inTime(anchor.publish(this.#published(checkpoint)))
        if (lines !== undefined && lines.length > 0) await this.#cosign(checkpoint.size, lines)
        this.#given.set(anchor.name, checkpoint.size)
        const anchoredAt = this.#database.clock.now()
        await this.#note(anchor, {
          $set: { size: checkpoint.size, anchoredAt, failures: 0 },
          $unset: { lastError: '' },
        })
        return
      } catch (error) {
        // Another process may have given it a newer one meanwhile.
        if ((await this.#keptBy(anchor)) >= checkpoint.size) return
        const reason = redactCredentials(error instanceof Error ? error.message : String(error)).slice(0, 1000)
        const noted = { failures: failures + attempt, lastError: reason }
        await this.#note(anchor, { $set: noted, $setOnInsert: { size: 0 } })
        this.#database.logger.warn({ anchor: anchor.name, attempt, reason }, 'a checkpoint could not be anchored')
        if (attempt >= attempts) return
        await sleep(firstPauseMs * 4 ** (attempt - 1), undefined, { signal: this.#database.closing }).catch(
          () => undefined,
        )
      }
    }
  }

  /** How far the anchor has come, as it says itself; one that cannot be asked, as far as this process knows. */
  async #keptBy(anchor: Anchor): Promise<number> {
    const [answer] = await askAnchors([anchor], this.#limitMs)
    return answer === undefined ? (this.#given.get(anchor.name) ?? 0) : sizeOf(answer)
  }

  async #inTime<Result>(attempt: Promise<Result>): Promise<Result> {
    if (!(await settlesWithin(this.#limitMs, attempt))) throw new Error(`no answer within ${this.#limitMs} ms`)
    return attempt
  }

  async #failuresOf({ name }: Anchor): Promise<number> {
    const state = (await this.#noted()).find((one) => one.name === name)
    return Number.isSafeInteger(state?.failures) ? (state?.failures ?? 0) : 0
  }

  /** What is noted of the anchors; nothing rests on it, so what cannot be read is left out. */
  async #noted(): Promise<AnchorState[]> {
    try {
      return await this.#states.find({}, { limit: 1000 })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#database.logger.warn({ reason }, 'how far the anchors have come could not be read')
      return []
    }
  }

  /** What cannot be noted is shown wrong, and stops nothing. */
  async #note({ name }: Anchor, update: StoreUpdate<AnchorState>): Promise<void> {
    try {
      await this.#states.updateOne({ name }, update, { upsert: true })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#database.logger.warn({ anchor: name, reason }, 'how far an anchor has come could not be noted')
    }
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
      const note = withSignatures(stored.note, lines)
      // What is no signature line is not stored.
      if (note === stored.note || formatNote(parseNote(note)) !== note) return
      if (await this.#log.checkpoints.addSignatures(size, stored.note, note)) return
    }
  }
}

/** Of what is no checkpoint nothing is known. */
function sizeOf({ kept }: AnchorAnswer): number {
  if (kept === undefined) return 0
  try {
    return parseTreeHead(parseNote(kept.note).text).size
  } catch (error) {
    if (error instanceof NoteError) return 0
    throw error
  }
}

/** Adds the signatures of keys that have not signed yet: a witness that is asked again signs again, with the time of then. */
function withSignatures(note: string, lines: readonly string[]): string {
  let signed = note
  for (const line of lines) {
    const { text, signatures } = parseNote(signed)
    const [given] = parseNote(`${text}\n${line}\n`).signatures
    const isKnown = signatures.some(({ keyName, keyId }) => keyName === given?.keyName && keyId === given.keyId)
    if (!isKnown) signed += `${line}\n`
  }
  return signed
}
