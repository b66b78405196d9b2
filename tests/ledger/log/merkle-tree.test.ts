import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MerkleFrontier, perfectRoot, perfectSubtrees } from '../../../src/ledger/log/merkle-tree.js'
import { sha256, slowRoot, someLeaves } from '../support/slow-tree.js'

const leaves = someLeaves(600)

function frontierOf(size: number): MerkleFrontier {
  const frontier = new MerkleFrontier()
  for (const leaf of leaves.slice(0, size)) frontier.append(leaf)
  return frontier
}

describe('MerkleFrontier', () => {
  it('has the root of the reference for any number of leaves', () => {
    fc.assert(
      fc.property(fc.nat({ max: 600 }), (size) => {
        expect(frontierOf(size).root()).toEqual(slowRoot(leaves.slice(0, size)))
      }),
    )
  })

  it('goes on from its roots as if it had never stopped', () => {
    fc.assert(
      fc.property(fc.nat({ max: 300 }), fc.nat({ max: 300 }), (size, more) => {
        const resumed = new MerkleFrontier(size, frontierOf(size).roots)
        for (const leaf of leaves.slice(size, size + more)) resumed.append(leaf)
        expect(resumed.size).toBe(size + more)
        expect(resumed.root()).toEqual(slowRoot(leaves.slice(0, size + more)))
      }),
    )
  })

  it('keeps the roots of the perfect subtrees, and no others', () => {
    fc.assert(
      fc.property(fc.nat({ max: 600 }), (size) => {
        const expected = perfectSubtrees(size).map(({ begin, end }) => slowRoot(leaves.slice(begin, end)))
        expect(frontierOf(size).roots).toEqual(expected)
      }),
    )
  })

  it('takes perfect subtrees as it takes their leaves, one by one', () => {
    fc.assert(
      fc.property(fc.nat({ max: 300 }), fc.nat({ max: 8 }), (size, height) => {
        const count = 2 ** height
        const begin = size - (size % count)
        const [whole, single] = [frontierOf(begin), frontierOf(begin)]
        const seen: [number, Buffer][][] = [[], []]
        whole.appendPerfect(count, slowRoot(leaves.slice(begin, begin + count)), (...tree) => seen[0]?.push(tree))
        for (const leaf of leaves.slice(begin, begin + count)) single.append(leaf, (...tree) => seen[1]?.push(tree))
        expect(whole.roots).toEqual(single.roots)
        expect(seen[0]).toEqual(seen[1]?.filter(([width]) => width > count))
      }),
    )
  })

  it('refuses a subtree where the tree has room for none', () => {
    expect(() => frontierOf(3).appendPerfect(2, leaves[3]!)).toThrow(RangeError)
  })

  it('counts leaves past what 32 bits hold', () => {
    const size = 2 ** 40 + 2 ** 33 + 1
    const roots = perfectSubtrees(size).map((_, at) => sha256(String(at)))
    const frontier = new MerkleFrontier(size, roots)
    frontier.append(leaves[0]!)
    expect(frontier.size).toBe(size + 1)
    expect(frontier.roots).toEqual([...roots.slice(0, -1), sha256(Buffer.of(1), roots.at(-1)!, leaves[0]!)])
  })

  it.each([
    ['too few roots', 3, [leaves[0]!]],
    ['too many roots', 4, [leaves[0]!, leaves[1]!]],
    ['a root that is too short', 1, [leaves[0]!.subarray(1)]],
    ['a root that is too long', 1, [Buffer.alloc(100)]],
    ['a negative size', -1, []],
    ['a size that is no integer', 0.5, []],
    ['a size that is no number', Number.NaN, []],
    ['a size that is not exact', 2 ** 53, [leaves[0]!]],
  ])('refuses %s', (_, size, roots) => {
    expect(() => new MerkleFrontier(size, roots)).toThrow(RangeError)
  })
})

describe('perfectSubtrees', () => {
  it('covers every leaf once, in powers of two that get smaller', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        const ranges = perfectSubtrees(size)
        let end = 0
        let width = Number.POSITIVE_INFINITY
        for (const range of ranges) {
          expect(range.begin).toBe(end)
          end = range.end
          expect(Number.isInteger(Math.log2(end - range.begin))).toBe(true)
          expect(end - range.begin).toBeLessThan(width)
          width = end - range.begin
        }
        expect(end).toBe(size)
      }),
    )
  })
})

describe('perfectRoot', () => {
  it.each([1, 2, 4, 128, 256])('is the root of %d hashes', (count) => {
    expect(perfectRoot(Buffer.concat(leaves.slice(0, count)))).toEqual(slowRoot(leaves.slice(0, count)))
  })
})
