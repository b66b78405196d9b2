import { Binary, ObjectId } from 'mongodb'
import { keyOfSwitchId, switchIdOf } from '../entry/stored-bytes.js'
import type { TreeHead } from '../log/checkpoint-text.js'
import type { Segment } from '../log/log-entities.js'
import { hashBytes, MerkleFrontier } from '../log/merkle-tree.js'
import { hashAt, tileWidth } from '../log/tile.js'
import { whereMissing } from '../log/tile-store.js'
import type { TransparencyLog } from '../log/transparency-log.js'
import type { ChainStart, EntryListener } from './chain-pass.js'
import type { Evidence } from './evidence.js'
import type { Finding, Findings } from './finding.js'
import { LeafCheck } from './leaf-check.js'
import type { Outside } from './outside.js'
import { SegmentIndex } from './segment-index.js'
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
    // The statements first, then what they are about: what a checkpoint adds meanwhile comes on top.
    const heads = await readHeads(log, reader, outside)
    const frontier = await frontierOf(log, since)
    const from = frontier.size
    const { segments, coverage, leaves } = await readSegments(log, findings, from)
    const tree = new TreeCheck(
      heads.filter(({ head }) => head.size > from || head === since),
      findings,
      frontier,
    )
    await build(tree, log, findings, from, leaves)
    tree.end()
    await checkUpperTiles(tree, log, findings, from)
    const evidence = new FullEvidence(log, segments, tree.newest, later(seams, coverage))
    await evidence.#checkSeams(seams, findings)
    return evidence
  }

  /** Where a chain is said to go on after its archive is where the tree has the same hash. */
  async #checkSeams(seams: ReadonlyMap<string, ChainStart>, findings: Findings): Promise<void> {
    if (this.newest === undefined) return
    const check = new LeafCheck(this.#segments, this.#log.tiles, this.newest.size)
    for (const [chain, { sequence, hash }] of seams) check.listenerOf(chain)(sequence, hash)
    await check.flush()
    for (const chain of check.suspects) findings.add(seamFinding(chain, seams))
  }

  get suspects(): ReadonlySet<string> {
    return this.#check.suspects
  }

  get matched(): number {
    return this.#check.matched
  }

  listenerOf(chain: string): EntryListener {
    return this.#check.listenerOf(chain)
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

async function readHeads(log: TransparencyLog, reader: CheckpointReader, outside: Outside) {
  const heads = outside.heads.map((head) => ({ head, isOutside: true }))
  for await (const checkpoint of log.checkpoints.inOrder()) {
    const head = reader.openStored(checkpoint)
    if (head !== undefined) heads.push({ head, isOutside: false })
  }
  return heads
}

/** The part of the tree that is taken as it is: if it is not what the checkpoint says, nothing is. */
async function frontierOf(log: TransparencyLog, since: TreeHead | undefined): Promise<MerkleFrontier> {
  if (since === undefined) return new MerkleFrontier()
  const frontier = await log.tiles.frontier(since.size).catch(whereMissing(undefined))
  return frontier?.root().equals(since.rootHash) ? frontier : new MerkleFrontier()
}

/** Builds the tree from its leaves; the last hash of each segment has to be among them. */
async function build(
  tree: TreeCheck,
  log: TransparencyLog,
  findings: Findings,
  from: number,
  leaves: number,
): Promise<void> {
  const segments = log.segments.between(from, leaves)[Symbol.asyncIterator]()
  await using _ = { [Symbol.asyncDispose]: async () => void (await segments.return?.()) }
  let segment = await segments.next()
  let next = from
  for await (const { index, hashes } of log.tiles.leaves(from, leaves)) {
    // A tile that is not there, or short, ends what can be built.
    if (index !== Math.floor(next / tileWidth)) return
    const fresh = hashes.subarray((next - index * tileWidth) * hashBytes)
    const end = next + Math.floor(fresh.length / hashBytes)
    tree.take(fresh.subarray(0, (end - next) * hashBytes))
    for (; !segment.done && endOf(segment.value) <= end; segment = await segments.next())
      checkLastHash(segment.value, hashAt(fresh, endOf(segment.value) - 1 - next), findings)
    next = end
    if (next % tileWidth !== 0) return
  }
}

function endOf({ firstLeaf, count }: Segment): number {
  return firstLeaf + count
}

function checkLastHash({ switchId, firstSequence, count, lastHash }: Segment, leaf: Buffer, findings: Findings): void {
  const [expected, found] = [leaf.toString('hex'), lastHash.toString('hex')]
  if (found === expected) return
  const place = { switchId: switchId.toHexString(), sequence: firstSequence + count - 1 }
  findings.add({ damage: 'edited', where: 'tree', ...place, expected, found: `${found} in the segment of the entry` })
}

/** The levels above the leaves, which proofs are read from, have the roots of the tiles below them. */
async function checkUpperTiles(tree: TreeCheck, log: TransparencyLog, findings: Findings, from: number): Promise<void> {
  for (const [at, expected] of tree.upperHashes.entries()) {
    const level = at + 1
    const first = Math.floor(from / tileWidth ** level)
    const found = new Map<number, Buffer>()
    for await (const { index, hashes } of log.tiles.ofLevel(level, first, first + expected.length))
      found.set(index, hashes)
    const wrong = expected.findIndex((hash, n) => {
      const tile = found.get(Math.floor((first + n) / tileWidth))
      return tile === undefined || !hashAt(tile, (first + n) % tileWidth).equals(hash)
    })
    const hash = expected[wrong]
    if (hash === undefined) continue
    const index = Math.floor((first + wrong) / tileWidth)
    const kept = found.get(index) ?? Buffer.alloc(0)
    findings.add({
      damage: 'edited',
      where: 'tree',
      expected: hash.toString('hex'),
      found: `${hashAt(kept, (first + wrong) % tileWidth).toString('hex')} in the tile ${level}/${index}`,
    })
  }
}

/** Reads which leaves are which entries; up to the first place where that does not fit together. */
async function readSegments(log: TransparencyLog, findings: Findings, from: number) {
  const segments = new SegmentIndex()
  const coverage = new Map<string, ChainStart>()
  let leaves = 0
  for await (const segment of log.segments.inOrder()) {
    if (!fits(segment, leaves, segments)) {
      findings.add(segmentFinding(segment, leaves))
      return { segments, coverage, leaves }
    }
    const { switchId, firstSequence, count, firstLeaf, lastHash } = segment
    const chain = keyOfSwitchId(switchId.toHexString())
    segments.add(chain, { firstSequence, count, firstLeaf })
    leaves += count
    if (leaves <= from) coverage.set(chain, { sequence: firstSequence + count - 1, hash: lastHash.toString('hex') })
  }
  if (leaves > 0 && (await log.checkpoints.ofSize(leaves)) === null)
    findings.add({
      damage: 'deleted',
      where: 'checkpoint',
      checkpointSize: leaves,
      expected: `a checkpoint of the ${leaves} entries of the tree`,
      found: 'nothing',
    })
  return { segments, coverage, leaves }
}

/** Whether the segment is one, and goes on where the one before it, in the tree and in its chain, has ended. */
function fits({ switchId, firstSequence, count, firstLeaf, lastHash }: Segment, leaves: number, known: SegmentIndex) {
  return (
    switchId instanceof ObjectId &&
    lastHash instanceof Binary &&
    Number.isSafeInteger(count) &&
    count > 0 &&
    firstLeaf === leaves &&
    firstSequence === known.lastSequenceOf(keyOfSwitchId(switchId.toHexString())) + 1
  )
}

function segmentFinding({ switchId, firstSequence, firstLeaf, count }: Segment, leaves: number): Finding {
  return {
    damage: 'edited',
    where: 'tree',
    switchId: String(switchId),
    sequence: firstSequence,
    expected: `the entries of leaf ${leaves}, in the order of their chains`,
    found: `a segment of ${count} entries at leaf ${firstLeaf}`,
  }
}

function seamFinding(chain: string, seams: ReadonlyMap<string, ChainStart>): Finding {
  const { sequence, hash } = seams.get(chain) ?? { sequence: 0, hash: '' }
  const expected = 'the hash of the last archived entry, as the tree has it'
  return { damage: 'edited', where: 'tree', switchId: switchIdOf(chain), sequence, expected, found: hash }
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
