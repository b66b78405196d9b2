/** What went wrong, as a value to branch on. Every error of this library carries one of these. */
export type ErrorCode =
  | 'VALIDATION'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'STALE_VERSION'
  | 'CONTENTION'
  | 'CONNECTION'
  | 'BUSY'
  | 'SIGN_IN_REFUSED'
  | 'TOKEN_REFUSED'
  | 'LAST_WAY_IN'
  | 'NOT_AUTHORIZED'
  | 'ACCESS_DENIED'
  | 'DELIVERY_REFUSED'
  | 'TIMEOUT'
  | 'CLOSED'
  | 'TRANSACTION'
  | 'REPLICA_SET_REQUIRED'
  | 'HISTORY_LOST'
  | 'UNINDEXED_SORT'
  | 'APPEND_ONLY'
  | 'REPOSITORY_ONLY'
  | 'KEY_RING'
  | 'LEASE_LOST'
  | 'SETUP_BLOCKED'
  | 'CURRENCY_FIXED'
  | 'LEDGER_DAMAGED'
  | 'FIRMWARE_DAMAGED'
  | 'NOT_COVERED'
  | 'ANCHOR_UNREACHABLE'
  | 'ARCHIVED'
  | 'ERASURE_HELD'
  | 'BACKUP_DAMAGED'
  | 'STORAGE'
  | 'RESTORING'
  | 'MIGRATION_DRIFT'
  | 'MIGRATION_BLOCKED'
  | 'MIGRATION_FAILED'
  | 'MIGRATION_STOPPED'
  | 'MIGRATION_LOCKED'
  | 'DATABASE_NEWER'
  | 'IRREVERSIBLE'
  | 'NOT_EMPTY'
  | 'CONFIGURATION'
  | 'DATABASE'

export interface DatabaseErrorOptions {
  /** What the driver or Mongoose said. */
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

const shownIssues = 100
const shownCharacters = 300

/** The input does not fit its schema. Nothing was written. */
export class ValidationError extends DatabaseError {
  /** What is wrong, the first 100 of it. Paths and messages have at most 300 characters. */
  readonly issues: readonly ValidationIssue[]
  /** How much is wrong, what `issues` leaves out included. */
  readonly issueCount: number

  constructor(subject: string, issues: readonly ValidationIssue[], options: DatabaseErrorOptions = {}) {
    const shown = issues.slice(0, shownIssues).map(shortened)
    const verb = isPlural(subject) ? 'are' : 'is'
    super('VALIDATION', `${subject} ${verb} not valid: ${describeIssues(shown, issues.length)}`, options)
    this.issues = shown
    this.issueCount = issues.length
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), issues: this.issues, issueCount: this.issueCount }
  }
}

/** An error is not to be longer than what it is about: paths have names that a caller has chosen. */
function shortened({ path, message, received }: ValidationIssue): ValidationIssue {
  return { path: shortenedText(path), message: shortenedText(message), received }
}

function shortenedText(text: string): string {
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text
}

/** Of "the options of the cache" it is the options that count. */
function isPlural(subject: string): boolean {
  const [head = subject] = subject.split(/ (?:of|on|for) /)
  return /[^su]s$/.test(head)
}

const describedIssues = 10

function describeIssues(issues: readonly ValidationIssue[], count: number): string {
  const described = issues.slice(0, describedIssues).map(describeIssue).join('; ')
  return count > describedIssues ? `${described}; and ${count - describedIssues} more` : described
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

/** There is more to do than can be done in time. Nothing was done. */
export class BusyError extends DatabaseError {
  /** When another attempt may be worth it. */
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs: number) {
    super('BUSY', message, { retryable: true })
    this.retryAfterMs = retryAfterMs
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), retryAfterMs: this.retryAfterMs }
  }
}

/** The database cannot be reached, or the connection was lost on the way. */
export class DatabaseConnectionError extends DatabaseError {
  constructor(message: string, options: DatabaseErrorOptions = {}) {
    super('CONNECTION', message, { retryable: true, ...options })
  }
}
