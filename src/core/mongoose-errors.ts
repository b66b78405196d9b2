import mongoose from 'mongoose'
import { ConflictError, DatabaseError, ValidationError, type ValidationIssue } from './errors.js'
import { OriginalError } from './redact.js'
import { type ErrorSubject, hasErrorLabel, translateError } from './translate-error.js'
import { typeName } from './validate.js'

const { CastError, DocumentNotFoundError, ValidationError: ModelValidationError, VersionError } = mongoose.Error

/** Turns whatever Mongoose or the driver threw into one of our errors; ours, and errors of the host's own, pass as they are. */
export function translateModelError(error: unknown, subject: ErrorSubject): unknown {
  // Mongoose and the driver repeat a host's own transaction by the label of the error: that one has to stay.
  if (hasErrorLabel(error, 'TransientTransactionError')) return error
  if (!(error instanceof mongoose.Error)) return translateError(error, subject)
  const cause = new OriginalError(withoutValues(error))
  if (error instanceof ModelValidationError) {
    return new ValidationError(subject.name, Object.entries(error.errors).flatMap(issuesAt), { cause })
  }
  if (error instanceof CastError) return new ValidationError(subject.name, issuesAt([error.path, error]), { cause })
  if (error.name === 'StrictModeError' && 'path' in error) {
    const issue = { path: String(error.path), message: 'is not a field', received: 'unknown' }
    return new ValidationError(subject.name, [issue], { cause })
  }
  if (error instanceof VersionError || error instanceof DocumentNotFoundError) {
    return new ConflictError('STALE_VERSION', `The ${subject.name} was changed or removed meanwhile`, {}, { cause })
  }
  const translated = translateError(error, subject)
  return translated === error ? new DatabaseError('DATABASE', cause.message, { cause }) : translated
}

/** Mongoose quotes values and filters in its messages. */
function withoutValues(error: Error): Error {
  const message = `${error.name} of Mongoose`
  return Object.assign(new Error(message), { name: error.name, stack: error.stack })
}

function issuesAt([path, error]: [string, Error]): ValidationIssue[] {
  const unknown = error instanceof CastError ? error.reason : error
  if (unknown?.name === 'StrictModeError' && 'path' in unknown) {
    return [{ path: `${path}.${String(unknown.path)}`, message: 'is not a field', received: 'unknown' }]
  }
  if (error instanceof CastError) {
    return [{ path, message: `expected ${error.kind}`, received: typeName(error.value) }]
  }
  // A nested document's own failure is reported field by field beside it.
  if (error instanceof ModelValidationError) return []
  const kind = 'kind' in error && typeof error.kind === 'string' ? error.kind : 'unknown'
  return [{ path, message: error.message, received: kind }]
}
