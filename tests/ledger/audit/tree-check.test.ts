import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Findings } from '../../../src/ledger/audit/finding.js'
import { TreeCheck } from '../../../src/ledger/audit/tree-check.js'
import type { TreeHead } from '../../../src/ledger/log/checkpoint-text.js'
import { slowRoot, someLeaves } from '../support/slow-tree.js'

const leaves = someLeaves(800)

function headOf(size: number, rootHash = slowRoot(leaves.slice(0, size))): { head: TreeHead; isOutside: boolean } {
  return { head: { origin: 'a.example/ledger', size, rootHash }, isOutside: false }
}

/** Gives the leaves in parts of these sizes, the rest in the last. */
function takeInParts(check: TreeCheck, count: number, sizes: readonly number[]): void {
  let at = 0
  for (const size of [...sizes, count]) {
    const end = Math.min(at + size, count)
    check.take(Buffer.concat(leaves.slice(at, end)))
    at = end
  }
  check.end()
}

const sizesOfHeads = fc.uniqueArray(fc.integer({ min: 1, max: 800 }), { maxLength: 5 })
const sizesOfParts = fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 4 })

describe('TreeCheck', () => {
  it('compares every signed root, wherever in a tile it ends and in whatever parts the leaves come', () => {
    fc.assert(
      fc.property(sizesOfHeads, sizesOfParts, (sizes, parts) => {
        const findings = new Findings()
        const check = new TreeCheck(
          sizes.map((size) => headOf(size)),
          findings,
        )
        takeInParts(check, 800, parts)
        expect(findings.list).toEqual([])
        expect(check.newest?.size).toBe(sizes.length === 0 ? undefined : Math.max(...sizes))
      }),
      { numRuns: 15 },
    )
  })

  it('names each signed root that the leaves do not lead to', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 800 }), sizesOfParts, (wrong, parts) => {
        const findings = new Findings()
        const check = new TreeCheck([headOf(wrong, Buffer.alloc(32)), headOf(800)], findings)
        takeInParts(check, 800, parts)
        expect(findings.list).toMatchObject([{ damage: 'rewritten', where: 'tree', checkpointSize: wrong }])
      }),
      { numRuns: 15 },
    )
  })

  it('keeps the roots of whole tiles, whatever the parts', () => {
    fc.assert(
      fc.property(sizesOfHeads, sizesOfParts, (sizes, parts) => {
        const check = new TreeCheck(
          sizes.map((size) => headOf(size)),
          new Findings(),
        )
        takeInParts(check, 800, parts)
        const tiles = [0, 256, 512].map((begin) => slowRoot(leaves.slice(begin, begin + 256)))
        expect(check.upperHashes).toEqual([tiles])
      }),
      { numRuns: 10 },
    )
  })
})
