import type { ObjectId } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { carriedHash, keyOfSwitchId, type StoredBytes } from '../entry/stored-bytes.js'
import { signedCoverage } from '../log/chain-heads.js'
import type { TreeHead } from '../log/checkpoint-text.js'
import { consistencyPath, inclusionPath, provesConsistency, provesInclusion } from '../log/merkle-proof.js'
import type { Coverage } from '../log/segment-store.js'
import { whereMissing } from '../log/tile-store.js'
import type { TransparencyLog } from '../log/transparency-log.js'
import type { ArchivedState } from './archive-check.js'
import type { ChainListener, ChainStart, FollowedChain } from './chain-pass.js'
import type { Evidence } from './evidence.js'
import type { Findings } from './finding.js'
import type { KnownTreeHeads } from './known-tree-heads.js'
import type { CheckpointReader } from './tree-check.js'

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
  readonly last: Coverage
  /** Entries up to that one that were read. */
  matched = 0
  isOther = false

  constructor(last: Coverage) {
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
    const coverage = await coverageOf(log, newest)
    await checkLeaves(log, findings, stored?.size ?? 0)
    const proven = new Map<string, ProvenChain>()
    for (const switchId of switchIds) {
      const last = coverage.get(switchId.toHexString())
      if (newest === undefined || last === undefined) continue
      await proveLast(log, findings, newest, last)
      proven.set(keyOfSwitchId(switchId.toHexString()), new ProvenChain(last))
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
 * How far the newest checkpoint was signed to cover each chain. It is read once: what is compared with the checkpoint is what is
 * relied on.
 * @throws DatabaseError `LEDGER_DAMAGED` if the index of the tree has it otherwise: the whole tree says what.
 */
async function coverageOf(log: TransparencyLog, newest: TreeHead | undefined): Promise<ReadonlyMap<string, Coverage>> {
  if (newest === undefined) return new Map()
  const coverage = await signedCoverage(log.segments, newest)
  if (coverage !== undefined) return coverage
  throw new DatabaseError('LEDGER_DAMAGED', 'The index of the tree does not have the chains of the newest checkpoint')
}

/** The index has a place for each leaf, and none that no checkpoint was signed for. */
async function checkLeaves(log: TransparencyLog, findings: Findings, size: number): Promise<void> {
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

/** The last entry of a chain is in the tree where the index has it. */
async function proveLast(
  log: TransparencyLog,
  findings: Findings,
  newest: TreeHead,
  { switchId, sequence, leaf, hash }: Coverage,
): Promise<void> {
  const hashes = await log.tiles.rootsOf(inclusionPath(leaf, newest.size)).catch(whereMissing<Buffer[]>([]))
  if (provesInclusion(leaf, newest.size, Buffer.from(hash, 'hex'), hashes, newest.rootHash)) return
  findings.add({
    damage: 'edited',
    where: 'tree',
    switchId: switchId.toHexString(),
    sequence,
    expected: newest.rootHash.toString('hex'),
    found: `a leaf ${leaf} that does not lead to it`,
  })
}
