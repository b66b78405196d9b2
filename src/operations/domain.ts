import type { BackupService } from '../backup/backup-service.js'
import type { Database } from '../core/database.js'
import type { Entity, EntityDescription } from '../core/entity.js'
import type { WorkRecord } from '../core/self-check/work-records.js'
import type { QuarantinedMessage } from '../ingestion/quarantine.js'
import type { LedgerEntry } from '../ledger/entry/entry.js'
import type { AnchorState, StoredCheckpoint } from '../ledger/log/log-entities.js'
import { Admin } from './admin.js'
import { Operations } from './operations.js'
import { Profiler } from './profiler/profiler.js'
import { profilerSettingsEntity } from './profiler/profiler-settings.js'
import { type RoleEntities, roleCollections } from './roles/role-collections.js'
import { Roles } from './roles/roles.js'
import { sizeRecordEntity } from './sizes/size-record.js'

export type OperationsCollection = 'sizeRecords' | 'profilerSettings'

export const operationsEntities = {
  sizeRecords: sizeRecordEntity,
  profilerSettings: profilerSettingsEntity,
} satisfies Record<OperationsCollection, object>

/** What operations bring to the handle. */
export interface OperationsServices {
  /** How the database is doing: what is wrong, what is slow, what is unused. */
  readonly operations: Operations
}

export interface OperationsNeeds {
  readonly backup: Pick<BackupService, 'status'>
  /** All that `setup()` sets up. */
  readonly entities: () => readonly EntityDescription[]
  /** Of these, the library's. */
  readonly ours: readonly EntityDescription[]
}

interface WatchedEntities {
  readonly ledger: Entity<LedgerEntry>
  readonly ledgerCheckpoints: Entity<StoredCheckpoint>
  readonly ledgerAnchors: Entity<AnchorState>
  readonly quarantine: Entity<QuarantinedMessage>
  readonly workRecords: Entity<WorkRecord>
}

type ReferringEntities = Readonly<Record<'users' | 'classrooms' | 'devices', { readonly collection: string }>>

export function openOperations(
  database: Database,
  entities: typeof operationsEntities & WatchedEntities & ReferringEntities & RoleEntities,
  { backup, entities: all, ours }: OperationsNeeds,
): OperationsServices {
  const admin = new Admin(database)
  const outside = { isOutside: true } as const
  const profiler = new Profiler(admin, database.of(entities.profilerSettings, outside))
  // What a process has left that is gone is put back by the next one that looks.
  database.selfCheck.add(async () => {
    await profiler.restoreExpired()
    return undefined
  })
  const { users, classrooms, devices } = entities
  const references = [
    { collection: devices.collection, field: 'classroom', to: classrooms.collection },
    { collection: devices.collection, field: 'owner', to: users.collection },
    { collection: devices.collection, field: 'assignedUsers', to: users.collection },
    { collection: users.collection, field: 'assignedClassrooms', to: classrooms.collection },
  ]
  return {
    operations: new Operations(admin, {
      entities: all,
      ledger: entities.ledger,
      ledgerCheckpoints: entities.ledgerCheckpoints,
      ledgerAnchors: entities.ledgerAnchors,
      quarantine: entities.quarantine,
      workRecords: entities.workRecords,
      backupStatus: () => backup.status(),
      profiler,
      sizeRecords: database.of(entities.sizeRecords, outside),
      references,
      mayClean: (collection) => ours.every((entity) => entity.collection !== collection),
      roles: new Roles(admin, () => roleCollections(entities, all())),
    }),
  }
}
