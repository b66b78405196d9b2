import { z } from 'zod'
import type { EntityDescription } from '../entity.js'
import { ValidationError, type ValidationIssue } from '../errors.js'
import { coreSchema, isOpen, isRefined, itemSchema, longestPath, mayBeAbsent, schemaAt } from '../field-schema.js'
import { isPlainObject } from '../is-record.js'
import { asZod, type SchemaLike } from '../schema-like.js'
import { issuesOf, typeName } from '../validate.js'
import { Change } from './changes.js'
import { refused, requireData } from './data.js'

/** More than any entity has: a bound on what a change can cost. */
const maximumChanges = 1000

type Update = Record<string, Record<string, unknown>>
type Seal = (field: string, plain: string) => string

/** What is wrong with one of the changes, and what its value was. */
class Refusal {
  constructor(
    readonly message: string,
    readonly value: unknown,
  ) {}
}

/**
 * The changes as an update document, each value checked against the schema of the field it is for.
 * @param seal Encrypts the new value of a secret field.
 * @throws ValidationError for unknown fields, values that do not fit, and changes of fields that only the library sets.
 */
export function compileChanges(entity: EntityDescription, changes: object, seal: Seal): Update {
  const subject = `The change of ${entity.name}`
  if (!isPlainObject(changes)) throw refused(subject, '', 'expected an object of fields', changes)
  const paths = Object.keys(changes)
  if (paths.length === 0) throw refused(subject, '', 'names no field to change', changes)
  if (paths.length > maximumChanges) throw refused(subject, '', `names more than ${maximumChanges} fields`, changes)
  const long = paths.find((path) => path.length > longestPath)
  if (long !== undefined) throw refused(subject, long, `is longer than ${longestPath} characters`, changes[long])
  const overlapping = overlapsIn(paths)
  const update: Update = {}
  const issues: ValidationIssue[] = []
  for (const [path, value] of Object.entries(changes)) {
    const compiled = overlapOf(path, overlapping, value) ?? compileOne(entity, path, value, subject)
    if (compiled instanceof Refusal) {
      issues.push({ path, message: compiled.message, received: typeName(compiled.value) })
    } else if (compiled.error !== undefined) {
      issues.push(
        ...issuesOf(compiled.error, compiled.operand).map((issue) => ({ ...issue, path: join(path, issue.path) })),
      )
    } else {
      requireData(subject, path, compiled.operand)
      const isSecret = compiled.operator === '$set' && Object.hasOwn(entity.secrets, path)
      update[compiled.operator] ??= {}
      Object.assign(update[compiled.operator] ?? {}, {
        [path]: isSecret ? seal(path, String(compiled.operand)) : compiled.operand,
      })
    }
  }
  if (issues.length > 0) throw new ValidationError(subject, issues)
  return update
}

function join(path: string, inner: string): string {
  return inner === '' ? path : `${path}.${inner}`
}

/** A path of each pair of which one is a part of the other, by the other: MongoDB refuses to change both at once. */
function overlapsIn(paths: readonly string[]): ReadonlyMap<string, string> {
  const given = new Set(paths)
  const overlapping = new Map<string, string>()
  for (const path of paths) {
    for (let end = path.indexOf('.'); end !== -1; end = path.indexOf('.', end + 1)) {
      const above = path.slice(0, end)
      if (given.has(above)) overlapping.set(path, above).set(above, path)
    }
  }
  return overlapping
}

function overlapOf(path: string, overlapping: ReadonlyMap<string, string>, value: unknown): Refusal | undefined {
  const other = overlapping.get(path)
  return other === undefined ? undefined : new Refusal(`overlaps with ${other}`, value)
}

interface Operation {
  readonly operator: string
  readonly operand: unknown
  readonly error?: z.core.$ZodError
}

