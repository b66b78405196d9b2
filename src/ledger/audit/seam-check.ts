import type { Seam } from '../archive/archive-entities.js'
import { viewOn } from '../entry/hash-bytes.js'
import { hexOf, isSha256 } from '../entry/sha256.js'
import { keyOfSwitchId } from '../entry/stored-bytes.js'
import type { TransparencyLog } from '../log/transparency-log.js'
import type { ArchivedState } from './archive-check.js'
import type { ChainStart } from './chain-pass.js'
import type { Finding, Findings } from './finding.js'
import { LeafCheck } from './leaf-check.js'
import { lastSequenceOf, type SegmentIndex, segmentWith, signedSegments } from './segment-index.js'

/**
 * Where chains go on after their archives. A seam is where the tree has the same hash, in an archive; of another one it is said
 * how far the archives go, and the chain goes on from there.
 * @param size Of the part of the tree that is signed.
 */
export async function seamsInTree(
  log: TransparencyLog,
  segments: SegmentIndex,
  size: number,
  { seams, starts, isBound, size: archivedSize }: ArchivedState,
  findings: Findings,
): Promise<ReadonlyMap<string, ChainStart>> {
  if (size === 0 && isBound) return starts
  const check = new LeafCheck(segments, log.tiles, size)
  const compared = seams.map((seam) => {
    const chain = keyOfSwitchId(seam.switchId.toHexString())
    const last = lastSequenceOf(signedSegments(segments, chain, archivedSize))
    const leaves = check.leavesOf(chain, 0)
    // What is no hash may come from where it was tampered with: then it is not in the tree.
    if (seam.sequence <= last && isSha256(seam.hash)) leaves.take(seam.sequence, viewOn(seam.hash.value()), 0)
    return { seam, chain, last, leaves }
  })
  await check.flush()
  const found = new Map<string, ChainStart>()
  const before = findings.count
  for (const { seam, chain, last, leaves } of compared) {
    const sequence = Math.min(seam.sequence, last)
    const isInTree = leaves.matched > 0
    const hash = isInTree ? hexOf(seam.hash) : await hashInTree(log, segments, chain, sequence)
    if (hash !== undefined) found.set(chain, { sequence, hash })
    if (!isInTree) findings.add(seamFinding(seam, last, hash))
  }
  if (!isBound && findings.count === before)
    findings.add({
      damage: 'edited',
      where: 'archive',
      expected: 'the seams that the newest archive was signed with',
      found: `${seams.length} seams, of which some are others or say something else`,
    })
  return found
}

/** The hash that the tree has for an entry; undefined if it has none. */
async function hashInTree(log: TransparencyLog, segments: SegmentIndex, chain: string, sequence: number) {
  const segment = segmentWith(segments.segmentsOf(chain), sequence)
  if (segment === undefined) return undefined
  const firstLeaf = segment.firstLeaf + sequence - segment.firstSequence
  return (await log.leafHashes([{ firstSequence: sequence, count: 1, firstLeaf }])).get(sequence)
}

/** @param last The last entry of the chain that is archived; 0 if none is. */
function seamFinding({ switchId, sequence, hash }: Seam, last: number, inTree: string | undefined): Finding {
  const expected =
    last === 0
      ? 'no seam: nothing of the chain is archived'
      : sequence > last
        ? `a seam at entry ${last} or before: no more is archived`
        : `${inTree ?? 'nothing'}, as the tree has it for the entry`
  return {
    damage: 'edited',
    where: 'archive',
    switchId: switchId.toHexString(),
    sequence,
    expected,
    found: hexOf(hash),
  }
}
