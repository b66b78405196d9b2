import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { inSession } from '../../core/repository/in-session.js'
import type { LedgerEntry } from '../../ledger/entry/entry.js'
import { archived } from '../../ledger/facts/fact-store.js'
import { type LastEntry, lastEntries } from '../../ledger/last-entries.js'
import type { Ledger } from '../../ledger/ledger.js'
import {
  type ChainProgress,
  noProgress,
  type RollUpCursor,
  readLastFacts,
  readProgress,
} from '../roll-ups/roll-up-cursor.js'

/** A chain of the ledger, and how far it is in the roll-ups. */
export interface LedgerChain {
  readonly switchId: ObjectId
  /** The sequence number of its last entry. */
  readonly head: number
  readonly progress: ChainProgress
}

/** All chains, as of the moment at which they were read. */
export interface LedgerChains {
  readonly chains: readonly LedgerChain[]
  /** Whether the roll-ups are of this ledger, so that they can serve. */
  readonly areInRollUps: boolean
}

/** Reads how far the ledger and the roll-ups are; in a snapshot, or they are not of one moment. */
export async function readChains(
  database: Database,
  { entity }: Pick<Ledger, 'entity'>,
  cursorEntity: Entity<RollUpCursor>,
): Promise<LedgerChains> {
  const heads = await database.run(entity, 'energy', (session) =>
    lastEntries(database.collectionOf<LedgerEntry>(entity), 'sequence', inSession(session)),
  )
  const cursors = database.of(cursorEntity).for('energy')
  const progress = await readProgress(cursors)
  const areInRollUps = progress.size > 0 && areOf(heads, progress)
  const progressOf = (id: string) => (areInRollUps ? (progress.get(id) ?? noProgress) : noProgress)
  const chains = heads.map(({ switchId, sequence: head }) => {
    return { switchId, head, progress: progressOf(switchId.toHexString()) }
  })
  return { chains: await withLastFacts(cursors, chains), areInRollUps }
}

/** Of chains that go on after what is in the roll-ups, the newest facts are needed. */
async function withLastFacts(
  cursors: EntityCollection<RollUpCursor>,
  chains: readonly LedgerChain[],
): Promise<LedgerChain[]> {
  const going = chains.filter(({ head, progress }) => progress.through > 0 && progress.through < head)
  const facts = await readLastFacts(
    cursors,
    going.map(({ switchId }) => switchId),
  )
  return chains.map((chain) => {
    const lastFact = facts.get(chain.switchId.toHexString())
    return lastFact === undefined ? chain : { ...chain, progress: { ...chain.progress, lastFact } }
  })
}

/**
 * Whether the roll-ups are of this ledger. An archive leaves the last entry of each chain, so roll-ups that are further than
 * the ledger were made from another one: it was restored from a backup, say, or emptied.
 */
function areOf(heads: readonly LastEntry<'sequence'>[], progress: ReadonlyMap<string, ChainProgress>): boolean {
  const headOf = new Map(heads.map(({ switchId, sequence }) => [switchId.toHexString(), sequence]))
  for (const [id, { through }] of progress) if ((headOf.get(id) ?? 0) < through) return false
  return true
}

/** @throws DatabaseError `ARCHIVED` if entries from an instant on were archived before they were in the roll-ups. */
export function requireKnown(chains: readonly LedgerChain[], fromMs: number): void {
  for (const { switchId, progress } of chains) {
    const untilMs = progress.unknownUntil?.getTime()
    if (untilMs !== undefined && untilMs >= fromMs) throw archived(switchId, untilMs)
  }
}
