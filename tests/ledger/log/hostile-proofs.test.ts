import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { provesConsistency, provesInclusion } from '../../../src/ledger/log/merkle-proof.js'
import { slowConsistency, slowInclusion, slowRoot, someLeaves } from '../support/slow-tree.js'

const leaves = someLeaves(130)
const rootOf = (size: number) => slowRoot(leaves.slice(0, size))
const sizes = fc.integer({ min: 1, max: leaves.length })
const noSizes = [-1, 0, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2 ** 60]

const inclusions = sizes.chain((size) =>
  fc.nat({ max: size - 1 }).map((leaf) => ({ leaf, size, hashes: slowInclusion(leaf, leaves.slice(0, size)) })),
)
const consistencies = sizes.chain((to) =>
  fc.integer({ min: 1, max: to }).map((from) => ({ from, to, hashes: slowConsistency(from, leaves.slice(0, to)) })),
)

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[(bit >> 3) % copy.length]! ^= 1 << (bit & 7)
  return copy
}

const withFlipIn = (hashes: readonly Buffer[], at: number, bit: number) =>
  hashes.map((hash, index) => (index === at % hashes.length ? flipped(hash, bit) : hash))

/** The same hashes with one too many, one too few, or two of them in each other's place. */
function misarranged(hashes: readonly Buffer[], at: number): Buffer[][] {
  const place = at % (hashes.length + 1)
  const [one, other] = [hashes[place], hashes[place + 1]]
  return [
    hashes.toSpliced(place, 0, leaves[at % leaves.length]!),
    ...(hashes.length === 0 ? [] : [hashes.slice(1), hashes.slice(0, -1), [...hashes, hashes.at(-1)!]]),
    ...(one === undefined || other === undefined ? [] : [hashes.toSpliced(place, 2, other, one)]),
    hashes.map((hash) => hash.subarray(1)),
    hashes.map((hash) => Buffer.concat([hash, Buffer.of(0)])),
  ].filter((changed) => changed.length !== hashes.length || changed.some((hash, index) => !hash.equals(hashes[index]!)))
}

describe('a hostile inclusion proof', () => {
  it('is refuted when any bit of it is flipped', () => {
    fc.assert(
      fc.property(inclusions, fc.nat(), fc.nat({ max: 255 }), ({ leaf, size, hashes }, at, bit) => {
        const [own, root] = [leaves[leaf]!, rootOf(size)]
        expect(provesInclusion(leaf, size, flipped(own, bit), hashes, root)).toBe(false)
        expect(provesInclusion(leaf, size, own, hashes, flipped(root, bit))).toBe(false)
        if (hashes.length > 0) expect(provesInclusion(leaf, size, own, withFlipIn(hashes, at, bit), root)).toBe(false)
      }),
    )
  })

  it('is refuted when hashes are added, missing, exchanged, or of another length', () => {
    fc.assert(
      fc.property(inclusions, fc.nat(), ({ leaf, size, hashes }, at) => {
        for (const changed of misarranged(hashes, at))
          expect(provesInclusion(leaf, size, leaves[leaf]!, changed, rootOf(size))).toBe(false)
      }),
    )
  })

  it('is refuted for any other leaf of the tree', () => {
    fc.assert(
      fc.property(inclusions, fc.nat({ max: 200 }), ({ leaf, size, hashes }, other) => {
        fc.pre(other !== leaf)
        expect(provesInclusion(other, size, leaves[leaf]!, hashes, rootOf(size))).toBe(false)
      }),
    )
  })

  it('is refuted for the root of a tree of another size', () => {
    fc.assert(
      fc.property(inclusions, sizes, ({ leaf, size, hashes }, other) => {
        fc.pre(other !== size)
        expect(provesInclusion(leaf, size, leaves[leaf]!, hashes, rootOf(other))).toBe(false)
        expect(provesInclusion(leaf, other, leaves[leaf]!, hashes, rootOf(other))).toBe(false)
      }),
    )
  })

  it('is refuted for what is no size and no index', () => {
    for (const wrong of noSizes) {
      expect(provesInclusion(0, wrong, leaves[0]!, [], leaves[0]!)).toBe(false)
      if (wrong !== 0) expect(provesInclusion(wrong, 1, leaves[0]!, [], leaves[0]!)).toBe(false)
    }
  })

  it('is refuted at once when it is endless', () => {
    const many = new Array<Buffer>(100_000).fill(leaves[0]!)
    expect(provesInclusion(3, 8, leaves[3]!, many, rootOf(8))).toBe(false)
  })

  it('does not take an inner node for a leaf', () => {
    const left = rootOf(2)
    const right = slowRoot(leaves.slice(2, 4))
    expect(provesInclusion(0, 4, left, [right], rootOf(4))).toBe(false)
  })
})

describe('a hostile consistency proof', () => {
  it('is refuted when any bit of it is flipped', () => {
    fc.assert(
      fc.property(consistencies, fc.nat(), fc.nat({ max: 255 }), ({ from, to, hashes }, at, bit) => {
        const [first, second] = [rootOf(from), rootOf(to)]
        expect(provesConsistency(from, to, flipped(first, bit), second, hashes)).toBe(false)
        expect(provesConsistency(from, to, first, flipped(second, bit), hashes)).toBe(false)
        if (hashes.length > 0)
          expect(provesConsistency(from, to, first, second, withFlipIn(hashes, at, bit))).toBe(false)
      }),
    )
  })

  it('is refuted when hashes are added, missing, exchanged, or of another length', () => {
    fc.assert(
      fc.property(consistencies, fc.nat(), ({ from, to, hashes }, at) => {
        for (const changed of misarranged(hashes, at))
          expect(provesConsistency(from, to, rootOf(from), rootOf(to), changed)).toBe(false)
      }),
    )
  })

  it('is refuted for roots of other sizes, and for sizes the wrong way round', () => {
    fc.assert(
      fc.property(consistencies, sizes, ({ from, to, hashes }, other) => {
        if (other !== from) expect(provesConsistency(from, to, rootOf(other), rootOf(to), hashes)).toBe(false)
        if (other !== to) expect(provesConsistency(from, to, rootOf(from), rootOf(other), hashes)).toBe(false)
        if (from !== to) expect(provesConsistency(to, from, rootOf(to), rootOf(from), hashes)).toBe(false)
      }),
    )
  })

  it('is refuted for what are no sizes', () => {
    for (const wrong of noSizes.filter((size) => size !== 0)) {
      expect(provesConsistency(wrong, wrong, leaves[0]!, leaves[0]!, [])).toBe(false)
      expect(provesConsistency(1, wrong, leaves[0]!, leaves[0]!, [])).toBe(false)
    }
    expect(provesConsistency(1, 0, leaves[0]!, rootOf(0), [])).toBe(false)
  })

  it('is refuted for a history that was written anew', () => {
    const rewritten = [...leaves.slice(0, 3), leaves[100]!, ...leaves.slice(4, 8)]
    const hashes = slowConsistency(5, rewritten)
    expect(provesConsistency(5, 8, rootOf(5), slowRoot(rewritten), hashes)).toBe(false)
  })
})
