/** What went wrong, as a value to branch on. Every error of this library carries one of these. */
export type ErrorCode =
  | 'VALIDATION'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'STALE_VERSION'
  | 'CONNECTION'
  | 'NOT_AUTHORIZED'
  | 'TIMEOUT'
  | 'CLOSED'
  | 'TRANSACTION'
  | 'REPLICA_SET_REQUIRED'
  | 'HISTORY_LOST'
  | 'UNINDEXED_SORT'
  | 'APPEND_ONLY'
  | 'KEY_RING'
  | 'LEASE_LOST'
  | 'CURRENCY_FIXED'
  | 'LEDGER_DAMAGED'
  | 'NOT_COVERED'
  | 'ARCHIVED'
  | 'CONFIGURATION'
  | 'DATABASE'

export interface DatabaseErrorOptions {
  readonly cause?: unknown
  /** Whether the same call may succeed if it is made again. */
  readonly retryable?: boolean
}

/**
 * The base of every error that leaves this library. What the driver or Mongoose said, where one of them did,
 * is its `cause`, without credentials and without documents.
 */
export class DatabaseError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options: DatabaseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? false
  }

  toJSON(): Record<string, unknown> {
    return { name: this.name, code: this.code, message: this.message, retryable: this.retryable }
  }
}

/** One thing that is wrong with an input. */
export interface ValidationIssue {
  /** Dotted path of the field, such as `switches.0.gpio`; empty for the document as a whole. */
  readonly path: string
  readonly message: string
  /** The type that was received, such as `string`, `null` or `array`; never the value itself. */
  readonly received: string
}

/** The input does not fit its schema. Nothing was written. */
export class ValidationError extends DatabaseError {
  readonly issues: readonly ValidationIssue[]

  constructor(subject: string, issues: readonly ValidationIssue[], options: DatabaseErrorOptions = {}) {
    super('VALIDATION', `${subject} ${isPlural(subject) ? 'are' : 'is'} not valid: ${describeIssues(issues)}`, options)
    this.issues = issues
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), issues: this.issues }
  }
}

/** Of "the options of the cache" it is the options that count. */
function isPlural(subject: string): boolean {
  const [head = subject] = subject.split(/ (?:of|on|for) /)
  return /[^su]s$/.test(head)
}

const describedIssues = 10

function describeIssues(issues: readonly ValidationIssue[]): string {
  const described = issues.slice(0, describedIssues).map(describeIssue).join('; ')
  return issues.length > describedIssues ? `${described}; and ${issues.length - describedIssues} more` : described
}

function describeIssue(issue: ValidationIssue): string {
  return issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`
}

/** There is no such document. */
export class NotFoundError extends DatabaseError {
  readonly entity: string

  constructor(entity: string, what: string) {
    super('NOT_FOUND', `No ${entity} with ${what}`)
    this.entity = entity
  }
}

/** Another document, or a newer version of this one, stands in the way. Nothing was written. */
export class ConflictError extends DatabaseError {
  /** The fields whose values are taken; empty for a stale version. */
  readonly fields: readonly string[]
  /** The values that are taken, by field; a secret field's value is left out. */
  readonly values: Readonly<Record<string, unknown>>

  constructor(
    code: 'CONFLICT' | 'STALE_VERSION',
    message: string,
    details: { readonly fields?: readonly string[]; readonly values?: Readonly<Record<string, unknown>> } = {},
    options: DatabaseErrorOptions = {},
  ) {
    super(code, message, options)
    this.fields = details.fields ?? []
    this.values = details.values ?? {}
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), fields: this.fields }
  }
}

/** The database cannot be reached, or the connection was lost on the way. */
export class DatabaseConnectionError extends DatabaseError {
  constructor(message: string, options: DatabaseErrorOptions = {}) {
    super('CONNECTION', message, { retryable: true, ...options })
  }
}
