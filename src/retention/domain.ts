import type { Database } from '../core/database.js'
import type { EntityDescription } from '../core/entity.js'
import { RetentionService } from './retention.js'
import { retentionArchiveEntity } from './retention-archive.js'
import { retentionRunEntity } from './retention-run.js'

export type RetentionCollection = 'retentionRuns' | 'retentionArchives'

export const retentionEntities = {
  retentionRuns: retentionRunEntity,
  retentionArchives: retentionArchiveEntity,
} satisfies Record<RetentionCollection, object>

/** What retention brings to the handle. */
export interface RetentionServices {
  /** Lets old documents go, by policies. */
  readonly retention: RetentionService
}

export interface RetentionNeeds {
  readonly entities: () => readonly EntityDescription[]
  /** The collections that policies may be about: of the others the documents are kept by rules of their own. */
  readonly mayGo: () => ReadonlySet<string>
}

export function openRetention(
  database: Database,
  entities: typeof retentionEntities,
  { entities: all, mayGo }: RetentionNeeds,
): RetentionServices {
  const outside = { isOutside: true } as const
  const runs = database.of(entities.retentionRuns, outside)
  const archives = database.of(entities.retentionArchives, outside)
  return { retention: new RetentionService(database, { runs, archives, entities: all, mayGo }) }
}
