import type { Collection, Filter, ObjectId } from 'mongodb'
import { type ChainHead, chainHeads } from '../../ledger/chain-heads.js'
import type { LedgerEntry } from '../../ledger/entry/entry.js'
import { type Fact, type FactEntry, factFields, factOf } from '../../ledger/facts/fact.js'

/** An entry as far as roll-ups are made of it. */
export type RollUpEntry = FactEntry & Pick<LedgerEntry, 'switchId' | 'adjustment'>

/** The fields of {@link RollUpEntry}, for the server. */
const rollUpFields = { ...factFields, switchId: 1, adjustment: 1 } as const

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
  readonly entries: readonly RollUpEntry[]
}

/** Only what a majority has: no primary that falls can take it back. */
const majority = { readConcern: { level: 'majority' }, readPreference: 'primary' } as const

/** The last entry of every chain. */
export function headsOf(ledger: Collection<LedgerEntry>): Promise<ChainHead<'sequence'>[]> {
  return chainHeads(ledger, 'sequence', majority)
}

/** Reads the new entries of some chains with one query. */
export async function readFresh(
  ledger: Collection<LedgerEntry>,
  chains: readonly FreshChain[],
): Promise<FreshEntries[]> {
  const ranges = chains.map(({ switchId, through, head }) => ({ switchId, sequence: { $gt: through, $lte: head } }))
  const entries = (await ledger
    .find({ $or: ranges } as Filter<LedgerEntry>, {
      ...majority,
      projection: rollUpFields,
      hint: { switchId: 1, sequence: 1 },
      batchSize: 5000,
    })
    .toArray()) as RollUpEntry[]
  const bySwitch = new Map(chains.map(({ switchId }) => [switchId.toHexString(), [] as RollUpEntry[]]))
  for (const entry of entries) bySwitch.get(entry.switchId.toHexString())?.push(entry)
  return chains.map((chain) => ({ ...chain, entries: bySwitch.get(chain.switchId.toHexString()) ?? [] }))
}

export function factsOf(entries: readonly RollUpEntry[]): Fact[] {
  return entries.flatMap((entry) => factOf(entry) ?? [])
}
