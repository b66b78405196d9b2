import { hashBytes } from '../entry/hash-bytes.js'
import { keyOfSwitchId } from '../entry/stored-bytes.js'
import { isLedgerDamage } from '../ledger-damage.js'
import { signedCoverage } from '../log/chain-heads.js'
import type { TreeHead } from '../log/checkpoint-text.js'
import { type Segment, type Tile, tileEntity } from '../log/log-entities.js'
import { MerkleFrontier } from '../log/merkle-tree.js'
import { hashAt, tileWidth } from '../log/tile.js'
import { whereMissing } from '../log/tile-store.js'
import type { TransparencyLog } from '../log/transparency-log.js'
import { idOf, readStored } from '../stored-document.js'
import type { ChainStart } from './chain-pass.js'
import type { Finding, Findings } from './finding.js'
import { SegmentIndex } from './segment-index.js'
import type { TreeCheck } from './tree-check.js'

/** The part of the tree that is taken as it is: if it is not what the checkpoint says, nothing is. */
export async function frontierOf(log: TransparencyLog, since: TreeHead | undefined): Promise<MerkleFrontier> {
  if (since === undefined) return new MerkleFrontier()
  const frontier = await log.tiles.frontier(since.size).catch(whereMissing(undefined))
  return frontier?.root().equals(since.rootHash) ? frontier : new MerkleFrontier()
}

/** Builds the tree from its leaves; the last hash of each segment has to be among them. */
export async function build(
  tree: TreeCheck,
  log: TransparencyLog,
  findings: Findings,
  from: number,
  leaves: number,
): Promise<void> {
  const segments = log.segments.inOrder({ $gte: from, $lt: leaves })
  let segment = await segments.next()
  let next = from
  try {
    for await (const { index, hashes } of log.tiles.leaves(from, leaves)) {
      // A tile that is not there, or short, ends what can be built.
      if (index !== Math.floor(next / tileWidth)) return
      const fresh = hashes.subarray((next - index * tileWidth) * hashBytes)
      const end = next + Math.floor(fresh.length / hashBytes)
      tree.take(fresh.subarray(0, (end - next) * hashBytes))
      for (; !segment.done; segment = await segments.next()) {
        // What is no segment was found already.
        const last = segment.value.segment
        if (last === undefined || endOf(last) <= next) continue
        if (endOf(last) > end) break
        checkLastHash(last, hashAt(fresh, endOf(last) - 1 - next), findings)
      }
      next = end
      if (next % tileWidth !== 0) return
    }
  } finally {
    await segments.return()
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
export async function checkUpperTiles(
  tree: TreeCheck,
  log: TransparencyLog,
  findings: Findings,
  from: number,
): Promise<void> {
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

/** Every tile has a place in the tree, and no more hashes than there are. */
export async function checkTilePlaces(log: TransparencyLog, findings: Findings, leaves: number): Promise<void> {
  const places = new Set<string>()
  for await (const bytes of log.tiles.documents()) {
    const tile = readStored(tileEntity, bytes)
    const id = idOf(bytes)
    if (tile === undefined) findings.add(strangerIn('tree', id, 'a tile of the tree'))
    else if (places.has(`${tile.level}/${tile.index}`)) findings.add(strangerIn('tree', id, 'one tile at each place'))
    else {
      places.add(`${tile.level}/${tile.index}`)
      if (hashesOf(tile) <= roomOf(tile, leaves)) continue
      // A checkpoint that was made meanwhile has added some.
      const newest = await log.segments.leaves()
      if (hashesOf(tile) <= roomOf(tile, newest)) continue
      const found = `${hashesOf(tile)} hashes in the tile ${tile.level}/${tile.index}`
      findings.add({
        damage: 'inserted',
        where: 'tree',
        expected: `${Math.max(0, roomOf(tile, leaves))} hashes`,
        found,
      })
    }
  }
}

function hashesOf({ hashes }: Tile): number {
  return hashes.length() / hashBytes
}

/** How many hashes a tile has in a tree of so many leaves. */
function roomOf({ level, index }: Tile, leaves: number): number {
  return Math.min(tileWidth, Math.floor(leaves / tileWidth ** level) - index * tileWidth)
}

/** Reads which leaves are which entries; up to the first place where that does not fit together. */
export async function readSegments(log: TransparencyLog, findings: Findings, from: number) {
  const segments = new SegmentIndex()
  const coverage = new Map<string, ChainStart>()
  let leaves = 0
  for await (const { id, segment } of log.segments.inOrder()) {
    if (segment === undefined || !fits(segment, leaves, segments)) {
      const expected = `the entries of leaf ${leaves}, in the order of their chains`
      findings.add(segment === undefined ? strangerIn('tree', id, expected) : segmentFinding(segment, expected))
      return { segments, coverage, leaves, isSound: false }
    }
    const { switchId, firstSequence, count, firstLeaf, lastHash } = segment
    const chain = keyOfSwitchId(switchId.toHexString())
    segments.add(chain, { firstSequence, count, firstLeaf })
    leaves += count
    if (leaves <= from) coverage.set(chain, { sequence: firstSequence + count - 1, hash: lastHash.toString('hex') })
  }
  if (leaves > 0 && !(await hasCheckpointOf(log, leaves)))
    findings.add({
      damage: 'deleted',
      where: 'checkpoint',
      checkpointSize: leaves,
      expected: `a checkpoint of the ${leaves} entries of the tree`,
      found: 'nothing',
    })
  return { segments, coverage, leaves, isSound: true }
}

/** The last entries of the chains are those that the newest checkpoint was signed for. */
export async function checkChainHeads(log: TransparencyLog, findings: Findings, newest: TreeHead): Promise<void> {
  const coverage = await signedCoverage(log.segments, newest).catch((error: unknown) => {
    if (isLedgerDamage(error)) return undefined
    throw error
  })
  if (coverage !== undefined) return
  findings.add({
    damage: 'edited',
    where: 'tree',
    checkpointSize: newest.size,
    expected: `chains with the last entries that the checkpoint was signed for: ${newest.chainHeads?.toString('hex')}`,
    found: 'an index with others',
  })
}

async function hasCheckpointOf(log: TransparencyLog, size: number): Promise<boolean> {
  for await (const { checkpoint } of log.checkpoints.inOrder({ size })) if (checkpoint !== undefined) return true
  return false
}

/** Whether the segment goes on where the one before it, in the tree and in its chain, has ended. */
function fits({ switchId, firstSequence, firstLeaf }: Segment, leaves: number, known: SegmentIndex) {
  const before = known.lastSequenceOf(keyOfSwitchId(switchId.toHexString()))
  return firstLeaf === leaves && firstSequence === before + 1
}

function segmentFinding({ switchId, firstSequence, firstLeaf, count }: Segment, expected: string): Finding {
  return {
    damage: 'edited',
    where: 'tree',
    switchId: switchId.toHexString(),
    sequence: firstSequence,
    expected,
    found: `a segment of ${count} entries at leaf ${firstLeaf}`,
  }
}

export function strangerIn(where: Finding['where'], id: string, expected: string): Finding {
  return { damage: 'edited', where, expected, found: `the document ${id}, which is none` }
}
