import { hash } from 'node:crypto'
import type { TreeHead } from './checkpoint-text.js'
import type { Coverage, SegmentStore } from './segment-store.js'

/**
 * Stands for the last entries of all chains that a tree has: SHA-256 over a line for each, in the order of their switches. A
 * checkpoint has it, so that nobody who cannot sign changes which chains there are, and where each of them ends.
 */
export function chainHeadsDigest(coverage: Iterable<Coverage>): Buffer {
  const lines = Array.from(
    coverage,
    ({ switchId, sequence, leaf, hash: last }) => `${switchId.toHexString()} ${sequence} ${leaf} ${last}\n`,
  )
  return hash('sha256', lines.sort().join(''), 'buffer')
}

/** Whether the chains are those of a checkpoint, each with its last entry; undefined stands for a ledger without any. */
export function hasChainHeads(head: TreeHead | undefined, coverage: Iterable<Coverage>): boolean {
  const signed = head === undefined ? chainHeadsDigest([]) : head.chainHeads
  return signed !== undefined && chainHeadsDigest(coverage).equals(signed)
}

/**
 * How far the index of the tree covers each chain, where that is what a checkpoint was signed for; others may have been covered
 * by a later one.
 * @returns undefined where the index has other chains, or other last entries.
 */
export async function signedCoverage(
  segments: SegmentStore,
  head: TreeHead,
): Promise<ReadonlyMap<string, Coverage> | undefined> {
  for (const read of [() => segments.coverage(), () => segments.coverageAt(head.size)]) {
    const coverage = await read()
    if (hasChainHeads(head, coverage.values())) return coverage
  }
  return undefined
}
