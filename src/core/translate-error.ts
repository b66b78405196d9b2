import type { MongoServerError } from 'mongodb'
import type { EntityDescription, EntityRule } from './entity.js'
import { ConflictError, DatabaseConnectionError, DatabaseError, ValidationError } from './errors.js'
import { type IndexDefinition, indexName, rebuiltName } from './index-definition.js'
import { isRecord } from './is-record.js'
import { OriginalError } from './redact.js'
import { serverCode } from './server-codes.js'
import { serverIssues } from './server-issues.js'

/** What an error is about: the entity's name, which of its fields are secret, and what the server checks of it. */
export interface ErrorSubject {
  readonly name: string
  readonly secretFields: ReadonlySet<string>
  /** The sealed fields by the names that their hashes are stored under. */
  readonly blindFields?: ReadonlyMap<string, string>
  readonly rules?: readonly EntityRule[]
  readonly indexes?: readonly IndexDefinition[]
}

/** What an error about a document of this entity is about. */
export function subjectOf({ name, secrets, blindIndexes, rules, indexes }: EntityDescription): ErrorSubject {
  const blindFields = new Map(Object.entries(blindIndexes).map(([field, { stored }]) => [stored, field]))
  return { name, secretFields: new Set(Object.keys(secrets)), blindFields, rules, indexes }
}

const databaseItself: ErrorSubject = { name: 'document', secretFields: new Set() }

// The driver's errors are known by name and not by class: a host may have two copies of it, its own and Mongoose's.
const unreachable = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongooseServerSelectionError',
  'MongoPoolClearedError',
  'MongoPoolClearedOnNetworkError',
  'PoolClearedOnNetworkError',
])
const closed = new Set([
  'MongoClientClosedError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoPoolClosedError',
  'MongoServerClosedError',
])
const tooSlow = new Set(['MongoOperationTimeoutError', 'MongoWaitQueueTimeoutError'])

/** Of a certificate that no user has the server says that there is no such user. */
const notAuthorized = new Set<number>([serverCode.unauthorized, serverCode.userNotFound, 18, 8000])
const exceededTimeLimit = new Set([50, 262])
const historyLost = new Set([280, 286])
/** The server is going down, coming up, or no primary any more: what the driver itself takes for a lost server. */
const serverLost = new Set([6, 7, 89, 91, 134, 189, 9001, 10058, 10107, 11600, 11602, 13435, 13436])
const retryableLabels = [
  'TransientTransactionError',
  'RetryableWriteError',
  'UnknownTransactionCommitResult',
  'ResumableChangeStreamError',
]

interface DriverError extends Error {
  readonly errorLabels: readonly string[]
  readonly code?: unknown
}

function isDriverError(error: Error): error is DriverError {
  return 'hasErrorLabel' in error && typeof error.hasErrorLabel === 'function'
}

interface ServerError extends DriverError {
  readonly errorResponse: unknown
}

function isServerError(error: DriverError): error is ServerError {
  return 'errorResponse' in error || error.name === 'MongoBulkWriteError'
}

/** The number with which the server refused the operation; undefined for every other error. */
export function serverErrorCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !isDriverError(error) || !isServerError(error)) return undefined
  return typeof error.code === 'number' ? error.code : undefined
}

/** Whether the error, or the driver's error that caused it, carries the label. */
export function hasErrorLabel(error: unknown, label: string): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof DatabaseError) return hasErrorLabel(error.cause, label)
  return (isDriverError(error) || error instanceof OriginalError) && error.errorLabels.includes(label)
}

/** Turns whatever the driver threw into one of our errors; ours, and errors of the host's own, pass as they are. */
export function translateError(error: unknown, subject: ErrorSubject = databaseItself): unknown {
  if (!(error instanceof Error) || error instanceof DatabaseError) return error
  if (unreachable.has(error.name) || isOfSocket(error)) return unreachableError(new OriginalError(error))
  if (isBsonError(error)) return notStorable(new OriginalError(error))
  return isDriverError(error) ? translateDriverError(error, subject) : error
}

/** What the system says of a socket whose server is gone, which the driver passes on as it is now and then. */
function isOfSocket(error: Error): boolean {
  return 'syscall' in error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET')
}

function translateDriverError(error: DriverError, subject: ErrorSubject): DatabaseError {
  const cause = new OriginalError(error)
  if (tooSlow.has(error.name)) return timeout(cause)
  if (closed.has(error.name)) return new DatabaseError('CLOSED', 'The connection is closed', { cause })
  if (isServerError(error)) return translateServerError(error, cause, subject)
  return new DatabaseError('DATABASE', cause.message, { cause, retryable: isRetryable(error) })
}

