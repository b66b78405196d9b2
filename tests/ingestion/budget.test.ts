import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BudgetedMap, levelWithin } from '../../src/ingestion/budget.js'

it('a map never takes more than its budget, and forgets what was set longest ago', () => {
  const operation = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), bytes: fc.nat(2_000) })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 50 }), (operations) => {
      const map = new BudgetedMap<number>(3_000, (bytes) => bytes)
      let order: string[] = []
      for (const { key, bytes } of operations) {
        map.set(key, bytes)
        order = [...order.filter((one) => one !== key), key]
        const kept = order.filter((one) => map.has(one))
        expect(kept).toEqual(order.slice(order.length - kept.length))
        expect(map.budget.bytes).toBe(kept.reduce((total, one) => total + 102 + (map.get(one) ?? 0), 0))
        expect(map.budget.bytes).toBeLessThanOrEqual(3_000)
        order = kept
      }
      map.clear()
      expect(map.budget).toEqual({ bytes: 0, maximumBytes: 3_000 })
    }),
  )
})

it('a level brings the largest amounts down, and no other', () => {
  expect(levelWithin([10, 500, 30], 100)).toBe(60)
  expect(levelWithin([10, 500, 600], 100)).toBe(45)
  expect(levelWithin([10, 20], 100)).toBe(Number.POSITIVE_INFINITY)
  expect(levelWithin([], 100)).toBe(Number.POSITIVE_INFINITY)
  fc.assert(
    fc.property(fc.array(fc.nat(1_000), { maxLength: 10 }), fc.nat(3_000), (amounts, budget) => {
      const level = levelWithin(amounts, budget)
      const total = amounts.reduce((sum, amount) => sum + Math.min(amount, level), 0)
      expect(total).toBeLessThanOrEqual(budget + 1e-6)
      if (level < Number.POSITIVE_INFINITY) expect(total).toBeCloseTo(budget, 5)
    }),
  )
})
