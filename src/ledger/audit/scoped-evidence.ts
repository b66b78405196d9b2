import type { ObjectId } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { carriedHash, keyOfSwitchId, type StoredBytes } from '../entry/stored-bytes.js'
import { isIndexOf } from '../log/chain-heads.js'
import type { TreeHead } from '../log/checkpoint-text.js'
import type { Segment } from '../log/log-entities.js'
import { consistencyPath, inclusionPath, provesConsistency, provesInclusion } from '../log/merkle-proof.js'
import { whereMissing } from '../log/tile-store.js'
import type { TransparencyLog } from '../log/transparency-log.js'
import type { ArchivedState } from './archive-check.js'
import type { ChainListener, ChainStart, FollowedChain } from './chain-pass.js'
import type { Evidence } from './evidence.js'
import type { Findings } from './finding.js'
import type { KnownTreeHeads } from './known-tree-heads.js'
import type { CheckpointReader } from './tree-check.js'

interface ProvenEntry {
  readonly sequence: number
  readonly hash: string
}

export interface ScopedParts {
  readonly log: TransparencyLog
  readonly reader: CheckpointReader
  readonly findings: Findings
  readonly knownHeads: KnownTreeHeads
  readonly archived: ArchivedState
  readonly switchIds: readonly ObjectId[]
}

/** A chain of which the last entry that the tree covers is proven. */
class ProvenChain {
  readonly last: ProvenEntry
  /** Entries up to that one that were read. */
  matched = 0
  isOther = false

  constructor(last: ProvenEntry) {
    this.last = last
  }

  take(sequence: number, entry: StoredBytes): void {
    if (sequence > this.last.sequence) return
    if (sequence === this.last.sequence && carriedHash(entry) !== this.last.hash) this.isOther = true
    else this.matched += 1
  }
}

const uncovered: Pick<ChainListener, 'take'> = { take: () => undefined }

/**
 * What the tree says of some chains: which their last entries are that it covers, as the newest checkpoint was signed for them,
 * and that each is in it, by an inclusion proof. Every entry before that one is bound by the links to it. Costs as much as there
 * are chains in question, and a look at the index of the tree, however many entries there are.
 */
export class ScopedEvidence implements Evidence {
  readonly starts: ReadonlyMap<string, ChainStart>
  readonly newest: TreeHead | undefined
  readonly #proven: ReadonlyMap<string, ProvenChain>

  private constructor(
    newest: TreeHead | undefined,
    proven: ReadonlyMap<string, ProvenChain>,
    starts: ReadonlyMap<string, ChainStart>,
  ) {
    this.starts = starts
    this.newest = newest
    this.#proven = proven
  }

  /** @throws DatabaseError `LEDGER_DAMAGED` if nothing can be said without the whole tree. */
  static async gather({
    log,
    reader,
    findings,
    knownHeads,
    archived,
    switchIds,
  }: ScopedParts): Promise<ScopedEvidence> {
    const stored = await log.checkpoints.newest()
    const newest = stored === null ? undefined : reader.openStored(stored)
    await compareOutside(log, findings, knownHeads, newest)
    await checkIndex(log, findings, newest, stored?.size ?? 0)
    const proven = new Map<string, ProvenChain>()
    for (const switchId of switchIds) {
      const segments = await log.segments.ofChain(switchId)
      const entry = newest === undefined ? undefined : await proveLast(log, findings, newest, segments)
      if (entry !== undefined) proven.set(keyOfSwitchId(switchId.toHexString()), new ProvenChain(entry))
    }
    return new ScopedEvidence(newest, proven, archived.starts)
  }

