import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compiled } from '../../src/core/compiled-schema.js'
import type { Entity } from '../../src/core/entity.js'
import { asZod } from '../../src/core/schema-like.js'
import { chosenEntities } from '../../src/domains.js'
import { ledgerEventSchema } from '../../src/ledger/entry/entry.js'
import { anEvent } from '../ledger/support/events.js'

describe('a compiled schema', () => {
  it('is made once', () => {
    const schema = z.object({ name: z.string() })
    expect(compiled(schema)).toBe(compiled(schema))
  })

  it('gives what the schema gives, and its errors', () => {
    const schema = z.array(ledgerEventSchema)
    const good = [{ ...anEvent(), switchId: '0123456789abcdef01234567', timestamp: '2026-01-01T00:00:00Z' }]
    const bad = [{ ...anEvent(), powerRating: Number.NaN, colour: 'red', metadata: {}, flags: ['?'] }]
    expect(compiled(schema).safeParse(good).success).toBe(true)
    expect(compiled(schema).safeParse(good)).toEqual(schema.safeParse(good))
    expect(compiled(schema).safeParse(bad).error?.issues).toEqual(schema.safeParse(bad).error?.issues)
  })

  it('is possible of everything that data streams in through', () => {
    const schemas = [
      ledgerEventSchema,
      ...Object.values<Entity>(chosenEntities({})).map(({ inputSchema }) => asZod(inputSchema)),
    ]
    for (const schema of schemas) expect(() => z.compile(schema, { strict: true })).not.toThrow()
  })

  it('is the schema itself where it cannot be compiled', () => {
    const recursive = z.json()
    expect(compiled(recursive).parse({ a: [1, null] })).toEqual({ a: [1, null] })
  })
})
