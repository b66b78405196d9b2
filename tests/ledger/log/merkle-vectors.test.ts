import { describe, expect, it } from 'vitest'
import { provesConsistency, provesInclusion } from '../../../src/ledger/log/merkle-proof.js'
import { MerkleFrontier } from '../../../src/ledger/log/merkle-tree.js'
import { consistencies, inclusions, inputs, roots } from '../support/certificate-transparency.js'
import { leafHashOf, slowConsistency, slowInclusion, slowRoot } from '../support/slow-tree.js'

const leaves = inputs.map(leafHashOf)
const bytes = (hashes: readonly string[]) => hashes.map((hex) => Buffer.from(hex, 'hex'))
const rootOf = (size: number) => Buffer.from(roots[size] ?? '', 'hex')

// https://github.com/google/certificate-transparency/blob/master/cpp/merkletree/merkle_tree_test.cc
describe('the published test vectors of RFC 6962 trees', () => {
  it('have the roots that the frontier comes to, leaf by leaf', () => {
    const frontier = new MerkleFrontier()
    expect(frontier.root().toString('hex')).toBe(roots[0])
    for (const [at, leaf] of leaves.entries()) {
      frontier.append(leaf)
      expect(frontier.root().toString('hex')).toBe(roots[at + 1])
    }
  })

  it('have the roots and paths of the reference that the other tests compare with', () => {
    for (const [size, root] of roots.entries()) expect(slowRoot(leaves.slice(0, size)).toString('hex')).toBe(root)
    for (const { leaf, size, hashes } of inclusions)
      expect(slowInclusion(leaf, leaves.slice(0, size))).toEqual(bytes(hashes))
    for (const { from, to, hashes } of consistencies)
      expect(slowConsistency(from, leaves.slice(0, to))).toEqual(bytes(hashes))
  })

  it.each(inclusions)('prove leaf $leaf of $size', ({ leaf, size, hashes }) => {
    expect(provesInclusion(leaf, size, leaves[leaf]!, bytes(hashes), rootOf(size))).toBe(true)
  })

  it.each(consistencies)('prove that $to leaves begin with $from', ({ from, to, hashes }) => {
    expect(provesConsistency(from, to, rootOf(from), rootOf(to), bytes(hashes))).toBe(true)
  })
})
