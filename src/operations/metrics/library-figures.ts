import type { Database } from '../../core/database.js'
import type { Entity, Identified } from '../../core/entity.js'
import type { WorkRecord } from '../../core/self-check/work-records.js'
import { type Admin, ifAllowed, isUnavailable } from '../admin.js'
import type { DoctorParts } from '../doctor/doctor.js'
import { type CollectionSize, currentSizes } from '../sizes/collection-sizes.js'

/** Library figures: what metrics show of the library's own work. A part that the role does not allow is null. */
export interface LibraryFigures {
  readonly ledger: {
    /** About how many entries, by the collection's statistics. */
    readonly entries: number
    /** How many of them the newest checkpoint covers; null where there is none. */
    readonly checkpointSize: number | null
    readonly checkpointAt: Date | null
  } | null
  readonly anchors:
    | readonly {
        readonly name: string
        /** The size of the newest checkpoint that it keeps. */
        readonly size: number
        readonly anchoredAt: Date | null
        /** Attempts that have failed since. */
        readonly failures: number
      }[]
    | null
  /** Until when each periodic work has done all that there was, whichever process did it. */
  readonly work: readonly { readonly name: string; readonly completeUntil: Date }[] | null
  readonly quarantine: { readonly messages: number } | null
  readonly backup: { readonly lastSuccessAt: Date | null; readonly failures: number } | null
  /** The 200 largest collections; at most five minutes old. */
  readonly collections: readonly CollectionSize[] | null
}

type DoctorsParts = 'ledger' | 'ledgerCheckpoints' | 'ledgerAnchors' | 'quarantine' | 'backupStatus'

export interface FigureParts extends Pick<DoctorParts, DoctorsParts> {
  readonly workRecords: Entity<WorkRecord>
}

/** One command for each collection: too much for every scrape. */
const sizesForMs = 300_000
const mostCollections = 200
const mostAnchors = 20
const mostWorks = 100

export class FigureReader {
  readonly #admin: Admin
  readonly #database: Database
  readonly #parts: FigureParts
  #sizes: { readonly collections: readonly CollectionSize[] | null; readonly untilMs: number } | undefined

  constructor(admin: Admin, parts: FigureParts) {
    this.#admin = admin
    this.#database = admin.database
    this.#parts = parts
  }

  async read(): Promise<LibraryFigures> {
    const { ledgerAnchors, workRecords, quarantine, backupStatus } = this.#parts
    const [ledger, anchors, work, messages, backup, collections] = await Promise.all([
      orNull(() => this.#ledger()),
      orNull(() => this.#of(ledgerAnchors).find({}, { limit: mostAnchors })),
      orNull(() => this.#of(workRecords).find({}, { limit: mostWorks })),
      orNull(() => this.#of(quarantine).estimatedCount()),
      orNull(backupStatus),
      this.#collections(),
    ])
    return {
      ledger,
      anchors:
        anchors?.map(({ name, size, anchoredAt, failures }) => ({
          name,
          size,
          anchoredAt: anchoredAt ?? null,
          failures,
        })) ?? null,
      work: work?.map(({ name, completeUntil }) => ({ name, completeUntil })) ?? null,
      quarantine: messages === null ? null : { messages },
      backup: backup === null ? null : { lastSuccessAt: backup.lastSuccessAt, failures: backup.failures },
      collections,
    }
  }

  async #ledger(): Promise<LibraryFigures['ledger']> {
    const { ledger, ledgerCheckpoints } = this.#parts
    const [entries, newest] = await Promise.all([
      this.#of(ledger).estimatedCount(),
      this.#of(ledgerCheckpoints).findOne({}, { sort: { size: -1 } }),
    ])
    return { entries, checkpointSize: newest?.size ?? null, checkpointAt: newest?.signedAt ?? null }
  }

  async #collections(): Promise<readonly CollectionSize[] | null> {
    const nowMs = performance.now()
    if (this.#sizes !== undefined && nowMs < this.#sizes.untilMs) return this.#sizes.collections
    const found = await orNull(() => currentSizes(this.#admin))
    const largest = found?.toSorted((a, b) => b.storageBytes - a.storageBytes).slice(0, mostCollections) ?? null
    this.#sizes = { collections: largest, untilMs: nowMs + sizesForMs }
    return largest
  }

  #of<Stored extends Identified>(entity: Entity<Stored>) {
    return this.#database.of(entity, { isOutside: true }).for('figures')
  }
}

async function orNull<Result>(work: () => Promise<Result>): Promise<Result | null> {
  const result = await ifAllowed(work)
  return isUnavailable(result) ? null : result
}
