import type { MongoServerError } from 'mongodb'
import type { ValidationIssue } from './errors.js'
import { isRecord } from './is-record.js'

/** The issues in a server validator's answer. Its `details` tree names the rules that failed, by property. */
export function serverIssues(error: MongoServerError): ValidationIssue[] {
  const info: unknown = error.errInfo ?? firstWriteErrorInfo(error)
  const issues: ValidationIssue[] = []
  collect(isRecord(info) ? info.details : undefined, '', issues)
  return issues.length > 0
    ? issues
    : [{ path: '', message: 'refused by the validator of the collection', received: 'document' }]
}

function firstWriteErrorInfo(error: MongoServerError): unknown {
  const writeErrors: unknown = error.writeErrors
  const first: unknown = Array.isArray(writeErrors) ? writeErrors[0] : undefined
  return isRecord(first) ? (first.errInfo ?? (isRecord(first.err) ? first.err.errInfo : undefined)) : undefined
}

function collect(details: unknown, path: string, issues: ValidationIssue[]): void {
  if (!isRecord(details)) return
  const operator = details.operatorName
  if (operator === 'required' && Array.isArray(details.missingProperties)) {
    for (const name of details.missingProperties) {
      issues.push({ path: join(path, String(name)), message: 'is required', received: 'undefined' })
    }
    return
  }
  if (operator === 'additionalProperties' && Array.isArray(details.additionalProperties)) {
    for (const name of details.additionalProperties) {
      issues.push({ path: join(path, String(name)), message: 'is not a field', received: 'unknown' })
    }
    return
  }
  if (operator === '$expr') {
    issues.push({ path, message: 'a rule across fields is broken', received: 'object' })
    return
  }
  const before = issues.length
  for (const child of ['schemaRulesNotSatisfied', 'propertiesNotSatisfied', 'clausesNotSatisfied', 'details']) {
    const list = details[child]
    for (const item of Array.isArray(list) ? list : []) {
      if (!isRecord(item)) continue
      const name = item.propertyName
      collect(isRecord(item.details) ? item.details : item, typeof name === 'string' ? join(path, name) : path, issues)
      if (typeof name === 'string' && Array.isArray(item.details)) {
        for (const rule of item.details) collect(rule, join(path, name), issues)
      }
    }
  }
  if (issues.length === before && typeof operator === 'string' && operator !== '$jsonSchema') {
    const received =
      details.consideredType ??
      (Array.isArray(details.consideredTypes) ? details.consideredTypes.join(' or ') : undefined)
    const reason = typeof details.reason === 'string' ? details.reason : `breaks ${operator}`
    issues.push({ path, message: reason, received: typeof received === 'string' ? received : 'value' })
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
