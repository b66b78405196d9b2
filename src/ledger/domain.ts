import type { Database } from '../core/database.js'
import { writerQueueEntity } from './append/writer-queue-entity.js'
import { archiveEntity, seamEntity } from './archive/archive-entities.js'
import { ledgerEntryEntity } from './entry/entry.js'
import { Ledger } from './ledger.js'
import { anchorEntity, checkpointEntity, segmentEntity, tileEntity } from './log/log-entities.js'
import { type LedgerLogOptions, ledgerLogOf } from './log/log-options.js'
import { personalDataEntity } from './personal/personal-data.js'

export type LedgerCollection =
  | 'ledger'
  | 'ledgerCheckpoints'
  | 'ledgerTiles'
  | 'ledgerSegments'
  | 'ledgerAnchors'
  | 'ledgerPersonalData'
  | 'ledgerArchives'
  | 'ledgerSeams'
  | 'ledgerWriterQueue'

export const ledgerEntities = {
  ledger: ledgerEntryEntity,
  ledgerCheckpoints: checkpointEntity,
  ledgerTiles: tileEntity,
  ledgerSegments: segmentEntity,
  ledgerAnchors: anchorEntity,
  ledgerPersonalData: personalDataEntity,
  ledgerArchives: archiveEntity,
  ledgerSeams: seamEntity,
  ledgerWriterQueue: writerQueueEntity,
} satisfies Record<LedgerCollection, object>

export interface LedgerOptions {
  /** Who signs the ledger's checkpoints, who may have, and where they are kept outside the database. */
  readonly ledgerLog?: LedgerLogOptions
}

/** Ledger services: what the ledger brings to the handle. */
export interface LedgerServices {
  /** The tamper-evident energy ledger. */
  readonly ledger: Ledger
}

/** @throws DatabaseError `CONFIGURATION` for keys or anchors that cannot be used. */
export function openLedger(
  database: Database,
  entities: typeof ledgerEntities,
  { ledgerLog }: LedgerOptions,
): LedgerServices {
  const ledger = new Ledger(database, entities.ledger, {
    ...ledgerLogOf(ledgerLog),
    anchorEntity: entities.ledgerAnchors,
    writerQueueEntity: entities.ledgerWriterQueue,
    collections: {
      checkpoints: entities.ledgerCheckpoints.collection,
      tiles: entities.ledgerTiles.collection,
      segments: entities.ledgerSegments.collection,
      personalData: entities.ledgerPersonalData.collection,
      archives: entities.ledgerArchives.collection,
      seams: entities.ledgerSeams.collection,
    },
  })
  return { ledger }
}
