import { MongoError, MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb'
import { ConflictError, DatabaseConnectionError, DatabaseError, ValidationError } from './errors.js'
import { isRecord } from './is-record.js'
import { redactCredentials, redactError } from './redact.js'
import { serverIssues } from './server-issues.js'

/** What an error is about: the entity's name, and which of its fields are secret. */
export interface ErrorSubject {
  readonly name: string
  readonly secretFields: ReadonlySet<string>
}

const databaseItself: ErrorSubject = { name: 'document', secretFields: new Set() }

const duplicateKey = 11000
const validationFailed = 121
const exceededTimeLimit = 50
const historyLost = new Set([280, 286])
const noTransactions = 20
const retryableLabels = [
  'TransientTransactionError',
  'RetryableWriteError',
  'UnknownTransactionCommitResult',
  'ResumableChangeStreamError',
]

/** Whether the error, or the driver's error that caused it, carries the label. */
export function hasErrorLabel(error: unknown, label: string): boolean {
  if (error instanceof MongoError) return error.hasErrorLabel(label)
  return error instanceof DatabaseError && hasErrorLabel(error.cause, label)
}

/** Turns whatever the driver or Mongoose threw into one of our errors; ours, and errors of the host's own, pass as they are. */
export function translateError(error: unknown, subject: ErrorSubject = databaseItself): unknown {
  if (error instanceof DatabaseError) return error
  if (error instanceof MongoServerSelectionError || error instanceof MongoNetworkError) {
    return new DatabaseConnectionError(`The database cannot be reached: ${redactCredentials(error.message)}`, {
      cause: redactError(error),
    })
  }
  if (error instanceof MongoServerError) return translateServerError(error, subject)
  if (error instanceof MongoError) {
    const closed =
      error.name === 'MongoClientClosedError' ||
      error.name === 'MongoNotConnectedError' ||
      error.name === 'MongoTopologyClosedError'
    return new DatabaseError(closed ? 'CLOSED' : 'DATABASE', redactCredentials(error.message), {
      cause: redactError(error),
      retryable: isRetryable(error),
    })
  }
  return error
}

function translateServerError(error: MongoServerError, subject: ErrorSubject): DatabaseError {
  const cause = redactError(error)
  if (error.code === duplicateKey) return conflict(error, subject)
  if (error.code === validationFailed) return new ValidationError(subject.name, serverIssues(error), { cause })
  if (error.code === exceededTimeLimit) {
    return new DatabaseError('TIMEOUT', 'The operation took longer than its time limit', { cause, retryable: true })
  }
  if (typeof error.code === 'number' && historyLost.has(error.code)) {
    return new DatabaseError('HISTORY_LOST', 'The changes since the resume token are no longer in the oplog', { cause })
  }
  if (error.code === noTransactions && /replica set|mongos/i.test(error.message)) {
    return new DatabaseError('REPLICA_SET_REQUIRED', 'Transactions need a replica set or a sharded cluster', { cause })
  }
  return new DatabaseError('DATABASE', redactCredentials(error.message), { cause, retryable: isRetryable(error) })
}

function isRetryable(error: MongoError): boolean {
  return retryableLabels.some((label) => error.hasErrorLabel(label))
}

function conflict(error: MongoServerError, subject: ErrorSubject): ConflictError {
  const { keyPattern, keyValue } = duplicateOf(error)
  // A soft deletion's date is in unique indexes only so that deleted documents free their values.
  const fields = Object.keys(keyPattern).filter((field) => field !== 'deletedAt')
  const values: Record<string, unknown> = {}
  for (const field of fields) if (!subject.secretFields.has(field)) values[field] = keyValue[field]
  const described = fields.map((field) => (field in values ? `${field} ${JSON.stringify(values[field])}` : field))
  return new ConflictError(
    'CONFLICT',
    `There is already a ${subject.name} with ${described.join(', ')}`,
    { fields, values },
    { cause: redactError(error) },
  )
}

type KeyDetails = { keyPattern: Record<string, unknown>; keyValue: Record<string, unknown> }

/** The key pattern and value of a duplicate key error: at the top, or on the first write error of a bulk write. */
function duplicateOf(error: MongoServerError): KeyDetails {
  const own = keyDetailsOf(error)
  if (own !== undefined) return own
  const writeErrors: unknown = error.writeErrors
  const first: unknown = Array.isArray(writeErrors) ? writeErrors[0] : undefined
  const raw: unknown = isRecord(first) ? first.err : undefined
  return keyDetailsOf(raw) ?? { keyPattern: {}, keyValue: {} }
}

function keyDetailsOf(value: unknown): KeyDetails | undefined {
  if (!isRecord(value) || !isRecord(value.keyPattern)) return undefined
  const keyValue = value.keyValue
  return { keyPattern: value.keyPattern, keyValue: isRecord(keyValue) ? keyValue : {} }
}
