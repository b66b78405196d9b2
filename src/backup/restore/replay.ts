import type { Database } from '../../core/database.js'
import type { Lease } from '../../core/lease.js'
import type { restoreJournalEntity } from './restore-journal.js'
import type { PlannedRestore } from './restore-plan.js'

export interface ReplayContext {
  /** What is written is written under its guard. */
  readonly lease: Lease
  readonly journals: typeof restoreJournalEntity
  readonly signal: AbortSignal
  /** Called with how many changes were done. */
  readonly report: (changes: number) => void
}

/** Replay: what has happened since a backup, to be done once more with its documents in a new database. */
export interface Replay {
  /** What there is in the end. */
  readonly planned: readonly PlannedRestore[]
  /** Goes on from where an attempt before was interrupted. */
  run(database: Database, context: ReplayContext): Promise<void>
}
