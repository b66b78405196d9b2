import type { AuditLog } from '../activity/audit-log.js'
import type { DataAccess } from '../activity/data-access.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import type { LedgerEntry } from '../ledger/entry/entry.js'
import type { Ledger } from '../ledger/ledger.js'
import type { PersonalData } from '../ledger/personal/personal-data.js'
import type { RetentionArchive } from '../retention/index.js'
import { erasureEntity } from './erasure.js'
import { holdEntity } from './hold.js'
import { ledgerDataEraser } from './ledger-data.js'
import type { KnownUser } from './person.js'
import { PrivacyService } from './privacy-service.js'

export type PrivacyCollection = 'privacyErasures' | 'privacyHolds'

export const privacyEntities = {
  privacyErasures: erasureEntity,
  privacyHolds: holdEntity,
} satisfies Record<PrivacyCollection, object>

/** What privacy brings to the handle. */
export interface PrivacyServices {
  /** What is held about a person, and its end. */
  readonly privacy: PrivacyService
}

export interface PrivacyNeeds {
  readonly entities: () => readonly Entity[]
  readonly auditLog: AuditLog
  readonly ledger: Ledger
}

interface NamedEntities {
  readonly users: Entity<KnownUser>
  readonly dataAccesses: Entity<DataAccess>
  readonly ledger: Entity<LedgerEntry>
  readonly ledgerPersonalData: Entity<PersonalData>
  readonly retentionArchives: Entity<RetentionArchive>
}

export function openPrivacy(
  database: Database,
  entities: typeof privacyEntities & NamedEntities,
  { entities: all, auditLog, ledger }: PrivacyNeeds,
): PrivacyServices {
  const { users, dataAccesses: accesses, privacyErasures: erasures, privacyHolds: holds, ledgerPersonalData } = entities
  const deletions = new Map([[ledgerPersonalData.collection, ledgerDataEraser(database, entities, ledger)]])
  const archives = database.of(entities.retentionArchives, { isOutside: true })
  const withArchives = async () => [...all(), ...archivedEntities(all(), await archives.for('archives').find({}))]
  const parts = { database, users, erasures, holds, accesses, entities: withArchives, auditLog, deletions }
  return { privacy: new PrivacyService(parts) }
}

/** The entities in the collections that retention has archived them to, which have no indexes. */
function archivedEntities(entities: readonly Entity[], archives: readonly RetentionArchive[]): Entity[] {
  return archives.flatMap(({ archive, source }) => {
    const entity = entities.find(({ collection }) => collection === source)
    return entity === undefined ? [] : [{ ...entity.inCollection(archive), indexes: [] }]
  })
}
