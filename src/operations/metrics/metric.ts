import type { Health } from '../../core/health.js'
import type { LibraryFigures } from './library-figures.js'

/** Watched ingestion: what metrics read of the status of an ingestion. */
export interface WatchedIngestion {
  status(): {
    readonly sessions: Readonly<Record<'ordered' | 'shared', string>>
    readonly received: number
    readonly processed: number
    readonly acknowledged: number
    readonly entries: number
    readonly repeated: number
    readonly quarantined: number
    readonly ignored: number
    readonly retries: number
    readonly pending: number
    readonly lagMs: number
    readonly budgets: Readonly<Record<string, { readonly bytes: number; readonly maximumBytes: number }>>
  }
}

/** Metric reading: everything that metrics are read from, at one moment. */
export interface MetricReading {
  readonly health: Health
  /** Null while the database is down. */
  readonly figures: LibraryFigures | null
  /** By the names that the host gives them. */
  readonly ingestions: Readonly<Record<string, ReturnType<WatchedIngestion['status']>>>
}

/** One value of a metric, with its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Metric: a figure that is read when somebody asks for it. */
export interface Metric {
  /** In words with dots between them, without a unit, such as `ledger.entries`. */
  readonly name: string
  /** A counter only grows, but for a new start of the process. */
  readonly kind: 'gauge' | 'counter'
  /** By UCUM: `s` seconds, `By` bytes, else what is counted. */
  readonly unit: 's' | 'By' | `{${string}}` | '1'
  readonly help: string
  readonly labels: readonly string[]
  readonly samples: (reading: MetricReading) => readonly Sample[]
}
