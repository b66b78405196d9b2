import type { Budget } from '../ingestion/budget.js'
import type { Note } from '../ingestion/note.js'
import type { Fault } from './faults.js'
import type { LeasedSession } from './leased-session.js'

/** Whether a session is this process's, or another one holds it. */
export type SessionState = 'none' | 'standby' | 'connected' | 'disconnected'

type BudgetName = 'intake' | 'quarantine' | 'unknownDevices' | 'deviceStates' | 'inFlight' | 'telemetry' | 'lives'

/** Ingestion status: how ingestion is doing. */
export interface IngestionStatus {
  readonly sessions: Readonly<Record<'ordered' | 'shared', SessionState>>
  readonly received: number
  /** Messages that are durable. */
  readonly processed: number
  readonly acknowledged: number
  /** New ledger entries. */
  readonly entries: number
  /** Deliveries and events that were known already. */
  readonly repeated: number
  readonly quarantined: number
  /** Messages that no decoder of their session has: the broker had queued them for an earlier configuration. They are dropped. */
  readonly ignored: number
  /** Messages that were taken without values of theirs that cannot be used: how many, and what was left out last. */
  readonly notes: { readonly count: number; readonly last: Note | null }
  /** Messages that are taken and not durable yet. */
  readonly pending: number
  /** Whether the socket is not being read, because the database does not keep up. */
  readonly isHolding: boolean
  /** How long the oldest of the pending messages has been waiting. */
  readonly lagMs: number
  /** What everything that messages can fill takes of what it may take: in memory, and of the quarantine in the database. */
  readonly budgets: Readonly<Record<BudgetName, Budget>>
  /** Batches that had to be tried again. */
  readonly retries: number
  /**
   * What is wrong with the broker, the database or a lease at the moment, and when that was last met; without credentials.
   * Null once it works again.
   */
  readonly lastError: Fault | null
}

export function stateOf(leased: LeasedSession | undefined): SessionState {
  if (leased === undefined) return 'none'
  if (leased.session === undefined) return 'standby'
  return leased.session.isConnected ? 'connected' : 'disconnected'
}
