import type { Database } from '../core/database.js'
import { ingestWindowEntity } from './ingest-window.js'
import {
  type IngestionNeeds,
  type IngestionPartOptions,
  type IngestionParts,
  ingestionPartsOf,
} from './ingestion-parts.js'
import { lifeSpanEntity } from './life/life-span-entity.js'
import { ingestCounterEntity, quarantineEntity } from './quarantine.js'
import { QuarantineReader } from './quarantine-reader.js'
import { subscriptionEntity } from './subscription.js'

export type IngestionCollection =
  | 'quarantine'
  | 'ingestWindows'
  | 'ingestCounters'
  | 'ingestSubscriptions'
  | 'lifeSpans'

export const ingestionEntities = {
  quarantine: quarantineEntity,
  ingestWindows: ingestWindowEntity,
  ingestCounters: ingestCounterEntity,
  ingestSubscriptions: subscriptionEntity,
  lifeSpans: lifeSpanEntity,
} satisfies Record<IngestionCollection, object>

/** Ingestion services: what ingestion brings to the handle. */
export interface IngestionServices {
  /** Messages that ingestion could not use. */
  readonly quarantine: QuarantineReader
  /** For adapters: what their pipelines work with. @internal */
  readonly ingestion: { parts(options?: IngestionPartOptions): IngestionParts }
}

export function openIngestion(
  database: Database,
  entities: typeof ingestionEntities,
  needs: IngestionNeeds,
): IngestionServices {
  return {
    quarantine: new QuarantineReader(database, entities.quarantine),
    ingestion: { parts: (options = {}) => ingestionPartsOf(database, entities, needs, options) },
  }
}
