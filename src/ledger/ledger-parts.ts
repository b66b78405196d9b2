import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { LedgerWriter } from './append/writer.js'
import type { writerQueueEntity } from './append/writer-queue-entity.js'
import type { Archive, Seam } from './archive/archive-entities.js'
import { ArchiveStore } from './archive/archive-store.js'
import { impostersAmong } from './archive/archived-entries.js'
import { Archiver } from './archive/archiver.js'
import { SeamFinder } from './archive/seam-finder.js'
import { SeamStore } from './archive/seam-store.js'
import type { VerificationParts } from './audit/verification.js'
import type { LedgerEntry } from './entry/entry.js'
import type { ExportParts } from './export/export-writer.js'
import { type ArchivedUntil, FactStore } from './facts/fact-store.js'
import type { Anchor } from './log/anchor.js'
import { AnchorPublisher } from './log/anchor-publisher.js'
import type { anchorEntity } from './log/log-entities.js'
import type { SignerKey, VerifierKey } from './log/signed-note.js'
import { type LogCollections, TransparencyLog } from './log/transparency-log.js'
import type { PersonalData } from './personal/personal-data.js'
import { PersonalStore } from './personal/personal-store.js'

/** Ledger log parts: what the checkpoints of a ledger need. */
export interface LedgerLogParts {
  readonly collections: Omit<LogCollections, 'entries'> & {
    readonly personalData: string
    readonly archives: string
    readonly seams: string
  }
  readonly signers: readonly SignerKey[]
  readonly keys: readonly VerifierKey[]
  readonly anchors: readonly Anchor[]
  readonly anchorEntity: typeof anchorEntity
  readonly writerQueueEntity: typeof writerQueueEntity
}

/** Ledger parts: what the operations of a ledger are made of. */
export interface LedgerParts {
  /** What the entries say about energy, in the order of time. */
  readonly facts: FactStore
  readonly writer: LedgerWriter
  readonly personal: PersonalStore
  readonly log: TransparencyLog
  readonly keys: readonly VerifierKey[]
  readonly publisher: AnchorPublisher
  readonly seams: SeamStore
  readonly archives: ArchiveStore
  readonly archiver: Archiver
  readonly exporting: ExportParts
  readonly verifying: VerificationParts
}

export function openLedgerParts(database: Database, entity: Entity<LedgerEntry>, options: LedgerLogParts): LedgerParts {
  const { collections, signers, keys, anchors } = options
  const entries = () => database.collectionOf<LedgerEntry>(entity)
  const personalData = () => database.native.collection<PersonalData>(collections.personalData)
  const log = new TransparencyLog(database, { ...collections, entries: entity.collection }, options)
  const personal = new PersonalStore(personalData, entries)
  const seams = new SeamStore(() => database.native.collection<Seam>(collections.seams))
  const archives = new ArchiveStore(() => database.native.collection<Archive>(collections.archives))
  const archivedUntil: ArchivedUntil = (switchIds, session) => seams.untilMs(switchIds, session)
  const exporting = { log, entries, personal, signers }
  const finder = new SeamFinder(entries, log.segments, personalData)
  return {
    facts: new FactStore(entries, archivedUntil, (query) => database.run(entity, 'energy', query)),
    writer: new LedgerWriter({
      database,
      collection: entity.collection,
      writerQueueEntity: options.writerQueueEntity,
      archivedUntil,
      imposters: impostersAmong(seams, log),
    }),
    personal,
    log,
    keys,
    publisher: new AnchorPublisher(database, options.anchorEntity, log, anchors),
    seams,
    archives,
    archiver: new Archiver({ database, exporting, entries, keys, archives, seams, finder }),
    exporting,
    verifying: {
      database,
      entries: entity.collection,
      personalData: collections.personalData,
      collections: [entity.collection, ...Object.values(collections)],
      seams,
      archives,
      log,
      keys,
      anchors,
    },
  }
}
