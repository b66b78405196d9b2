import type { TreeHead } from '../log/checkpoint-text.js'
import { MerkleFrontier } from '../log/merkle-tree.js'
import { tileWidth } from '../log/tile.js'
import type { TransparencyLog } from '../log/transparency-log.js'
import type { ChainStart } from './chain-pass.js'
import type { Evidence } from './evidence.js'
import type { Finding, Findings } from './finding.js'
import { LeafCheck } from './leaf-check.js'
import type { Outside } from './outside.js'
import { SegmentIndex } from './segment-index.js'
import { keyOfSwitchId, switchIdOf } from './stored-bytes.js'
import { type CheckpointReader, TreeCheck } from './tree-check.js'

/** The whole tree, built from its leaves again, and every entry compared with its leaf. */
export class FullEvidence implements Evidence {
  readonly newest: TreeHead | undefined
  readonly starts: ReadonlyMap<string, ChainStart>
  readonly #segments: SegmentIndex
  readonly #check: LeafCheck
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

  /** @param since Whose part of the tree is taken as it is; from there on it is built again. */
  static async gather(
    log: TransparencyLog,
    reader: CheckpointReader,
    findings: Findings,
    outside: Outside,
    since: TreeHead | undefined,
    seams: ReadonlyMap<string, ChainStart>,
  ): Promise<FullEvidence> {
    const { segments, coverage, leaves } = await readSegments(log, findings, since)
    const heads = outside.heads.map((head) => ({ head, isOutside: true }))
    for await (const { note, size } of log.checkpoints.inOrder()) {
      const head = reader.open(note, size)
      if (head !== undefined) heads.push({ head, isOutside: false })
    }
    const from = since?.size ?? 0
    const tree = new TreeCheck(
      heads.filter(({ head }) => head.size > from || head === since),
      findings,
      from === 0 ? new MerkleFrontier() : await log.tiles.frontier(from),
    )
    await feed(tree, log, from, leaves)
    tree.end()
    const evidence = new FullEvidence(log, segments, tree.newest, later(seams, coverage))
    await evidence.#checkSeams(seams, findings)
    return evidence
  }

  /** Where a chain is said to go on after its archive is where the tree has the same hash. */
  async #checkSeams(seams: ReadonlyMap<string, ChainStart>, findings: Findings): Promise<void> {
    if (this.newest === undefined) return
    const check = new LeafCheck(this.#segments, this.#log.tiles, this.newest.size)
    for (const [chain, { sequence, hash }] of seams) check.take(chain, sequence, hash)
    await check.flush()
    for (const chain of check.suspects) findings.add(seamFinding(chain, seams))
  }

  get suspects(): ReadonlySet<string> {
    return this.#check.suspects
  }

  get matched(): number {
    return this.#check.matched
  }

  take(chain: string, sequence: number, hash: string): void {
    this.#check.take(chain, sequence, hash)
  }

  flush(): Promise<void> {
    return this.#check.flush()
  }

  *covered(): Generator<readonly [chain: string, lastSequence: number], void, undefined> {
    const size = this.newest?.size ?? 0
    for (const chain of this.#segments.chains()) {
      const last = this.#segments.segmentsOf(chain).findLast(({ firstLeaf, count }) => firstLeaf + count <= size)
      if (last !== undefined) yield [chain, last.firstSequence + last.count - 1]
    }
  }

  async signedHashes(chain: string): Promise<ReadonlyMap<number, string>> {
    const size = this.newest?.size ?? 0
    const segments = this.#segments.segmentsOf(chain).filter(({ firstLeaf, count }) => firstLeaf + count <= size)
    return this.#log.leafHashes(segments)
  }
}

async function feed(tree: TreeCheck, log: TransparencyLog, from: number, leaves: number): Promise<void> {
  let next = from
  for await (const { index, hashes } of log.tiles.leaves(from, leaves)) {
    // A tile that is not there, or short, ends what can be built.
    if (index !== Math.floor(next / tileWidth)) return
    const fresh = hashes.subarray((next - index * tileWidth) * 32)
    tree.take(fresh)
    next += fresh.length / 32
    if (next % tileWidth !== 0) return
  }
}

/** Reads which leaves are which entries; up to the first place where that does not fit together. */
async function readSegments(log: TransparencyLog, findings: Findings, since: TreeHead | undefined) {
  const segments = new SegmentIndex()
  const coverage = new Map<string, ChainStart>()
  let leaves = 0
  for await (const { switchId, firstSequence, count, firstLeaf, lastHash } of log.segments.inOrder()) {
    const chain = keyOfSwitchId(switchId.toHexString())
    const fits = firstLeaf === leaves && segments.add(chain, { firstSequence, count, firstLeaf })
    if (!fits) {
      findings.add({
        damage: 'edited',
        where: 'tree',
        switchId: switchId.toHexString(),
        sequence: firstSequence,
        expected: `the entries of leaf ${leaves}, in the order of their chains`,
        found: `a segment at leaf ${firstLeaf}`,
      })
      break
    }
    leaves += count
    if (since !== undefined && leaves <= since.size)
      coverage.set(chain, { sequence: firstSequence + count - 1, hash: lastHash.toString('hex') })
  }
  return { segments, coverage, leaves }
}

function seamFinding(chain: string, seams: ReadonlyMap<string, ChainStart>): Finding {
  const { sequence, hash } = seams.get(chain) ?? { sequence: 0, hash: '' }
  const expected = 'the hash of the last archived entry, as the tree has it'
  return { damage: 'edited', where: 'tree', switchId: switchIdOf(chain), sequence, expected, found: hash }
}

/** Of two starts of a chain the later one. */
function later(
  some: ReadonlyMap<string, ChainStart>,
  others: ReadonlyMap<string, ChainStart>,
): ReadonlyMap<string, ChainStart> {
  const starts = new Map(some)
  for (const [chain, start] of others) {
    if (start.sequence > (starts.get(chain)?.sequence ?? 0)) starts.set(chain, start)
  }
  return starts
}
