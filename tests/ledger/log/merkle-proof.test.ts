import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  consistencyPath,
  inclusionPath,
  provesConsistency,
  provesInclusion,
} from '../../../src/ledger/log/merkle-proof.js'
import type { LeafRange } from '../../../src/ledger/log/merkle-tree.js'
import { slowConsistency, slowInclusion, slowRoot, someLeaves } from '../support/slow-tree.js'

const leaves = someLeaves(200)
const rootOf = (size: number) => slowRoot(leaves.slice(0, size))
const rootsOf = (ranges: readonly LeafRange[]) => ranges.map(({ begin, end }) => slowRoot(leaves.slice(begin, end)))

const sizes = fc.integer({ min: 1, max: leaves.length })
const leafAndSize = sizes.chain((size) => fc.record({ leaf: fc.nat({ max: size - 1 }), size: fc.constant(size) }))
const twoSizes = sizes.chain((to) => fc.record({ from: fc.integer({ min: 1, max: to }), to: fc.constant(to) }))

describe('an inclusion proof', () => {
  it('has the hashes of the reference and holds, for any leaf of any tree', () => {
    fc.assert(
      fc.property(leafAndSize, ({ leaf, size }) => {
        const hashes = rootsOf(inclusionPath(leaf, size))
        expect(hashes).toEqual(slowInclusion(leaf, leaves.slice(0, size)))
        expect(provesInclusion(leaf, size, leaves[leaf]!, hashes, rootOf(size))).toBe(true)
      }),
    )
  })

  it('is as long as the tree is high', () => {
    expect(inclusionPath(0, 2 ** 40)).toHaveLength(40)
    expect(inclusionPath(2 ** 40, 2 ** 40 + 1)).toHaveLength(1)
    expect(inclusionPath(123_456_789_012, Number.MAX_SAFE_INTEGER)).toHaveLength(53)
  })

  it.each([
    [0, 0],
    [1, 1],
    [-1, 5],
    [5, -1],
    [0.5, 5],
    [0, 2 ** 53],
    [Number.NaN, 5],
  ])('is not made for leaf %d of %d', (leaf, size) => {
    expect(() => inclusionPath(leaf, size)).toThrow(RangeError)
  })
})

describe('a consistency proof', () => {
  it('has the hashes of the reference and holds, for any two sizes', () => {
    fc.assert(
      fc.property(twoSizes, ({ from, to }) => {
        const hashes = rootsOf(consistencyPath(from, to))
        expect(hashes).toEqual(slowConsistency(from, leaves.slice(0, to)))
        expect(provesConsistency(from, to, rootOf(from), rootOf(to), hashes)).toBe(true)
      }),
    )
  })

  it('takes nothing to show that a tree begins with the empty one, if that has the root of the empty one', () => {
    expect(provesConsistency(0, 5, rootOf(0), rootOf(5), [])).toBe(true)
    expect(provesConsistency(0, 0, rootOf(0), rootOf(0), [])).toBe(true)
    expect(provesConsistency(0, 5, rootOf(1), rootOf(5), [])).toBe(false)
    expect(provesConsistency(0, 5, rootOf(0), rootOf(5), [leaves[0]!])).toBe(false)
  })

  it.each([
    [0, 5],
    [6, 5],
    [-1, 5],
    [1.5, 5],
    [1, 2 ** 53],
    [Number.NaN, Number.NaN],
  ])('is not made from %d to %d', (from, to) => {
    expect(() => consistencyPath(from, to)).toThrow(RangeError)
  })
})
