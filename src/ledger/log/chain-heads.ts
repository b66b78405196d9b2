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

/** Whether the index of the tree has the chains of a checkpoint; others may have been covered by a later one. */
export async function isIndexOf(segments: SegmentStore, head: TreeHead): Promise<boolean> {
  const isOfNewest = hasChainHeads(head, (await segments.coverage()).values())
  return isOfNewest || hasChainHeads(head, (await segments.coverageAt(head.size)).values())
}
