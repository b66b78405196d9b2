import type { Database } from '../../core/database.js'
import type { Seam } from '../archive/archive-entities.js'
import { openArchiveNote, seamsDigest } from '../archive/archive-note.js'
import type { ArchiveStore, StoredArchive } from '../archive/archive-store.js'
import type { SeamStore } from '../archive/seam-store.js'
import { hexOf } from '../entry/sha256.js'
import { keyOfSwitchId } from '../entry/stored-bytes.js'
import { NoteError, type VerifierKey } from '../log/signed-note.js'
import { idOf } from '../stored-document.js'
import { atOneMoment } from './at-one-moment.js'
import type { ChainStart } from './chain-pass.js'
import type { Finding, Findings } from './finding.js'

/** Archived state: what of the ledger is said to be archived. */
export interface ArchivedState {
  /** The leaves of the tree that are in archives which a trusted key has signed. */
  readonly size: number
  readonly seams: readonly Seam[]
  /** Where the chains go on after what is archived. */
  readonly starts: ReadonlyMap<string, ChainStart>
  /** Whether the seams are those that the newest archive was signed with. */
  readonly isBound: boolean
}

export interface ArchiveParts {
  readonly database: Database
  readonly archives: ArchiveStore
  readonly seams: SeamStore
  /** Without any, what the database says is taken as it is. */
  readonly keys: readonly VerifierKey[]
}

/** Reads the records of archives and the seams as of one moment, and says what is wrong with them. */
export async function checkArchives(
  { database, archives, seams, keys }: ArchiveParts,
  findings: Findings,
): Promise<ArchivedState> {
  const { stored, found } = await atOneMoment(database, async (session) => ({
    stored: await archives.all(session),
    found: await seams.all(session),
  }))
  const { size, digest } = checkRecords(stored, keys, findings)
  const known = found.flatMap(({ seam }) => seam ?? [])
  for (const { bytes, seam } of found) if (seam === undefined) findings.add(unreadable(bytes, 'a seam'))
  const isWhole =
    known.length === found.length && new Set(known.map(({ switchId }) => switchId.toHexString())).size === known.length
  const isBound = keys.length === 0 || (isWhole && seamsDigest(known).equals(digest))
  return { size, seams: known, starts: startsOf(known), isBound }
}

/** @returns the leaves that are archived, and what stands for the seams after that. */
function checkRecords(stored: readonly StoredArchive[], keys: readonly VerifierKey[], findings: Findings) {
  let size = 0
  let digest: Buffer = seamsDigest([])
  for (const { bytes, archive } of stored) {
    if (archive === undefined) {
      findings.add(unreadable(bytes, 'the record of an archive'))
      continue
    }
    try {
      const signed = keys.length === 0 ? digest : openArchiveNote(archive, keys)
      if (archive.fromSize === size) {
        size = archive.size
        digest = signed
      } else findings.add(misplaced(archive.fromSize, size))
    } catch (error) {
      if (!(error instanceof NoteError)) throw error
      const expected = `a record of ${archive.file} that is signed by ${keys.map(({ text }) => text).join(' or ')}`
      findings.add({ damage: 'bad_signature', where: 'archive', expected, found: error.message })
    }
  }
  return { size, digest }
}

function startsOf(seams: readonly Seam[]): Map<string, ChainStart> {
  return new Map(
    seams.map(({ switchId, sequence, hash }) => [
      keyOfSwitchId(switchId.toHexString()),
      { sequence, hash: hexOf(hash) },
    ]),
  )
}

function unreadable(bytes: Buffer, expected: string): Finding {
  return { damage: 'edited', where: 'archive', expected, found: `the document ${idOf(bytes)}, which is none` }
}

function misplaced(fromSize: number, size: number): Finding {
  const damage = fromSize > size ? 'deleted' : 'inserted'
  return {
    damage,
    where: 'archive',
    expected: `an archive from leaf ${size} on`,
    found: `one from leaf ${fromSize} on`,
  }
}
