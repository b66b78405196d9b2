import { z } from 'zod'
import type { EntityDescription } from '../entity.js'
import { ValidationError, type ValidationIssue } from '../errors.js'
import { issuesOf, typeName } from '../validate.js'
import { Change } from './changes.js'
import { refuseOperators } from './compile-filter.js'

type Update = Record<string, Record<string, unknown>>

const numeric = new Set(['$inc', '$mul'])
const onItems = new Set(['$push', '$addToSet', '$pull'])

/**
 * The changes as an update document, each value checked against the schema of the field it is for.
 * @param seal Encrypts the new value of a secret field.
 * @throws ValidationError for unknown fields, values that do not fit, and changes of fields that only the library sets.
 */
export function compileChanges(
  entity: EntityDescription,
  changes: object,
  seal: (field: string, plain: string) => string,
): Update {
  const update: Update = {}
  const issues: ValidationIssue[] = []
  for (const [path, value] of Object.entries(changes)) {
    const schema = schemaAt(entity, path)
    if (schema === undefined) {
      issues.push({ path, message: 'is not a field that can be changed', received: typeName(value) })
    } else if (value === undefined) {
      issues.push({ path, message: 'is undefined; use change.unset() to remove the field', received: 'undefined' })
    } else if (value instanceof Change) {
      compileOperator(schema, path, value, update, issues)
    } else {
      const parsed = parse(schema, path, value, issues)
      const isSecret = Object.hasOwn(entity.secrets, path)
      if (issues.length === 0) put(update, '$set', path, isSecret ? seal(path, String(parsed)) : parsed)
    }
  }
  if (issues.length > 0) throw new ValidationError(`The change of ${entity.name}`, issues)
  refuseOperators(entity, 'changes', update.$set ?? {}, -1)
  return update
}

function compileOperator(
  schema: z.ZodType,
  path: string,
  change: Change<unknown>,
  update: Update,
  issues: ValidationIssue[],
): void {
  const { operator, operand } = change
  if (operator === '$unset') {
    if (schema.safeParse(undefined).success) put(update, operator, path, '')
    else issues.push({ path, message: 'is required and cannot be removed', received: 'unset' })
    return
  }
  const expected = numeric.has(operator) ? z.number() : onItems.has(operator) ? itemOf(schema) : schema
  if (expected === undefined) {
    issues.push({ path, message: `is not a list, so ${operator} does not fit`, received: 'change' })
    return
  }
  put(update, operator, path, parse(expected, path, operand, issues))
}

function parse(schema: z.ZodType, path: string, value: unknown, issues: ValidationIssue[]): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  for (const issue of issuesOf(result.error, value)) {
    issues.push({ ...issue, path: issue.path === '' ? path : `${path}.${issue.path}` })
  }
  return undefined
}

function put(update: Update, operator: string, path: string, value: unknown): void {
  update[operator] ??= {}
  update[operator][path] = value
}

const managed = new Set(['_id', 'createdAt', 'updatedAt', '__v', 'deletedAt'])

/** The schema of the field that a dotted path names; undefined where there is none, or where only the library may write. */
function schemaAt(entity: EntityDescription, path: string): z.ZodType | undefined {
  const [head = '', ...tail] = path.split('.')
  if (Object.hasOwn(entity.secrets, path)) return entity.secrets[path]
  if (managed.has(head) || Object.hasOwn(entity.secrets, head) || !Object.hasOwn(entity.storedSchema.shape, head))
    return undefined
  let schema: z.ZodType | undefined = entity.storedSchema.shape[head] as z.ZodType
  for (const segment of tail) {
    const inner: z.ZodType = unwrap(schema)
    if (inner instanceof z.ZodArray && /^\d{1,4}$/.test(segment)) schema = inner.element as z.ZodType
    else if (inner instanceof z.ZodObject && Object.hasOwn(inner.shape, segment))
      schema = inner.shape[segment] as z.ZodType
    else return undefined
  }
  return schema
}

function itemOf(schema: z.ZodType): z.ZodType | undefined {
  const inner = unwrap(schema)
  return inner instanceof z.ZodArray ? (inner.element as z.ZodType) : undefined
}

function unwrap(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault
    ? unwrap(schema.unwrap() as z.ZodType)
    : schema
}
