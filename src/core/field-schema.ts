import { z } from 'zod'

/** What has a schema of its stored documents, as an entity has. */
interface Described {
  readonly storedSchema: z.ZodObject
}

/** The schema without what says only whether a value must be there, and of a conversion its result. */
export function coreSchema(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNonOptional ||
    schema instanceof z.ZodCatch ||
    schema instanceof z.ZodReadonly
  ) {
    return coreSchema(schema.unwrap() as z.ZodType)
  }
  return schema instanceof z.ZodPipe ? coreSchema(schema.out as z.ZodType) : schema
}

/** The schema of what a dotted path such as `switches.0.gpio` names in a stored document; undefined where there is no such place. */
export function schemaAt(entity: Described, path: string): z.ZodType | undefined {
  return walk(entity, path, step)
}

/** As {@link schemaAt}, for paths that may leave out the place in a list, as in `switches.gpio`: filters and sorts do. */
export function schemaAtAnyItem(entity: Described, path: string): z.ZodType | undefined {
  return walk(entity, path, (schema, segment) => {
    const found = step(schema, segment)
    return found === undefined && schema instanceof z.ZodArray ? step(coreSchema(itemOf(schema)), segment) : found
  })
}

/** The schema of a list's items; undefined for what is no list. */
export function itemSchema(schema: z.ZodType): z.ZodType | undefined {
  const core = coreSchema(schema)
  return core instanceof z.ZodArray ? itemOf(core) : undefined
}

/** Whether stored documents may lack the field. A default does not make them: it is filled in on the way. */
export function mayBeAbsent(schema: z.ZodType): boolean {
  const result = schema.safeParse(undefined)
  return result.success && result.data === undefined
}

/**
 * Whether the schema asks for more than the server can check, of the value as a whole: `.refine()` and the like, and what
 * changes values, as `.trim()` does.
 */
export function isRefined(schema: z.ZodType): boolean {
  const {
    checks = [],
    innerType,
    out,
  } = schema._zod.def as {
    readonly checks?: readonly z.core.$ZodCheck[]
    readonly innerType?: z.ZodType
    readonly out?: z.ZodType
  }
  const within = innerType ?? out
  return checks.some(({ _zod }) => beyondServer.has(_zod.def.check)) || (within !== undefined && isRefined(within))
}

/** Whether the field's inputs are converted, as an id's digits are. */
export function isConverted(schema: z.ZodType): boolean {
  if (schema instanceof z.ZodPipe) return true
  const { innerType } = schema._zod.def as { readonly innerType?: z.ZodType }
  return innerType !== undefined && isConverted(innerType)
}

/** Whether something in the schema has fields of any name. */
export function isOpen(schema: z.ZodType): boolean {
  const core = coreSchema(schema)
  if (core instanceof z.ZodObject) {
    const { catchall } = core._zod.def
    const isLoose = catchall !== undefined && !(catchall instanceof z.ZodNever)
    return isLoose || Object.values(core.shape as Record<string, z.ZodType>).some(isOpen)
  }
  if (core instanceof z.ZodArray) return isOpen(itemOf(core))
  if (core instanceof z.ZodUnion) return (core.options as readonly z.ZodType[]).some(isOpen)
  if (core instanceof z.ZodTuple) return (core._zod.def.items as readonly z.ZodType[]).some(isOpen)
  return core instanceof z.ZodRecord || core instanceof z.ZodAny || core instanceof z.ZodUnknown
}

const beyondServer = new Set(['custom', 'overwrite'])

type Step = (schema: z.ZodType, segment: string) => z.ZodType | undefined

/** More than any path has: what is done with one grows with the square of its length. */
export const longestPath = 500

function walk(entity: Described, path: string, take: Step): z.ZodType | undefined {
  if (path.length > longestPath) return undefined
  const [head = '', ...tail] = path.split('.')
  const { shape } = entity.storedSchema
  let schema = Object.hasOwn(shape, head) ? (shape[head] as z.ZodType) : undefined
  for (const segment of tail) schema = schema && take(coreSchema(schema), segment)
  return schema
}

const listIndex = /^\d{1,5}$/
const prototypeKeys = new Set(['__proto__', 'constructor', 'prototype'])

function step(schema: z.ZodType, segment: string): z.ZodType | undefined {
  if (schema instanceof z.ZodArray) return listIndex.test(segment) ? itemOf(schema) : undefined
  if (schema instanceof z.ZodObject) return Object.hasOwn(schema.shape, segment) ? schema.shape[segment] : undefined
  if (schema instanceof z.ZodUnion) return firstStep(schema.options as readonly z.ZodType[], segment)
  const isName = segment !== '' && !segment.startsWith('$') && !prototypeKeys.has(segment)
  if (schema instanceof z.ZodRecord) return isName ? (schema.valueType as z.ZodType) : undefined
  return schema instanceof z.ZodUnknown || schema instanceof z.ZodAny ? (isName ? schema : undefined) : undefined
}

function firstStep(options: readonly z.ZodType[], segment: string): z.ZodType | undefined {
  for (const option of options) {
    const found = step(coreSchema(option), segment)
    if (found !== undefined) return found
  }
  return undefined
}

function itemOf(list: z.ZodArray): z.ZodType {
  return list.element as z.ZodType
}
