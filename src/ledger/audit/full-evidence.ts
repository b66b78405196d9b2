import { viewOf } from '../entry/hash-bytes.js'
import { carriedHashAt } from '../entry/stored-bytes.js'
import type { TreeHead } from '../log/checkpoint-text.js'
import type { TransparencyLog } from '../log/transparency-log.js'
import type { ArchivedState } from './archive-check.js'
import type { ChainListener, ChainStart, FollowedChain } from './chain-pass.js'
import type { Evidence, SignedChain } from './evidence.js'
import type { Findings } from './finding.js'
import type { KnownTreeHeads } from './known-tree-heads.js'
import { type ChainLeaves, LeafCheck } from './leaf-check.js'
import { seamsInTree } from './seam-check.js'
import { type LeafSegment, lastSequenceOf, type SegmentIndex, signedSegments } from './segment-index.js'
import { type CheckpointReader, TreeCheck } from './tree-check.js'
import {
  build,
  checkChainHeads,
  checkTilePlaces,
  checkUpperTiles,
  frontierOf,
  readSegments,
  strangerIn,
} from './tree-reading.js'

export interface GatherParts {
  readonly log: TransparencyLog
  readonly reader: CheckpointReader
  readonly findings: Findings
  readonly knownHeads: KnownTreeHeads
  readonly archived: ArchivedState
  /** Whose part of the tree is taken as it is; from there on it is built again. */
  readonly since: TreeHead | undefined
}

/** The whole tree, built from its leaves again, and every entry compared with its leaf. */
export class FullEvidence implements Evidence {
  readonly newest: TreeHead | undefined
  readonly starts: ReadonlyMap<string, ChainStart>
  readonly #segments: SegmentIndex
  readonly #check: LeafCheck
  readonly #leaves = new Map<string, ChainLeaves>()
  readonly #log: TransparencyLog

  private constructor(
    log: TransparencyLog,
    segments: SegmentIndex,
    newest: TreeHead | undefined,
    starts: ReadonlyMap<string, ChainStart>,
  ) {
    this.#log = log
    this.#segments = segments
    this.newest = newest
    this.starts = starts
    this.#check = new LeafCheck(segments, log.tiles, newest?.size ?? 0)
  }

  static async gather({ log, reader, findings, knownHeads, archived, since }: GatherParts): Promise<FullEvidence> {
    // The statements first, then what they are about: what a checkpoint adds meanwhile comes on top.
    const heads = await readHeads(log, reader, findings, knownHeads)
    const frontier = await frontierOf(log, since)
    const from = frontier.size
    const { segments, coverage, leaves, isSound } = await readSegments(log, findings, from)
    const tree = new TreeCheck(
      heads.filter(({ head }) => head.size > from || head === since),
      findings,
      frontier,
    )
    await build(tree, log, findings, from, leaves)
    tree.end()
    await checkUpperTiles(tree, log, findings, from)
    await checkTilePlaces(log, findings, leaves)
    if (isSound && tree.newest !== undefined) await checkChainHeads(log, findings, tree.newest)
    const seams = await seamsInTree(log, segments, tree.newest?.size ?? 0, archived, findings)
    return new FullEvidence(log, segments, tree.newest, later(seams, coverage))
  }

  get matched(): number {
    return this.#check.matched
  }

  matchedOf(chains: readonly string[]): number {
    const leaves = chains.flatMap((chain) => this.#leaves.get(chain) ?? [])
    return leaves.reduce((sum, { matched, matchedBefore }) => sum + matched + matchedBefore, 0)
  }

  listenerOf(chain: string): Pick<ChainListener, 'take'> {
    const leaves = this.#check.leavesOf(chain, this.starts.get(chain)?.sequence ?? 0)
    this.#leaves.set(chain, leaves)
    return { take: (sequence, entry) => leaves.take(sequence, viewOf(entry.buffer), carriedHashAt(entry)) }
  }

  flush(): Promise<void> {
    return this.#check.flush()
  }

  *unaccounted(read: ReadonlyMap<string, FollowedChain>): Generator<string, void, undefined> {
    for (const [chain, { isOther, matchedBefore }] of this.#leaves)
      if (isOther || matchedBefore !== read.get(chain)?.beforeStart) yield chain
    for (const chain of this.#segments.chains()) {
      const signed = this.#through(chain) - (this.starts.get(chain)?.sequence ?? 0)
      if ((this.#leaves.get(chain)?.matched ?? 0) !== Math.max(0, signed)) yield chain
    }
  }

  async signedChain(chain: string): Promise<SignedChain> {
    return { hashes: await this.#log.leafHashes(this.#signedSegments(chain)), through: this.#through(chain) }
  }

  #through(chain: string): number {
    return lastSequenceOf(this.#signedSegments(chain))
  }

  #signedSegments(chain: string): readonly LeafSegment[] {
    return signedSegments(this.#segments, chain, this.newest?.size ?? 0)
  }
}

async function readHeads(
  log: TransparencyLog,
  reader: CheckpointReader,
  findings: Findings,
  knownHeads: KnownTreeHeads,
) {
  const heads = knownHeads.heads.map((head) => ({ head, isOutside: true }))
  for await (const { id, checkpoint } of log.checkpoints.inOrder()) {
    if (checkpoint === undefined) findings.add(strangerIn('checkpoint', id, 'a checkpoint'))
    const head = checkpoint && reader.openStored(checkpoint)
    if (head !== undefined) heads.push({ head, isOutside: false })
  }
  return heads
}

/** Of two starts of a chain the later one. */
export function later(
  some: ReadonlyMap<string, ChainStart>,
  others: ReadonlyMap<string, ChainStart>,
): ReadonlyMap<string, ChainStart> {
  const starts = new Map(some)
  for (const [chain, start] of others) {
    if (start.sequence > (starts.get(chain)?.sequence ?? 0)) starts.set(chain, start)
  }
  return starts
}
