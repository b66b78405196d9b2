import { z } from 'zod'
import type { EntityDescription } from '../../core/entity.js'
import { itemSchema, schemaAt } from '../../core/field-schema.js'
import { Change } from '../../core/repository/changes.js'
import type { AccessRule } from './access-rule.js'

type Given = Readonly<Record<string, unknown>>

/** The paths of what was given that a rule does not allow to be given. */
export function refusedFields(entity: EntityDescription, fields: AccessRule['fields'], given: Given): string[] {
  if (fields === 'all') return []
  const { requestSchema } = entity
  if (!(requestSchema instanceof z.ZodObject)) return Object.keys(given)
  return Object.entries(given).flatMap(([path, value]) => (isAllowed(requestSchema, fields, path, value) ? [] : [path]))
}

function isAllowed(request: z.ZodObject, fields: readonly string[] | undefined, path: string, value: unknown): boolean {
  const [head = ''] = path.split('.', 1)
  if (fields !== undefined && !fields.includes(head)) return false
  // Of a field that no request may give, the rule names it.
  if (fields !== undefined && !Object.hasOwn(request.shape, head)) return true
  const schema = schemaAt({ storedSchema: request }, path)
  if (schema === undefined) return false
  if (!(value instanceof Change)) return namesKnownFields(schema, value)
  const { operator, operand } = value
  const item = operator === '$push' || operator === '$addToSet' ? itemSchema(schema) : undefined
  return item === undefined || namesKnownFields(item, operand)
}

/** Whether nothing in the value has a name that requests may not give. What else is wrong with it the repository says. */
function namesKnownFields(schema: z.ZodType, value: unknown): boolean {
  const result = schema.safeParse(value)
  return result.success || result.error.issues.every(({ code }) => code !== 'unrecognized_keys')
}
