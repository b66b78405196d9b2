import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LeafRange, perfectSubtrees } from '../../../src/ledger/log/merkle-tree.js'
import { joinParts, perfectParts, sliceOf } from '../../../src/ledger/log/tile.js'
import { slowRoot, someLeaves } from '../support/slow-tree.js'

const leaves = someLeaves(520)
const rootOf = ({ begin, end }: LeafRange) => slowRoot(leaves.slice(begin, end))

describe('sliceOf', () => {
  it.each([
    [
      { begin: 0, end: 1 },
      { level: 0, index: 0, first: 0, count: 1 },
    ],
    [
      { begin: 255, end: 256 },
      { level: 0, index: 0, first: 255, count: 1 },
    ],
    [
      { begin: 256, end: 257 },
      { level: 0, index: 1, first: 0, count: 1 },
    ],
    [
      { begin: 128, end: 256 },
      { level: 0, index: 0, first: 128, count: 128 },
    ],
    [
      { begin: 0, end: 256 },
      { level: 1, index: 0, first: 0, count: 1 },
    ],
    [
      { begin: 256, end: 512 },
      { level: 1, index: 0, first: 1, count: 1 },
    ],
    [
      { begin: 512, end: 1024 },
      { level: 1, index: 0, first: 2, count: 2 },
    ],
    [
      { begin: 32_768, end: 65_536 },
      { level: 1, index: 0, first: 128, count: 128 },
    ],
    [
      { begin: 0, end: 65_536 },
      { level: 2, index: 0, first: 0, count: 1 },
    ],
    [
      { begin: 65_536, end: 131_072 },
      { level: 2, index: 0, first: 1, count: 1 },
    ],
    [
      { begin: 65_536, end: 65_537 },
      { level: 0, index: 256, first: 0, count: 1 },
    ],
    [
      { begin: 2 ** 40, end: 2 ** 40 + 2 ** 24 },
      { level: 3, index: 256, first: 0, count: 1 },
    ],
    [
      { begin: 2 ** 52, end: 2 ** 52 + 1 },
      { level: 0, index: 2 ** 44, first: 0, count: 1 },
    ],
  ])('finds %o', (range, slice) => {
    expect(sliceOf(range)).toEqual(slice)
  })

  it('finds every perfect subtree of any tree within one tile', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        for (const range of perfectSubtrees(size)) {
          const { level, index, first, count } = sliceOf(range)
          expect(first + count).toBeLessThanOrEqual(256)
          expect((index * 256 + first) * 256 ** level).toBe(range.begin)
          expect(count * 256 ** level).toBe(range.end - range.begin)
        }
      }),
    )
  })
})

describe('perfectParts', () => {
  it('cuts a node of the tree into perfect subtrees whose roots come to its root', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 520 }), (end) => {
        const range = { begin: 0, end }
        const parts = perfectParts(range)
        expect(parts).toEqual(perfectSubtrees(end))
        expect(joinParts(parts.map(rootOf))).toEqual(rootOf(range))
      }),
    )
  })
})
