import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { type ClientSession, type Collection, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import type { Lease } from '../../core/lease.js'
import { rawDocuments } from '../../core/raw-documents.js'
import type { LedgerEntry } from '../entry/entry.js'
import { computedHash, entryIdOf, isLaidOut, sequenceOf } from '../entry/stored-bytes.js'
import { verifyExport } from '../export/export-verifier.js'
import { type ExportParts, exportRange } from '../export/export-writer.js'
import { withLogLease } from '../log/log-lease.js'
import type { VerifierKey } from '../log/signed-note.js'
import type { Archive, Seam } from './archive-entities.js'
import { seamsDigest, signArchive } from './archive-note.js'
import type { Archived, ArchiveStore } from './archive-store.js'
import { writeNewFile } from './new-file.js'
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
  readonly archives: ArchiveStore
  readonly seams: SeamStore
  readonly finder: SeamFinder
}

const removedAtOnce = 1000

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
      const { archives, seams, keys } = this.#parts
      const archive = await this.#archive(options, await archives.archived(seams, keys), lease)
      const removed = await this.#remove(await archives.archived(seams, keys))
      return { archive, removed }
    })
  }

  async #archive({ file, throughSize }: ArchiveOptions, before: Archived, lease: Lease): Promise<Archive | null> {
    const { exporting, database, finder } = this.#parts
    const { checkpoints } = exporting.log
    const end = throughSize === undefined ? await checkpoints.newest() : await checkpoints.ofSize(throughSize)
    if (end === null)
      throw new DatabaseError('NOT_COVERED', 'There is no checkpoint of that size that could be archived up to')
    const fromSize = before.size
    if (end.size <= fromSize) return null
    const sha256 = await writeNewFile(file, exportRange(exporting, { fromSize, end }, {}), (written) =>
      this.#requireSound(written),
    )
    const moved = await finder.find(end.size)
    const statement = {
      fromSize,
      size: end.size,
      file: basename(file),
      sha256,
      archivedAt: database.clock.now(),
    }
    const note = signArchive(statement, seamsDigest(seamsAfter(before.seams, moved)), exporting.signers)
    const archive: Archive = { _id: new ObjectId(), ...statement, note }
    await this.#record(archive, moved, lease)
    return archive
  }

  /** @throws DatabaseError `LEDGER_DAMAGED` if what was written does not verify. */
  async #requireSound(file: string): Promise<void> {
    const verifierKeys = this.#parts.keys.map(({ text }) => text)
    const { findings } = await verifyExport(() => createReadStream(file), { verifierKeys })
    if (findings.length === 0) return
    throw new DatabaseError('LEDGER_DAMAGED', 'The entries do not verify, so they were not archived: verify the ledger')
  }

  async #record(archive: Archive, moved: readonly Omit<Seam, '_id'>[], lease: Lease): Promise<void> {
    const { database, archives, seams } = this.#parts
    await database.transactions.run(() =>
      database.transactions.execute(async (session) => {
        const inTransaction = session as ClientSession
        await lease.guard()
        await archives.add(archive, inTransaction)
        await seams.move(moved, inTransaction)
      }),
    )
  }

  /**
   * Removes what is before the seams.
   * @throws DatabaseError `LEDGER_DAMAGED` if something stands there that was not archived: it is not made away with.
   */
  async #remove({ seams, size }: Archived): Promise<number> {
    let removed = 0
    for (const { switchId, sequence } of seams) {
      const filter = { switchId, sequence: { $lte: sequence } }
      for (;;) {
        const found = await rawDocuments(
          this.#parts.entries().find(filter, { raw: true, sort: { sequence: -1 }, limit: removedAtOnce }),
        )
        if (found.length === 0) break
        const ids = await this.#archivedIds(switchId, found, size)
        const { deletedCount } = await this.#parts.entries().deleteMany({ switchId, _id: { $in: ids } })
        removed += deletedCount
      }
    }
    return removed
  }

  /** The ids of entries that have the hashes of their leaves. */
  async #archivedIds(switchId: ObjectId, documents: readonly Buffer[], size: number): Promise<ObjectId[]> {
    const entries = documents.map((buffer) => ({ buffer, start: 0, length: buffer.length }))
    const sequences = entries.filter(isLaidOut).map(sequenceOf)
    const { log } = this.#parts.exporting
    const range = await log.segments.ofChainBetween(switchId, Math.min(...sequences), Math.max(...sequences))
    const signed = await log.leafHashes(range.filter(({ firstLeaf, count }) => firstLeaf + count <= size))
    return entries.map((entry) => {
      if (isLaidOut(entry) && signed.get(sequenceOf(entry)) === computedHash(entry))
        return ObjectId.createFromHexString(entryIdOf(entry))
      throw new DatabaseError(
        'LEDGER_DAMAGED',
        `The chain ${switchId.toHexString()} has documents among its archived entries that were not archived, so nothing more was removed: verify the ledger`,
      )
    })
  }
}

/** All seams as they are when those that are moved have been. */
function seamsAfter(before: readonly Seam[], moved: readonly Omit<Seam, '_id'>[]): Omit<Seam, '_id'>[] {
  const seams = new Map<string, Omit<Seam, '_id'>>()
  for (const seam of [...before, ...moved]) seams.set(seam.switchId.toHexString(), seam)
  return [...seams.values()]
}
