// Which status an error of the library is answered with, the same for every framework.
import { BusyError, DatabaseError, type ErrorCode } from '@autovolt/data'

/** What a caller can do something about; the rest is the service's own, and a 500. */
export const statusOfCode: Readonly<Partial<Record<ErrorCode, number>>> = {
  VALIDATION: 400,
  TOKEN_REFUSED: 400,
  UNINDEXED_SORT: 400,
  SIGN_IN_REFUSED: 401,
  ACCESS_DENIED: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  STALE_VERSION: 409,
  LAST_WAY_IN: 409,
  ERASURE_HELD: 409,
  CURRENCY_FIXED: 409,
  NOT_COVERED: 409,
  NOT_EMPTY: 409,
  ARCHIVED: 410,
  HISTORY_LOST: 410,
  BUSY: 503,
  CONTENTION: 503,
  CONNECTION: 503,
  TIMEOUT: 503,
  CLOSED: 503,
  LEASE_LOST: 503,
  RESTORING: 503,
  ANCHOR_UNREACHABLE: 503,
  STORAGE: 503,
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
}

/** Of what is the service's own fault the caller learns nothing; the log has it. */
export function answerTo(error: unknown): HttpAnswer {
  const status = statusOf(error)
  const wait = error instanceof BusyError ? Math.ceil(error.retryAfterMs / 1000) : 1
  const headers: Readonly<Record<string, string>> = status === 503 ? { 'retry-after': String(wait) } : {}
  const isTheirs = error instanceof DatabaseError && status < 500
  return {
    status,
    headers,
    body: isTheirs ? error.toJSON() : { message: messages[status] ?? 'The request is not valid' },
  }
}

const messages: Readonly<Record<number, string>> = { 500: 'Something went wrong', 503: 'Try again later' }

/** Frameworks mark what is wrong with a request by a status, too. */
function statusOf(error: unknown): number {
  if (error instanceof DatabaseError) return statusOfCode[error.code] ?? 500
  const { statusCode, status = statusCode } = error as { statusCode?: unknown; status?: unknown }
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500
}