function compileOne(entity: EntityDescription, path: string, value: unknown, subject: string): Operation | Refusal {
  const schema = changeableSchema(entity, path)
  if (schema === undefined) return new Refusal('is not a field that can be changed', value)
  if (value === undefined) return new Refusal('is undefined; use change.unset() to remove the field', value)
  // Before the schema, which leaves some of it out.
  if (isOpen(schema)) requireData(subject, path, value instanceof Change ? value.operand : value)
  const fixed = immutableAt(entity, path)
  if (fixed !== undefined) return new Refusal(`would change ${fixed}, which is immutable`, value)
  const whole = refinedAbove(entity, path)
  if (whole !== undefined)
    return new Refusal(`is a part of ${whole}, which has a refinement; set that as a whole`, value)
  if (!(value instanceof Change)) return parsed('$set', schema, value)
  if (value.operator === '$unset') {
    return mayBeAbsent(schema)
      ? { operator: '$unset', operand: '' }
      : new Refusal('is required and cannot be removed', undefined)
  }
  const operand = operandSchema(value, schema)
  // What is sealed can be compared with nothing and added to nothing.
  if (operand === undefined || Object.hasOwn(entity.secrets, path)) {
    return new Refusal(`cannot be changed by ${value.operator}`, value.operand)
  }
  return computed.has(value.operator) && isRefined(schema)
    ? new Refusal(`has a refinement, which would not see what ${value.operator} makes of it; set the value`, undefined)
    : parsed(value.operator, operand, value.operand)
}

/** The immutable field that a change of the path would reach. A list may be set as a whole: its items come and go. */
function immutableAt(entity: EntityDescription, path: string): string | undefined {
  const names = path.split('.')
  const named = names.filter((name) => !/^\d+$/.test(name)).join('.')
  const isItem = named !== path
  return entity.immutable.find(
    (field) => named === field || named.startsWith(`${field}.`) || (isItem && field.startsWith(`${named}.`)),
  )
}

/** Of the others the result is the operand or what is there already. */
const computed = new Set(['$inc', '$mul', '$push', '$addToSet', '$pull'])

/** The field that the path is in whose refinement would see only a part of it. */
function refinedAbove(entity: EntityDescription, path: string): string | undefined {
  const names = path.split('.')
  const above = names.slice(1).map((_, index) => names.slice(0, index + 1).join('.'))
  return above.find((field) => {
    const schema = schemaAt(entity, field)
    return schema !== undefined && isRefined(schema)
  })
}

function parsed(operator: string, schema: z.ZodType, operand: unknown): Operation {
  const result = schema.safeParse(operand)
  return result.success ? { operator, operand: result.data } : { operator, operand, error: result.error }
}

/** What the operator takes on a field of this schema; undefined where it does not fit. */
function operandSchema({ operator, operand }: Change<unknown>, schema: z.ZodType): z.ZodType | undefined {
  const core = coreSchema(schema)
  switch (operator) {
    case '$inc':
    case '$mul':
      return core instanceof z.ZodNumber ? z.number() : undefined
    case '$min':
    case '$max':
      if (!(core instanceof z.ZodNumber || core instanceof z.ZodDate)) return undefined
      return operand === undefined || operand === null ? core : schema
    case '$pull':
      return pulledSchema(core)
    default:
      return itemSchema(core)
  }
}

/** Some of an item's fields are enough to name it; what is left out is not to be filled in with a default. */
function pulledSchema(list: z.ZodType): z.ZodType | undefined {
  const item = itemSchema(list)
  const core = item === undefined ? undefined : coreSchema(item)
  if (!(core instanceof z.ZodObject)) return item
  const shape = Object.entries(core.shape as Record<string, z.ZodType>)
  return z.strictObject(Object.fromEntries(shape.map(([name, schema]) => [name, withoutDefault(schema).optional()])))
}

function withoutDefault(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? withoutDefault(schema.unwrap() as z.ZodType)
    : schema
}

const managed = new Set(['_id', 'createdAt', 'updatedAt', '__v', 'deletedAt'])

/** The schema of the field that a dotted path names; undefined where there is none, or where only the library may write. */
function changeableSchema(entity: EntityDescription, path: string): z.ZodType | undefined {
  if (Object.hasOwn(entity.secrets, path)) return asZod(entity.secrets[path] as SchemaLike)
  const head = path.split('.', 1)[0] ?? ''
  return managed.has(head) || entity.hidden.includes(head) ? undefined : schemaAt(entity, path)
}