function translateServerError(error: ServerError, cause: OriginalError, subject: ErrorSubject): DatabaseError {
  const code = typeof error.code === 'number' ? error.code : 0
  if (code === serverCode.duplicateKey) return conflict(error, cause, subject)
  if (code === serverCode.documentValidationFailure) {
    return new ValidationError(subject.name, serverIssues(error, subject.rules ?? []), { cause })
  }
  if (exceededTimeLimit.has(code)) return timeout(cause)
  if (serverLost.has(code)) return unreachableError(cause)
  if (historyLost.has(code)) {
    return new DatabaseError('HISTORY_LOST', 'The changes since the resume token are no longer in the oplog', { cause })
  }
  if (code === serverCode.illegalOperation && /replica set|mongos/i.test(error.message))
    return standalone('Transactions', cause)
  if (code === serverCode.changeStreamNeedsReplicaSet) return standalone('Change streams', cause)
  if (notAuthorized.has(code))
    return new DatabaseError('NOT_AUTHORIZED', `The database refused: ${cause.message}`, { cause })
  return new DatabaseError('DATABASE', cause.message, { cause, retryable: isRetryable(error) })
}

function isBsonError(error: Error): boolean {
  return 'bsonError' in error && error.bsonError === true
}

function notStorable(cause: OriginalError): DatabaseError {
  return new DatabaseError('DATABASE', `The data cannot be stored: ${cause.message}`, { cause })
}

function unreachableError(cause: OriginalError): DatabaseConnectionError {
  return new DatabaseConnectionError(`The database cannot be reached: ${cause.message}`, { cause })
}

function timeout(cause: OriginalError): DatabaseError {
  return new DatabaseError('TIMEOUT', 'The operation took longer than its time limit', { cause, retryable: true })
}

function standalone(what: string, cause: OriginalError): DatabaseError {
  return new DatabaseError('REPLICA_SET_REQUIRED', `${what} need a replica set or a sharded cluster`, { cause })
}

function isRetryable(error: DriverError): boolean {
  return retryableLabels.some((label) => error.errorLabels.includes(label))
}

function conflict(error: ServerError, cause: OriginalError, subject: ErrorSubject): ConflictError {
  const { keys, document } = duplicateOf(error, subject)
  const fields = keys.map((key) => subject.blindFields?.get(key) ?? key)
  const values: Record<string, unknown> = {}
  for (const field of fields) {
    const isShown = !subject.secretFields.has(field) && Object.hasOwn(document, field)
    if (isShown) values[field] = document[field]
  }
  const described = fields.map((field) => (field in values ? `${field} ${describe(values[field])}` : field))
  const what = described.length === 0 ? 'one of the values that must be unique' : described.join(', ')
  return new ConflictError('CONFLICT', `There is already a ${subject.name} with ${what}`, { fields, values }, { cause })
}

function describe(value: unknown): string {
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}

interface Duplicate {
  readonly keys: readonly string[]
  /** Where the values of the keys are found. */
  readonly document: Readonly<Record<string, unknown>>
}

/** The keys that are taken: as the server says, or of a bulk write, whose errors the driver cuts down to a text. */
function duplicateOf(error: ServerError, { indexes = [] }: ErrorSubject): Duplicate {
  const { keyPattern, keyValue, writeErrors } = error as {
    keyPattern?: unknown
    keyValue?: unknown
    writeErrors?: unknown
  }
  if (isRecord(keyPattern)) return { keys: Object.keys(keyPattern), document: isRecord(keyValue) ? keyValue : {} }
  const first: unknown = Array.isArray(writeErrors) ? writeErrors[0] : writeErrors
  const written: unknown = isRecord(first) && isRecord(first.err) ? first.err.op : undefined
  const name = /index: (\S+) dup key/.exec(error.message)?.[1]
  const index = indexes.find((declared) => name === indexName(declared) || name === rebuiltName(declared))
  const keys = index === undefined ? (name === '_id_' ? ['_id'] : []) : Object.keys(index.key)
  return { keys, document: isRecord(written) ? written : {} }
}

/** Marks the error so that the transaction that it came up in is run again from its start. */
export function asTransient(error: MongoServerError): MongoServerError {
  error.addErrorLabel('TransientTransactionError')
  return error
}
