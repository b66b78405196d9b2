import type { Database } from '../core/database.js'
import { ingestWindowEntity } from './ingest-window.js'
import { ingestCounterEntity, quarantineEntity } from './quarantine.js'
import { QuarantineReader } from './quarantine-reader.js'

export type IngestionCollection = 'quarantine' | 'ingestWindows' | 'ingestCounters'

export const ingestionEntities = {
  quarantine: quarantineEntity,
  ingestWindows: ingestWindowEntity,
  ingestCounters: ingestCounterEntity,
} satisfies Record<IngestionCollection, object>

/** What ingestion brings to the handle. */
export interface IngestionServices {
  /** Messages that ingestion could not use. */
  readonly quarantine: QuarantineReader
}

export function openIngestion(database: Database, entities: typeof ingestionEntities): IngestionServices {
  return { quarantine: new QuarantineReader(database, entities.quarantine) }
}
