import { ValidationError } from '../../core/errors.js'
import { isRecord } from '../../core/is-record.js'
import { OriginalError } from '../../core/redact.js'
import { serverCode } from '../../core/server-codes.js'
import { serverIssues } from '../../core/server-issues.js'
import { serverErrorCode } from '../../core/translate-error.js'

/** Of an error about a document that its validator refuses: one that names the document. Others stay as they are. */
export function namingDocument(collection: string, error: unknown): unknown {
  if (!(error instanceof Error) || serverErrorCode(error) !== serverCode.documentValidationFailure) return error
  const id = failingId(error)
  const subject = id === undefined ? `A document of ${collection}` : `The document ${String(id)} of ${collection}`
  return new ValidationError(subject, serverIssues(error, []), { cause: new OriginalError(error) })
}

/** Of a bulk write the driver keeps the answer for each operation; the first one ended it. */
function failingId(error: Error): unknown {
  const { errInfo, writeErrors } = error as { errInfo?: unknown; writeErrors?: unknown }
  const [first] = Array.isArray(writeErrors) ? (writeErrors as unknown[]) : [writeErrors]
  const ofWrite = isRecord(first) ? (first.errInfo ?? (isRecord(first.err) ? first.err.errInfo : undefined)) : undefined
  const info = errInfo ?? ofWrite
  return isRecord(info) ? info.failingDocumentId : undefined
}
