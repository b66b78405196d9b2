import type { ClientSession, Collection } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { rawDocuments } from '../../core/raw-documents.js'
import { inSession } from '../../core/repository/in-session.js'
import { NoteError, type VerifierKey } from '../log/signed-note.js'
import { readStored } from '../stored-document.js'
import { type Archive, archiveEntity, type Seam } from './archive-entities.js'
import { openArchiveNote, seamsDigest } from './archive-note.js'
import type { SeamStore } from './seam-store.js'

/** What of the ledger is archived, as the keys have signed it. */
export interface Archived {
  /** The leaves of the tree that are in archives. */
  readonly size: number
  readonly seams: readonly Seam[]
}

/** A record of an archive as it is stored. */
export interface StoredArchive {
  readonly bytes: Buffer
  /** Undefined if it is none. */
  readonly archive: Archive | undefined
}

/** Keeps the records of archives. */
export class ArchiveStore {
  readonly #collection: () => Collection<Archive>

  constructor(collection: () => Collection<Archive>) {
    this.#collection = collection
  }

  /**
   * How many leaves of the tree are archived: those of the archives that follow each other without a hole. It is what the
   * database says: what rests on it asks {@link archived}.
   */
  async size(): Promise<number> {
    const options = { sort: { size: 1 }, projection: { _id: 0, fromSize: 1, size: 1 } } as const
    let archived = 0
    for await (const { fromSize, size } of this.#collection().find({}, options)) {
      if (fromSize !== archived) break
      archived = size
    }
    return archived
  }

  async add(archive: Archive, session: ClientSession): Promise<void> {
    await this.#collection().insertOne(archive, { session })
  }

  /** In the order of their sizes. */
  async all(session?: ClientSession): Promise<StoredArchive[]> {
    const found = this.#collection().find({}, { ...inSession(session), raw: true, sort: { size: 1 } })
    return (await rawDocuments(found)).map((bytes) => ({ bytes, archive: readStored(archiveEntity, bytes) }))
  }

  /**
   * What is archived, if the keys have signed all that is said of it.
   * @throws DatabaseError `LEDGER_DAMAGED` if not.
   */
  async archived(seams: SeamStore, keys: readonly VerifierKey[]): Promise<Archived> {
    let size = 0
    let digest = seamsDigest([])
    for (const { archive } of await this.all()) {
      if (archive === undefined || archive.fromSize !== size) throw damaged('do not follow each other')
      try {
        digest = openArchiveNote(archive, keys)
      } catch (error) {
        if (!(error instanceof NoteError)) throw error
        throw damaged(error.message)
      }
      size = archive.size
    }
    const stored = (await seams.all()).map(({ seam }) => seam)
    const known = stored.filter((seam) => seam !== undefined)
    if (known.length !== stored.length || !seamsDigest(known).equals(digest))
      throw damaged('have other seams than they were signed with')
    return { size, seams: known }
  }
}

function damaged(reason: string): DatabaseError {
  return new DatabaseError(
    'LEDGER_DAMAGED',
    `The records of the archives are not to be relied on (${reason}): verify the ledger`,
  )
}
