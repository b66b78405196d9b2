import { z } from 'zod'
import { DatabaseError } from './errors.js'

/** A JSON Schema as MongoDB's `$jsonSchema` understands it: draft 4 with `bsonType`. */
export type MongoJsonSchema = { readonly [keyword: string]: unknown }

type Node = Record<string, unknown>

const numberTypes = ['double', 'int', 'long']
const bsonTypes: Readonly<Record<string, string | readonly string[]>> = {
  string: 'string',
  number: numberTypes,
  integer: numberTypes,
  boolean: 'bool',
  object: 'object',
  array: 'array',
  null: 'null',
}
/** Types that JSON has no name for. */
const unrepresentable: Readonly<Record<string, string>> = { date: 'date', bigint: 'long' }
/** What `mongod` accepts and means the same by; everything else, `format` and `default` say, is dropped. */
const kept = new Set([
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'bsonType',
])

/**
 * The `$jsonSchema` that accepts what the zod schema accepts as stored.
 * @throws DatabaseError `CONFIGURATION` for what MongoDB cannot check and would silently let pass: regular expression
 * flags, bounds on dates, recursion, types without a BSON type.
 */
export function toMongoJsonSchema(schema: z.ZodType): MongoJsonSchema {
  const json = z.toJSONSchema(schema, {
    target: 'draft-4',
    io: 'output',
    reused: 'inline',
    cycles: 'throw',
    unrepresentable: ({ zodSchema }) => {
      const definition = zodSchema._zod.def
      if (definition.type === 'date') refuseDateBounds(definition)
      const bsonType = unrepresentable[definition.type]
      return bsonType === undefined ? {} : { bsonType }
    },
    override: ({ zodSchema }) => refusePatternFlags(zodSchema._zod.def),
  })
  return convert(json as Node, '')
}

function refuseDateBounds(definition: z.core.$ZodTypeDef): void {
  if ('checks' in definition && Array.isArray(definition.checks) && definition.checks.length > 0) {
    throw new DatabaseError(
      'CONFIGURATION',
      'z.date() with bounds cannot be checked by MongoDB; declare a rule instead',
    )
  }
}

function refusePatternFlags(definition: z.core.$ZodTypeDef): void {
  const checks = 'checks' in definition && Array.isArray(definition.checks) ? definition.checks : []
  for (const check of checks) {
    const pattern: unknown = (check as { _zod?: { def?: { pattern?: unknown } } })._zod?.def?.pattern
    if (pattern instanceof RegExp && pattern.flags.replace('u', '') !== '') {
      throw new DatabaseError('CONFIGURATION', `The flags of ${String(pattern)} cannot be checked by MongoDB`)
    }
  }
}

function convert(node: Node, path: string): MongoJsonSchema {
  const result: Node = {}
  for (const [keyword, value] of Object.entries(node)) if (kept.has(keyword)) result[keyword] = value
  if (result.bsonType === undefined) addBsonType(node, result)
  if (typeof result.pattern === 'string') result.pattern = anchorAtVeryEnd(result.pattern)
  const required = node.required
  if (Array.isArray(required) && required.length > 0) result.required = [...required].sort()
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    const list = node[keyword]
    if (Array.isArray(list)) result[keyword] = list.map((item) => convertAny(item, path))
  }
  for (const keyword of ['properties', 'patternProperties']) {
    const map = node[keyword]
    if (map !== undefined) result[keyword] = mapValues(map as Node, path)
  }
  for (const keyword of ['items', 'additionalProperties', 'not']) {
    const value = node[keyword]
    if (value !== undefined) result[keyword] = convertAny(value, `${path}/${keyword}`)
  }
  if (Object.keys(result).length === 0 && Object.keys(node).length === 0 && path !== '') {
    throw new DatabaseError(
      'CONFIGURATION',
      `The field at ${path} has no BSON type; give it one with .meta({ bsonType })`,
    )
  }
  return result
}

function convertAny(value: unknown, path: string): unknown {
  return typeof value === 'boolean' ? value : convert(value as Node, path)
}

function mapValues(map: Node, path: string): Node {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, convertAny(value, `${path}/${name}`)]))
}

function addBsonType(node: Node, result: Node): void {
  const types = [node.type ?? []].flat().map(String)
  if (types.length === 0) return
  const names = types.flatMap((type) => bsonTypes[type] ?? [])
  result.bsonType = names.length === 1 ? names[0] : names
  if (types.includes('number') || types.includes('integer')) {
    // Without bounds NaN and the infinities would pass.
    result.minimum ??= -Number.MAX_VALUE
    result.maximum ??= Number.MAX_VALUE
  }
  if (types.includes('integer')) result.multipleOf ??= 1
}

/** In the server's regular expressions `$` also matches before a final line feed; `\z` means what JavaScript's `$` means. */
function anchorAtVeryEnd(pattern: string): string {
  return pattern.replace(/\\.|\[(?:\\.|[^\]\\])*\]|\$/gs, (token) => (token === '$' ? '\\z' : token))
}
