import type { Database } from '../core/database.js'
import type { EntityDescription } from '../core/entity.js'
import { Adoption } from './adoption/adoption.js'
import { adoptionDayEntity, adoptionExtraEntity, adoptionRejectEntity } from './adoption/adoption-entities.js'
import type { AdoptionNeeds } from './adoption/stores.js'
import { migrationChangeEntity } from './log/migration-change.js'
import { migrationHistoryEntity, migrationRecordEntity } from './log/migration-record.js'
import { Migrations } from './migrations.js'
import { type MigrationOptions, parseMigrationOptions } from './options.js'
import { type SampleNeeds, sampleData } from './shipped/sample-data.js'
import { legacyPartsOf, type ShippedNeeds, type ShippedParts, shippedMigrations } from './shipped/shipped-migrations.js'

export type MigrationsCollection =
  | 'migrations'
  | 'migrationHistory'
  | 'migrationChanges'
  | 'adoptionRejects'
  | 'adoptionExtras'
  | 'adoptionDays'

export const migrationsEntities = {
  migrations: migrationRecordEntity,
  migrationHistory: migrationHistoryEntity,
  migrationChanges: migrationChangeEntity,
  adoptionRejects: adoptionRejectEntity,
  adoptionExtras: adoptionExtraEntity,
  adoptionDays: adoptionDayEntity,
} satisfies Record<MigrationsCollection, object>

export interface MigrationsOptions {
  /** The host's migrations, and how they are run. */
  readonly migrations?: MigrationOptions
}

/** Migrations services: what migrations bring to the handle. */
export interface MigrationsServices {
  /** Evolution of the database, from version to version. */
  readonly migrations: Migrations
}

/** Migrations needs: what migrations need of the other domains. */
export interface MigrationsNeeds extends ShippedNeeds, Omit<SampleNeeds, 'clock'>, AdoptionNeeds {
  /** All entities of the handle, by what it calls them. */
  readonly entities: ShippedParts['entities']
  readonly leaseEntity: EntityDescription
}

/** @throws ValidationError for options that are none. */
export function openMigrations(
  database: Database,
  entities: typeof migrationsEntities,
  needs: MigrationsNeeds,
  { migrations: options }: MigrationsOptions,
): MigrationsServices {
  const adoption = new Adoption(database, {
    needs,
    stores: { rejects: entities.adoptionRejects, extras: entities.adoptionExtras, days: entities.adoptionDays },
    entities: needs.entities,
    lockDurationMs: parseMigrationOptions(options).lockDurationMs,
  })
  const shipped = { needs, entities: needs.entities }
  const migrations = new Migrations(database, {
    adoption,
    ownEntities: entities,
    leaseEntity: needs.leaseEntity,
    entities: needs.entities,
    shipped: shippedMigrations(database, shipped),
    legacy: legacyPartsOf(database, shipped),
    sampleData: sampleData({ ...needs, clock: database.clock }),
    options,
  })
  return { migrations }
}
