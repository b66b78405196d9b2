import { z } from 'zod'
import { DatabaseError } from './errors.js'

/**
 * The field's schema as it is used: objects inside it refuse unknown fields, as documents themselves do, so that the
 * repository does not drop in silence what the server refuses.
 * @throws DatabaseError `CONFIGURATION` for what is no schema, and for types that do not come back as they were written.
 */
export function declaredSchema(schema: unknown, path: string): z.ZodType {
  return rewrite(schema, path, [])
}

type Definition = z.core.$ZodTypeDef & Readonly<Record<string, unknown>>

function rewrite(schema: unknown, path: string, above: readonly unknown[]): z.ZodType {
  if (!isSchema(schema)) throw refusal(path, 'is no zod schema')
  if (above.includes(schema)) throw refusal(path, 'contains itself, which cannot be checked by MongoDB')
  const inner = (part: unknown, name = '') => rewrite(part, name === '' ? path : `${path}.${name}`, [...above, schema])
  const definition = schema._zod.def as Definition
  const changes = changesOf(definition, path, inner)
  return changes === undefined ? schema : clonedWith(schema, changes)
}

/** The schema with some of its definition changed. */
export function clonedWith(schema: z.ZodType, changes: Readonly<Record<string, unknown>>): z.ZodType {
  // What is changed fits the kind of the schema, which its type does not say here.
  return z.core.clone(schema, merged(schema._zod.def, changes) as never, { parent: true })
}

/** A default that is a function is kept behind a getter, which is not to be read here. */
function merged(definition: object, changes: object): object {
  const [kept, changed] = [Object.getOwnPropertyDescriptors(definition), Object.getOwnPropertyDescriptors(changes)]
  return Object.defineProperties({}, { ...kept, ...changed })
}

type Inner = (part: unknown, name?: string) => z.ZodType

/** What the definition has to be changed in; undefined where nothing is inside. */
function changesOf(definition: Definition, path: string, inner: Inner): Record<string, unknown> | undefined {
  switch (definition.type as string) {
    case 'object': {
      const shape = Object.entries(definition.shape as Record<string, unknown>)
      const fields = Object.fromEntries(shape.map(([name, field]) => [name, inner(field, name)]))
      return { shape: fields, catchall: definition.catchall ?? z.never() }
    }
    case 'array':
      return { element: inner(definition.element) }
    case 'tuple': {
      const { items, rest } = definition as { items?: unknown; rest?: unknown }
      return { items: (items as unknown[]).map((item) => inner(item)), rest: rest == null ? rest : inner(rest) }
    }
    case 'record':
      return { valueType: inner(definition.valueType) }
    case 'union':
      return { options: (definition.options as unknown[]).map((option) => inner(option)) }
    case 'pipe':
      return { in: inner(definition.in), out: inner(definition.out) }
    case 'lazy': {
      const found = inner((definition.getter as () => unknown)())
      return { getter: () => found }
    }
    case 'intersection':
      throw refusal(path, 'is an intersection, whose parts refuse each other’s fields; use .extend()')
    case 'bigint':
      throw refusal(path, 'is a bigint, which is read back as a number; use z.int(), or digits in a text')
    default:
      return 'innerType' in definition ? { innerType: inner(definition.innerType) } : undefined
  }
}

function isSchema(value: unknown): value is z.ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value
}

function refusal(path: string, message: string): DatabaseError {
  return new DatabaseError('CONFIGURATION', `The field ${path} ${message}`)
}
