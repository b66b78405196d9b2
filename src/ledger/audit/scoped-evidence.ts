import { ObjectId } from 'mongodb'
import { keyOfSwitchId, switchIdOf } from '../entry/stored-bytes.js'
import type { TreeHead } from '../log/checkpoint-text.js'
import type { Segment } from '../log/log-entities.js'
import { consistencyPath, inclusionPath, provesConsistency, provesInclusion } from '../log/merkle-proof.js'
import { whereMissing } from '../log/tile-store.js'
import type { TransparencyLog } from '../log/transparency-log.js'
import type { ChainStart, EntryListener } from './chain-pass.js'
import type { Evidence } from './evidence.js'
import type { Findings } from './finding.js'
import type { Outside } from './outside.js'
import type { CheckpointReader } from './tree-check.js'

interface ProvenEntry {
  readonly sequence: number
  readonly hash: string
}

/**
 * What the tree says of some chains: that the last entry of each that it covers is in it, by an inclusion proof. Every entry
 * before that one is bound by the links to it. Costs as much as there are chains in question, however large the tree is.
 */
export class ScopedEvidence implements Evidence {
  readonly starts: ReadonlyMap<string, ChainStart>
  readonly suspects = new Set<string>()
  matched = 0
  readonly newest: TreeHead | undefined
  readonly #proven: ReadonlyMap<string, ProvenEntry>
  readonly #log: TransparencyLog

  private constructor(
    log: TransparencyLog,
    newest: TreeHead | undefined,
    proven: ReadonlyMap<string, ProvenEntry>,
    seams: ReadonlyMap<string, ChainStart>,
  ) {
    this.starts = seams
    this.#log = log
    this.newest = newest
    this.#proven = proven
  }

  static async gather(
    log: TransparencyLog,
    reader: CheckpointReader,
    findings: Findings,
    outside: Outside,
    switchIds: readonly ObjectId[],
    seams: ReadonlyMap<string, ChainStart>,
  ): Promise<ScopedEvidence> {
    const stored = await log.checkpoints.newest()
    const newest = stored === null ? undefined : reader.openStored(stored)
    await compareOutside(log, findings, outside, newest)
    const proven = new Map<string, ProvenEntry>()
    for (const switchId of switchIds) {
      const segments = await log.segments.ofChain(switchId)
      await requireCheckpoint(log, findings, segments.at(-1))
      const entry = newest === undefined ? undefined : await proveLast(log, findings, newest, segments)
      if (entry !== undefined) proven.set(keyOfSwitchId(switchId.toHexString()), entry)
    }
    return new ScopedEvidence(log, newest, proven, seams)
  }

  listenerOf(chain: string): EntryListener {
    const proven = this.#proven.get(chain)
    return (sequence, hash) => {
      if (proven === undefined || sequence > proven.sequence) return
      if (sequence === proven.sequence && hash !== proven.hash) this.suspects.add(chain)
      else this.matched += 1
    }
  }

  async flush(): Promise<void> {}

  *covered(): Generator<readonly [chain: string, lastSequence: number], void, undefined> {
    for (const [chain, { sequence }] of this.#proven) yield [chain, sequence]
  }

  async signedHashes(chain: string): Promise<ReadonlyMap<number, string>> {
    const proven = this.#proven.get(chain)
    const segments = await this.#log.segments.ofChain(ObjectId.createFromHexString(switchIdOf(chain)))
    return this.#log.leafHashes(segments.filter(({ firstSequence }) => firstSequence <= (proven?.sequence ?? 0)))
  }
}

/** The ledger's newest checkpoint has to go on from those that are known outside. */
async function compareOutside(
  log: TransparencyLog,
  findings: Findings,
  { heads }: Outside,
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

/** What the tree has of a chain is what some checkpoint was signed for. */
async function requireCheckpoint(log: TransparencyLog, findings: Findings, last: Segment | undefined): Promise<void> {
  if (last === undefined) return
  const [end, newest] = [last.firstLeaf + last.count, await log.checkpoints.newest()]
  if (newest !== null && newest.size >= end) return
  findings.add({
    damage: 'deleted',
    where: 'checkpoint',
    checkpointSize: end,
    expected: `a checkpoint of at least the ${end} entries of the tree`,
    found: newest === null ? 'nothing' : `a newest one of ${newest.size}`,
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
