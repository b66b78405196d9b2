import type { Backfill, IndexStep, MigrationContext, MigrationFunction, PlannedChange } from '../migration.js'

export type StepKind = 'function' | 'transaction' | 'repeatable' | 'indexes' | 'backfill' | 'verification'

/** A step of a migration, ready to be run. */
export type LoadedStep = { readonly checksum: string } & (
  | { readonly kind: 'function' | 'transaction' | 'repeatable' | 'verification'; readonly run: MigrationFunction }
  | { readonly kind: 'indexes'; readonly step: IndexStep }
  | { readonly kind: 'backfill'; readonly step: Backfill }
)

/**
 * Whether the step may be run again after it was broken off: a function outside a transaction that does not say so is
 * the one kind of which nobody knows how much of it is done.
 */
export function isRepeatable(kind: StepKind): boolean {
  return kind !== 'function'
}

/** A migration that was found to be one. */
export interface LoadedMigration {
  readonly id: string
  readonly description: string | undefined
  /** The file that it is from; undefined for an object. */
  readonly file: string | undefined
  /** Of the steps of `up`, in their order, but not of `verify`: what has changed the database. */
  readonly checksum: string
  /** The steps of `up`, and then its verification. */
  readonly up: readonly LoadedStep[]
  readonly down: readonly LoadedStep[] | undefined
  readonly plan: ((context: MigrationContext) => Promise<readonly PlannedChange[]>) | undefined
}
