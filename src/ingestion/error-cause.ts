import { DatabaseError, type ErrorCode } from '../core/errors.js'
import { StaleReadError } from '../core/retry-on-conflict.js'

/**
 * The cause of an error that was thrown while messages were being stored.
 *
 * - `message`: the data of one message; alone it fails again, and the others do not.
 * - `batch`: too many messages at once; a part of them may succeed.
 * - `environment`: the database, the lease or this process; it passes, or somebody has to repair it.
 */
export type ErrorCause = 'message' | 'batch' | 'environment'

const environmentCodes: ReadonlySet<ErrorCode> = new Set([
  'CONNECTION',
  'CLOSED',
  'NOT_AUTHORIZED',
  'CONTENTION',
  'STALE_VERSION',
  'TRANSACTION',
  'LEASE_LOST',
  'REPLICA_SET_REQUIRED',
  'RESTORING',
  'SETUP_BLOCKED',
  'STORAGE',
  'CONFIGURATION',
])

/**
 * The server's numbers of errors that no data causes and that {@link DatabaseError} has no code of its own for (MongoDB,
 * `src/mongo/base/error_codes.yml`). Those of a server that is going or coming are `CONNECTION`.
 */
const passingErrors: ReadonlySet<number> = new Set([
  1, // InternalError
  8, // UnknownError
  24, // LockTimeout
  26, // NamespaceNotFound: the set-up is missing
  43, // CursorNotFound
  46, // LockBusy
  59, // CommandNotFound
  63, // StaleShardVersion
  64, // WriteConcernFailed
  79, // UnknownReplWriteConcern
  95, // NotSecondary
  96, // OperationFailed
  100, // UnsatisfiableWriteConcern
  112, // WriteConflict
  117, // ConflictingOperationInProgress
  133, // FailedToSatisfyReadPreference
  146, // ExceededMemoryLimit
  175, // QueryPlanKilled
  201, // NetworkInterfaceExceededTimeLimit
  211, // KeyNotFound
  225, // TransactionTooOld
  239, // SnapshotTooOld
  246, // SnapshotUnavailable
  267, // PreparedTransactionInProgress
  291, // NoQueryExecutionPlans
  391, // ReauthenticationRequired
  11_601, // Interrupted
  12_586, // BackgroundOperationInProgressForDatabase
  12_587, // BackgroundOperationInProgressForNamespace
  13_388, // StaleConfig
  14_031, // OutOfDiskSpace
])

/** The time that a transaction may take is over: with fewer messages it takes less. */
const transactionEnded: ReadonlySet<number> = new Set([
  251, // NoSuchTransaction
  290, // TransactionExceededLifetimeLimitSeconds
])

/**
 * The cause of the error. One that is not known to be the environment's is taken for the message's: the message is refused.
 * Where the database was the cause after all, the refusal cannot be stored either, and the whole batch is tried again.
 */
export function errorCauseOf(error: unknown): ErrorCause {
  if (error instanceof StaleReadError) return 'environment'
  if (!(error instanceof DatabaseError)) return isOfSystem(error) ? 'environment' : 'message'
  const code = serverCodeOf(error)
  if (error.code === 'TIMEOUT' || (code !== undefined && transactionEnded.has(code))) return 'batch'
  if (environmentCodes.has(error.code) || error.retryable) return 'environment'
  return code !== undefined && passingErrors.has(code) ? 'environment' : 'message'
}

/** The number by which the server named the error that is behind this one. */
function serverCodeOf({ cause }: DatabaseError): number | undefined {
  if (cause instanceof DatabaseError) return serverCodeOf(cause)
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'number' ? cause.code : undefined
}

/** What the operating system refused: a socket, a file, memory. */
function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
