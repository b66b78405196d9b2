import { z } from 'zod'
import { DatabaseError } from './errors.js'
import { toServerPattern } from './server-pattern.js'

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
 * The `$jsonSchema` that accepts what the zod schema accepts as stored. A refinement in JavaScript is left to zod.
 * @throws DatabaseError `CONFIGURATION` for what MongoDB cannot check and would silently let pass: regular expression
 * flags, formats without a pattern, bounds on dates, recursion, types without a BSON type.
 */
export function toMongoJsonSchema(schema: z.ZodType): MongoJsonSchema {
  return convert(toDraft4(schema), '')
}

function toDraft4(schema: z.ZodType): Node {
  const json = z.toJSONSchema(schema, {
    target: 'draft-4',
    io: 'output',
    reused: 'inline',
    cycles: 'throw',
    unrepresentable: ({ zodSchema }) => {
      const definition = zodSchema._zod.def
      if (definition.type === 'date' && checksOf(definition).length > 0) {
        throw notCheckable('z.date() with bounds', 'declare a rule instead')
      }
      const bsonType = unrepresentable[definition.type]
      return bsonType === undefined ? {} : { bsonType }
    },
    override: ({ zodSchema, jsonSchema }) => {
      const definition = zodSchema._zod.def
      refusePatternFlags(definition)
      if (definition.type === 'record') restrictKeys(definition as z.core.$ZodRecordDef, jsonSchema as Node)
    },
  })
  return json as Node
}

function notCheckable(what: string, advice: string): DatabaseError {
  return new DatabaseError('CONFIGURATION', `${what} cannot be checked by MongoDB; ${advice}`)
}

function checksOf(definition: z.core.$ZodTypeDef): readonly unknown[] {
  return 'checks' in definition && Array.isArray(definition.checks) ? definition.checks : []
}

function refusePatternFlags(definition: z.core.$ZodTypeDef): void {
  for (const check of checksOf(definition)) {
    const pattern: unknown = (check as { _zod?: { def?: { pattern?: unknown } } })._zod?.def?.pattern
    if (pattern instanceof RegExp && pattern.flags.replace('u', '') !== '') {
      throw notCheckable(`The flags of ${String(pattern)}`, 'write the pattern without them')
    }
  }
}

/** Draft 4 has no word for what the keys of a record are; MongoDB knows `patternProperties`. */
function restrictKeys(definition: z.core.$ZodRecordDef, json: Node): void {
  const { type, pattern, enum: names, $schema, ...others } = toDraft4(definition.keyType as z.ZodType)
  const values = json.additionalProperties
  if (Array.isArray(names)) {
    json.properties = Object.fromEntries(names.map((name) => [String(name), values]))
    json.additionalProperties = false
  } else if (typeof pattern === 'string') {
    json.patternProperties = { [toServerPattern(pattern)]: values }
    json.additionalProperties = false
  }
  const isText = type === 'string' && Object.keys(others).every((keyword) => keyword === 'format')
  if (!isText) throw notCheckable('Keys of a record other than by enumeration or pattern', 'give them a pattern')
}

function convert(node: Node, path: string): MongoJsonSchema {
  const result: Node = {}
  for (const [keyword, value] of Object.entries(node)) if (kept.has(keyword)) result[keyword] = value
  if (result.bsonType === undefined) addBsonType(node, result)
  addPattern(node, result, path)
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
  for (const keyword of ['items', 'additionalItems', 'additionalProperties', 'not']) {
    const value = node[keyword]
    if (value !== undefined) result[keyword] = convertAny(value, `${path}/${keyword}`)
  }
  if (Object.keys(result).length === 0) {
    throw notCheckable(`The field at ${path}`, 'give it a type with .meta({ bsonType })')
  }
  return result
}

function convertAny(value: unknown, path: string): unknown {
  if (Array.isArray(value)) return value.map((item) => convertAny(item, path))
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

function addPattern(node: Node, result: Node, path: string): void {
  if (typeof node.pattern === 'string') result.pattern = toServerPattern(node.pattern)
  else if (typeof node.format === 'string' && !Array.isArray(node.allOf)) {
    throw notCheckable(`The format ${node.format} at ${path}`, 'add a .regex()')
  }
}
