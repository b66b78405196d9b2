/**
 * Migrations of your own, and the mappings of adoptions.
 *
 * @module @autovolt/data/migrations
 */
export type { AdoptionDay, AdoptionExtra, AdoptionReject } from './adoption/adoption-entities.js'
export { collectionsBesideOrigin } from './adoption/beside-origin.js'
export type { ComparedDay } from './adoption/findings.js'
export type { AdoptionMapping, CollectionMapping, FieldMapping, OriginSystem } from './adoption/mapping/mapping.js'
export { standardMappings } from './adoption/mapping/standard-mappings.js'
export type { AdoptionOptions, AdoptionProgress, FollowOptions, FollowStep } from './adoption/options.js'
export type {
  AdoptedKey,
  AdoptionReport,
  CollectionAdoption,
  ConflictAdoption,
  DayComparison,
  SwitchAdoption,
  Treatment,
  WholeDeviceAdoption,
} from './adoption/report.js'
export type { MigrationState, MigrationStatus } from './assessment/assess.js'
export type { MigrationProblem, ProblemKind } from './assessment/problem.js'
export type { CommandStreams } from './command-line/command.js'
export type { MigrationCommandName } from './command-line/commands.js'
export { runMigrationCommand } from './command-line/run-migration-command.js'
export type { PlannedMigration } from './commands/plan.js'
export type { RepairAs } from './commands/repair.js'
export type { MigrationLanguage } from './create-file.js'
export type { MigrationEvent, MigrationRun } from './log/migration-record.js'
export {
  type Backfill,
  type BackfillCursor,
  type BackfillFunction,
  type BackfillPage,
  type CursorBackfill,
  defineMigration,
  type FunctionBackfill,
  type IndexStep,
  type Migration,
  type MigrationContext,
  type MigrationFunction,
  type MigrationStep,
  type PlannedChange,
  type Seed,
  type UpdateBackfill,
} from './migration.js'
export type { MigrateReport, Migrations, MigrationsStatus } from './migrations.js'
export type { LockedOptions, MigrateOptions, MigrationOptions, RollbackOptions, SeedOptions } from './options.js'
export type { MigrationLock } from './run/lock.js'
export { MigrationError } from './run/migration-error.js'
export type { RunEvent, RunProgress } from './run/run-parts.js'
export type { LegacyTotal } from './shipped/legacy/legacy-totals.js'
