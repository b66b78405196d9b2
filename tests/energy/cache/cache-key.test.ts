import fc from 'fast-check'
import { Decimal128, ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { cacheKeyOf } from '../../../src/energy/cache/cache-key.js'

const id = new ObjectId('65f0a1b2c3d4e5f6a7b8c9d0')
const at = new Date('2026-03-01T10:00:00Z')

/** The same value with the fields of every object in another order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, reordered(inner)]),
  )
}

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(null, true, false, id, at, 0, -0, Number.NaN, 'null', '0', at.toISOString()),
    fc.double(),
    fc.string(),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), tie('any'), { maxKeys: 4 }),
  ),
})).any

describe('the key of parameters', () => {
  it('is the same in whatever order their fields are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), value), (parameters) => {
        expect(cacheKeyOf('peak_hours', reordered(parameters) as object)).toBe(cacheKeyOf('peak_hours', parameters))
      }),
    )
  })

  it('is another for each of these', () => {
    const all: object[] = [
      {},
      { a: 1 },
      { a: 2 },
      { b: 1 },
      { a: '1' },
      { a: [1] },
      { a: [1, 2] },
      { a: [2, 1] },
      { a: ['1,2'] },
      { a: { b: 1 } },
      { 'a":{"b': 1 },
      { a: null },
      { a: 'null' },
      { a: true },
      { a: at },
      { a: at.getTime() },
      { a: at.toISOString() },
      { a: `instant(${at.getTime()})` },
      { a: id },
      { a: id.toHexString() },
      { a: Decimal128.fromString('1') },
      { a: 1, b: 2 },
      { a: '1,"b":2' },
    ]
    expect(new Set(all.map((parameters) => cacheKeyOf('peak_hours', parameters))).size).toBe(all.length)
    expect(cacheKeyOf('monthly_trends', {})).not.toBe(cacheKeyOf('peak_hours', {}))
  })

  it('is the same for equal ids and instants', () => {
    const again = { at: new Date(at), device: new ObjectId(id.toHexString()) }
    expect(cacheKeyOf('peak_hours', again)).toBe(cacheKeyOf('peak_hours', { at, device: id }))
  })
})
