import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import type { StoredLease } from '../core/lease-entity.js'
import type { RollUps } from '../energy/roll-ups/roll-ups.js'
import type { Ledger } from '../ledger/ledger.js'
import { type LedgerLogOptions, ledgerLogOf } from '../ledger/log/log-options.js'
import type { Erasure, PrivacyService } from '../privacy/index.js'
import { BackupService } from './backup-service.js'
import { restoreGuard } from './restore/restore-guard.js'
import { restoreJournalEntity } from './restore/restore-journal.js'
import { backupScheduleEntity } from './schedule/schedule-entity.js'
import { BackupScheduler } from './schedule/scheduler.js'

export type BackupCollection = 'restoreJournals' | 'backupSchedules'

export const backupEntities = {
  restoreJournals: restoreJournalEntity,
  backupSchedules: backupScheduleEntity,
} satisfies Record<BackupCollection, object>

/** Backup services: what backups bring to the handle. */
export interface BackupServices {
  /** Backups of this database, and their restore. */
  readonly backup: BackupService
}

export interface BackupNeeds {
  /** The services on another database of the same server, which do not wait for the end of a restore. */
  readonly servicesOf: (database: Database) => {
    readonly ledger: Ledger
    readonly rollUps: RollUps
    readonly privacy: PrivacyService
  }
}

type NamedEntities = {
  readonly leases: Entity<StoredLease>
} & Readonly<Record<'ledgerCheckpoints' | 'dailyAggregates', { readonly collection: string }>> & {
    readonly privacyErasures: Entity<Erasure>
  }

export function openBackup(
  database: Database,
  entities: typeof backupEntities & NamedEntities,
  { servicesOf }: BackupNeeds,
  { ledgerLog }: { readonly ledgerLog?: LedgerLogOptions },
): BackupServices {
  const { signers, keys } = ledgerLogOf(ledgerLog)
  const { leases, restoreJournals, backupSchedules, privacyErasures } = entities
  database.addGuard(restoreGuard(database, restoreJournals))
  const backup = new BackupService(database, {
    signers,
    verifierKeys: keys,
    journals: restoreJournals,
    // What processes do at this moment says nothing in a restored database; who was erased is not forgotten by a restore.
    coordination: [leases, restoreJournals, backupSchedules, privacyErasures],
    checkpoints: entities.ledgerCheckpoints.collection,
    dailyAggregates: entities.dailyAggregates.collection,
    servicesOf,
    scheduler: new BackupScheduler(database, backupSchedules, 'backup'),
    sliceScheduler: new BackupScheduler(database, backupSchedules, 'slice'),
  })
  return { backup }
}
