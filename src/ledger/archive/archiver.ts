import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { type ClientSession, type Collection, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import type { Lease } from '../../core/lease.js'
import type { LedgerEntry } from '../entry/entry.js'
import { verifyExport } from '../export/export-verifier.js'
import { type ExportParts, exportRange } from '../export/export-writer.js'
import { withLogLease } from '../log/log-lease.js'
import type { VerifierKey } from '../log/signed-note.js'
import type { Archive } from './archive-entities.js'
import { writeNewFile } from './new-file.js'
import type { SeamBounds } from './seam-bounds.js'
import type { SeamFinder } from './seam-finder.js'
import type { SeamStore } from './seam-store.js'

export interface ArchiveOptions {
  /** The file to be written; it must not be there yet. */
  readonly file: string
  /** The size of the checkpoint up to which entries are archived. @default that of the newest checkpoint */
  readonly throughSize?: number
}

export interface ArchiveResult {
  /** What was archived; null if there was nothing that is not archived yet. */
  readonly archive: Archive | null
  /** Entries that have left the database. */
  readonly removed: number
}

export interface ArchiverParts {
  readonly database: Database
  readonly exporting: ExportParts
  readonly entries: () => Collection<LedgerEntry>
  readonly keys: readonly VerifierKey[]
  readonly archives: () => Collection<Archive>
  readonly seams: SeamStore
  readonly bounds: SeamBounds
  readonly finder: SeamFinder
}

/**
 * Moves entries into files. The file is complete, on the disk and verified before anything leaves the database; a process
 * that is killed on the way leaves entries in both places, and the next call removes them.
 */
export class Archiver {
  readonly #parts: ArchiverParts

  constructor(parts: ArchiverParts) {
    this.#parts = parts
  }

  run(options: ArchiveOptions): Promise<ArchiveResult> {
    return withLogLease(this.#parts.database, async (lease) => {
      const archive = await this.#archive(options, lease)
      return { archive, removed: await this.#remove() }
    })
  }

  /** How many leaves of the tree are archived. */
  archivedSize(): Promise<number> {
    return this.#parts.bounds.archivedSize()
  }

  async #archive({ file, throughSize }: ArchiveOptions, lease: Lease): Promise<Archive | null> {
    const { checkpoints } = this.#parts.exporting.log
    const end = throughSize === undefined ? await checkpoints.newest() : await checkpoints.ofSize(throughSize)
    if (end === null)
      throw new DatabaseError('NOT_COVERED', 'There is no checkpoint of that size that could be archived up to')
    const fromSize = await this.archivedSize()
    if (end.size <= fromSize) return null
    const sha256 = await writeNewFile(file, exportRange(this.#parts.exporting, { fromSize, end }, {}), (written) =>
      this.#requireSound(written),
    )
    const archive: Archive = {
      _id: new ObjectId(),
      fromSize,
      size: end.size,
      file: basename(file),
      sha256,
      archivedAt: this.#parts.database.clock.now(),
    }
    await this.#record(archive, lease)
    return archive
  }

  /** @throws DatabaseError `LEDGER_DAMAGED` if what was written does not verify. */
  async #requireSound(file: string): Promise<void> {
    const verifierKeys = this.#parts.keys.map(({ text }) => text)
    const { findings } = await verifyExport(() => createReadStream(file), { verifierKeys })
    if (findings.length === 0) return
    throw new DatabaseError('LEDGER_DAMAGED', 'The entries do not verify, so they were not archived: verify the ledger')
  }

  async #record(archive: Archive, lease: Lease): Promise<void> {
    const { database, archives, seams, finder } = this.#parts
    const found = await finder.find(archive.size)
    await database.transactions.run(() =>
      database.transactions.execute(async (session) => {
        const inTransaction = session as ClientSession
        await lease.guard()
        await archives().insertOne(archive, { session: inTransaction })
        await seams.move(found, inTransaction)
      }),
    )
  }

  /** Removes what is before the seams. @throws DatabaseError `LEDGER_DAMAGED` if a seam is where nothing was archived. */
  async #remove(): Promise<number> {
    const { seams, bounds, entries } = this.#parts
    const all = await seams.all()
    if ((await bounds.excessive(all)).length > 0)
      throw new DatabaseError(
        'LEDGER_DAMAGED',
        'Seams are behind what was archived, so nothing was removed: verify the ledger',
      )
    let removed = 0
    for (const { switchId, sequence } of all) {
      const { deletedCount } = await entries().deleteMany({ switchId, sequence: { $lte: sequence } })
      removed += deletedCount
    }
    return removed
  }
}
