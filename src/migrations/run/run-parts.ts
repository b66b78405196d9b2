import type { Database } from '../../core/database.js'
import type { MigrationLog } from '../log/migration-log.js'
import type { MigrationRun } from '../log/migration-record.js'
import type { EntitiesByKey } from './context.js'
import type { Fence } from './fence.js'

export type Direction = 'up' | 'down'

/** Run event: what happens while migrations are run. */
export type RunEvent =
  | { readonly type: 'started' | 'finished'; readonly migration: string; readonly direction: Direction }
  | RunProgress

/** Run progress: how far a step of a migration has come. */
export interface RunProgress {
  readonly type: 'progress'
  readonly migration: string
  readonly direction: Direction
  /** The number of the step, from 1, and how many there are. */
  readonly step: number
  readonly steps: number
  readonly done: number
  /** Null if it is not known. */
  readonly total: number | null
  readonly perSecond: number
  /** Null if it is not known. */
  readonly remainingMs: number | null
}

/** Run parts: what everything that runs under one holding of the lock shares. */
export interface RunParts {
  readonly database: Database
  readonly log: MigrationLog
  readonly fence: Fence
  readonly run: MigrationRun
  readonly entities: EntitiesByKey
  /** Aborted when the lock is lost, the handle closed, or the run stopped. */
  readonly signal: AbortSignal
  readonly report: (event: RunEvent) => void
}