  get matched(): number {
    return [...this.#proven.values()].reduce((sum, { matched }) => sum + matched, 0)
  }

  matchedOf(chains: readonly string[]): number {
    return chains.reduce((sum, chain) => sum + (this.#proven.get(chain)?.matched ?? 0), 0)
  }

  listenerOf(chain: string): Pick<ChainListener, 'take'> {
    return this.#proven.get(chain) ?? uncovered
  }

  async flush(): Promise<void> {}

  *unaccounted(read: ReadonlyMap<string, FollowedChain>): Generator<string, void, undefined> {
    // Archived entries that were not removed yet are compared with the whole tree.
    for (const [chain, { beforeStart }] of read) if (beforeStart > 0) yield chain
    for (const [chain, { last, isOther }] of this.#proven) {
      const sequence = read.get(chain)?.sequence ?? this.starts.get(chain)?.sequence ?? 0
      if (isOther || sequence < last.sequence) yield chain
    }
  }
}

/** The ledger's newest checkpoint has to go on from those that are known outside. */
async function compareOutside(
  log: TransparencyLog,
  findings: Findings,
  { heads }: KnownTreeHeads,
  newest: TreeHead | undefined,
): Promise<void> {
  for (const head of heads) {
    const place = { where: 'checkpoint', checkpointSize: head.size, expected: head.rootHash.toString('hex') } as const
    if (newest === undefined || head.size > newest.size)
      findings.add({ ...place, damage: 'truncated', found: `${newest?.size ?? 0} entries` })
    else if (head.size > 0) {
      const hashes = await log.tiles.rootsOf(consistencyPath(head.size, newest.size)).catch(whereMissing([]))
      const goesOn = provesConsistency(head.size, newest.size, head.rootHash, newest.rootHash, hashes)
      if (!goesOn) findings.add({ ...place, damage: 'rewritten', found: newest.rootHash.toString('hex') })
    }
  }
}

/**
 * The index of the tree has the chains that the newest checkpoint was signed for, and no leaf that none was signed for.
 * @throws DatabaseError `LEDGER_DAMAGED` if it has others: the whole tree says which.
 */
async function checkIndex(
  log: TransparencyLog,
  findings: Findings,
  head: TreeHead | undefined,
  size: number,
): Promise<void> {
  if (head !== undefined && !(await isIndexOf(log.segments, head)))
    throw new DatabaseError('LEDGER_DAMAGED', 'The index of the tree does not have the chains of the newest checkpoint')
  const leaves = await log.segments.leaves()
  if (leaves === size) return
  // A checkpoint may have been made meanwhile.
  const newest = (await log.checkpoints.newest())?.size ?? 0
  if (leaves >= size && leaves <= newest) return
  const isMore = leaves > newest
  findings.add({
    damage: 'deleted',
    where: isMore ? 'checkpoint' : 'tree',
    checkpointSize: isMore ? leaves : newest,
    expected: isMore ? `a checkpoint of the ${leaves} entries of the tree` : `an index of ${newest} leaves`,
    found: isMore ? `a newest one of ${newest}` : `one of ${leaves}`,
  })
}

async function proveLast(
  log: TransparencyLog,
  findings: Findings,
  newest: TreeHead,
  segments: readonly Segment[],
): Promise<ProvenEntry | undefined> {
  const last = segments.findLast(({ firstLeaf, count }) => firstLeaf + count <= newest.size)
  if (last === undefined) return undefined
  const [sequence, leaf] = [last.firstSequence + last.count - 1, last.firstLeaf + last.count - 1]
  const path = [{ begin: leaf, end: leaf + 1 }, ...inclusionPath(leaf, newest.size)]
  const [leafHash, ...hashes] = await log.tiles.rootsOf(path).catch(whereMissing<Buffer[]>([]))
  if (leafHash !== undefined && provesInclusion(leaf, newest.size, leafHash, hashes, newest.rootHash))
    return { sequence, hash: leafHash.toString('hex') }
  findings.add({
    damage: 'edited',
    where: 'tree',
    switchId: last.switchId.toHexString(),
    sequence,
    expected: newest.rootHash.toString('hex'),
    found: `a leaf ${leaf} that does not lead to it`,
  })
  return undefined
}
