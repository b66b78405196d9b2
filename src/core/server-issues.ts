import type { EntityRule } from './entity.js'
import type { ValidationIssue } from './errors.js'
import { isRecord } from './is-record.js'
import { typeName } from './validate.js'

/**
 * The issues in a server validator's answer, whose `details` are a tree of what failed.
 * @param rules The rules across fields, in the order in which the validator has them after the shape.
 */
export function serverIssues(error: object, rules: readonly EntityRule[]): ValidationIssue[] {
  const details = detailsOf(error)
  const clauses = details?.operatorName === '$and' ? recordsIn(details.clausesNotSatisfied) : []
  const shape = clauses.length === 0 ? details : recordsIn(clauses.find(({ index }) => index === 0)?.details)[0]
  const issues = shape === undefined ? [] : shapeIssues(shape, '')
  // A rule means something only for a document of the right shape.
  if (issues.length > 0) return issues
  const broken = clauses.map(({ index }) => rules[Number(index) - 1]).filter((rule) => rule !== undefined)
  return broken.length > 0 ? broken.map(brokenRule) : [unexplained]
}

const unexplained: ValidationIssue = {
  path: '',
  message: 'was refused by the validator of the collection',
  received: 'object',
}

function brokenRule({ path, message }: EntityRule): ValidationIssue {
  return { path, message, received: 'object' }
}

/** Of a bulk write the driver keeps the answer for each operation; the first one ended it. */
function detailsOf(error: object): Record<string, unknown> | undefined {
  const { errInfo, writeErrors } = error as { errInfo?: unknown; writeErrors?: unknown }
  const [first] = recordsIn(writeErrors)
  const info = errInfo ?? first?.errInfo ?? (isRecord(first?.err) ? first.err.errInfo : undefined)
  return isRecord(info) && isRecord(info.details) ? info.details : undefined
}

function shapeIssues(node: Record<string, unknown>, path: string): ValidationIssue[] {
  switch (node.operatorName) {
    case '$jsonSchema':
      return recordsIn(node.schemaRulesNotSatisfied).flatMap((rule) => shapeIssues(rule, path))
    case 'properties':
      return recordsIn(node.propertiesNotSatisfied).flatMap((property) => issuesWithin(property, path))
    case 'patternProperties':
      return recordsIn(node.details).flatMap((property) => issuesWithin(property, path))
    case 'items':
      // Of a list whose places have schemas of their own, each place says for itself what is wrong.
      return 'itemIndex' in node
        ? issuesWithin(node, path)
        : recordsIn(node.details).flatMap((item) => issuesWithin(item, path))
    case 'required':
      return namesIn(node.missingProperties).map((name) => ({
        path: join(path, name),
        message: 'is required',
        received: 'undefined',
      }))
    case 'additionalProperties':
      return namesIn(node.additionalProperties).map((name) => ({
        path: join(path, name),
        message: 'is not a field',
        received: 'unknown',
      }))
    case 'anyOf':
    case 'oneOf':
      return [{ path, message: 'has none of the forms that it may have', received: receivedBy(node) }]
    default:
      return [{ path, message: messageOf(node), received: receivedBy(node) }]
  }
}

/** The issues of a property or an item, which it names. */
function issuesWithin({ propertyName, itemIndex, details }: Record<string, unknown>, path: string): ValidationIssue[] {
  return recordsIn(details).flatMap((rule) => shapeIssues(rule, join(path, propertyName ?? itemIndex)))
}

function messageOf(leaf: Record<string, unknown>): string {
  const reason = typeof leaf.reason === 'string' ? leaf.reason : 'is refused'
  const limit = isRecord(leaf.specifiedAs) ? Object.entries(leaf.specifiedAs) : []
  return limit.length === 0
    ? reason
    : `${reason}: ${limit.map(([name, value]) => `${name} ${describe(value)}`).join(', ')}`
}

function describe(limit: unknown): string {
  return Array.isArray(limit) ? limit.map(String).join(' or ') : String(limit)
}

/** The type of the value that was looked at; of several forms, the first one's. */
function receivedBy(node: Record<string, unknown>): string {
  if ('consideredValue' in node) return typeName(node.consideredValue)
  const [form] = recordsIn(node.schemasNotSatisfied)
  const [inner] = recordsIn(form?.details)
  return inner === undefined ? 'unknown' : receivedBy(inner)
}

function recordsIn(value: unknown): Record<string, unknown>[] {
  return [value ?? []].flat().filter(isRecord)
}

function namesIn(value: unknown): string[] {
  return [value ?? []].flat().map(String)
}

function join(path: string, name: unknown): string {
  if (name === undefined) return path
  return path === '' ? String(name) : `${path}.${String(name)}`
}
