import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineEntity } from '../../src/core/entity.js'
import { instant, objectId } from '../../src/core/fields.js'
import { toMongoJsonSchema } from '../../src/core/json-schema.js'
import { toServerPattern } from '../../src/core/server-pattern.js'

const ofField = (schema: z.ZodType) =>
  (toMongoJsonSchema(z.strictObject({ field: schema })).properties as { field: object }).field
const numbers = ['double', 'int', 'long']
const finite = { minimum: -Number.MAX_VALUE, maximum: Number.MAX_VALUE }

describe('the schema for the server', () => {
  it.each<readonly [string, z.ZodType, object]>([
    ['a text', z.string().min(1).max(9), { bsonType: 'string', minLength: 1, maxLength: 9 }],
    ['a pattern', z.string().regex(/^a$/), { bsonType: 'string', pattern: '^a\\z' }],
    ['a number, which is finite', z.number(), { bsonType: numbers, ...finite }],
    ['a whole number', z.int().min(0).max(5), { bsonType: numbers, minimum: 0, maximum: 5, multipleOf: 1 }],
    [
      'a positive number',
      z.number().positive(),
      { bsonType: numbers, minimum: 0, exclusiveMinimum: true, maximum: Number.MAX_VALUE },
    ],
    ['a date', z.date(), { bsonType: 'date' }],
    ['an instant', instant(), { bsonType: 'date' }],
    ['an id', objectId(), { bsonType: 'objectId' }],
    ['a choice', z.enum(['a', 'b']), { bsonType: 'string', enum: ['a', 'b'] }],
    ['a nullable', z.date().nullable(), { anyOf: [{ bsonType: 'date' }, { bsonType: 'null' }] }],
    ['what has a type of its own', z.custom<Buffer>(() => true).meta({ bsonType: 'binData' }), { bsonType: 'binData' }],
    [
      'a record by pattern',
      z.record(z.string().regex(/^k/), z.boolean()),
      {
        bsonType: 'object',
        patternProperties: { '^k': { bsonType: 'bool' } },
        additionalProperties: false,
      },
    ],
    [
      'a tuple',
      z.tuple([z.string(), z.boolean()]),
      {
        bsonType: 'array',
        items: [{ bsonType: 'string' }, { bsonType: 'bool' }],
        additionalItems: false,
        minItems: 2,
        maxItems: 2,
      },
    ],
  ])('has %s', (_, schema, expected) => {
    expect(ofField(schema)).toEqual(expected)
  })

  it('lists what is required, defaults included, and refuses what is not declared', () => {
    const schema = z.strictObject({ b: z.string(), a: z.string().default('x'), c: z.string().optional() })
    expect(toMongoJsonSchema(schema)).toMatchObject({ required: ['a', 'b'], additionalProperties: false })
  })

  it.each<readonly [string, z.ZodType, string]>([
    ['flags of a pattern', z.string().regex(/a/i), 'The flags of /a/i cannot be checked by MongoDB'],
    [
      'bounds of a date',
      z.date().min(new Date(0)),
      'z.date() with bounds cannot be checked by MongoDB; declare a rule instead',
    ],
    ['a format without a pattern', z.url(), 'The format uri at /field cannot be checked by MongoDB'],
    ['what has no type', z.unknown(), 'The field at /field cannot be checked by MongoDB; give it a type'],
    ['what has a description only', z.any().meta({ description: 'x' }), 'give it a type'],
    ['what becomes something else', z.string().transform((text) => text.length), 'give it a type'],
    ['a Map', z.map(z.string(), z.string()), 'give it a type'],
    [
      'keys of a certain length',
      z.record(z.string().max(3), z.string()),
      'Keys of a record other than by enumeration or pattern',
    ],
  ])('cannot have %s, and says so', (_, field, message) => {
    const define = () => defineEntity({ name: 'thing', collection: 'things', fields: { field } })
    expect(define).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
    expect(() => ofField(field)).toThrow(message)
  })

  it.each([
    ['^a$', '^a\\z'],
    ['^\\$$', '^\\$\\z'],
    ['[$.]', '[$.]'],
    ['a.b', 'a[^\\n\\r\\x{2028}\\x{2029}]b'],
    ['\\.', '\\.'],
    ['\\u00e9\\u{1F600}', '\\x{00e9}\\x{1F600}'],
    ['[\\u0041-\\u005a]', '[\\x{0041}-\\x{005a}]'],
    ['\\\\$', '\\\\\\z'],
    ['[\\]$]$', '[\\]$]\\z'],
  ])('has the pattern %s as %s', (pattern, expected) => {
    expect(toServerPattern(pattern)).toBe(expected)
  })
})

describe('an instant', () => {
  it.each([
    ['2026-03-01T10:00:00Z', '2026-03-01T10:00:00.000Z'],
    ['2026-03-01T10:00:00.5+05:30', '2026-03-01T04:30:00.500Z'],
  ])('is %s', (text, expected) => {
    expect(instant().parse(text).toISOString()).toBe(expected)
  })

  it.each(['2026-03-01', '2026-03-01T10:00:00', 'now', 5, null, new Date(Number.NaN)])('is not %s', (value) => {
    expect(instant().safeParse(value).success).toBe(false)
  })
})
