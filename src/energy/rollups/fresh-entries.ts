import type { Collection, Db, ObjectId } from 'mongodb'
import { type ChainHead, chainHeads } from '../../ledger/chain-heads.js'
import type { LedgerEntry } from '../../ledger/entry/entry.js'
import { type Fact, factOf } from '../../ledger/facts/fact.js'
import { type EnergyEntry, energyEntryOf } from '../../ledger/facts/stored-fact.js'
import { documentsOf, scanRaw } from '../../ledger/raw-scan.js'

/** A chain that goes on after what the roll-ups have of it. */
export interface FreshChain {
  readonly switchId: ObjectId
  /** The last entry that they have; 0 if none. */
  readonly through: number
  /** The last entry to add. */
  readonly head: number
}

/** The new entries of a chain, in any order. */
export interface FreshEntries extends FreshChain {
  readonly entries: readonly EnergyEntry[]
}

/** Only what a majority has: no primary that falls can take it back. */
const majority = { readConcern: { level: 'majority' }, readPreference: 'primary' } as const

/** The last entry of every chain. */
export function headsOf(ledger: Collection<LedgerEntry>): Promise<ChainHead<'sequence'>[]> {
  return chainHeads(ledger, 'sequence', majority)
}

/** Reads the new entries of some chains with one query, from the primary. */
export async function readFresh(
  database: Db,
  collection: string,
  chains: readonly FreshChain[],
): Promise<FreshEntries[]> {
  const ranges = chains.map(({ switchId, through, head }) => ({ switchId, sequence: { $gt: through, $lte: head } }))
  const { readConcern } = majority
  const bySwitch = new Map(chains.map(({ switchId }) => [switchId.toHexString(), [] as EnergyEntry[]]))
  const query = { filter: { $or: ranges }, hint: { switchId: 1, sequence: 1 }, readConcern }
  for await (const batch of scanRaw(database, collection, query)) {
    for (const stored of documentsOf(batch)) {
      const entry = energyEntryOf(stored)
      bySwitch.get(entry.switchId.toHexString())?.push(entry)
    }
  }
  return chains.map((chain) => ({ ...chain, entries: bySwitch.get(chain.switchId.toHexString()) ?? [] }))
}

export function factsOf(entries: readonly EnergyEntry[]): Fact[] {
  return entries.flatMap((entry) => factOf(entry) ?? [])
}
