import type { Collection, Db, ObjectId } from 'mongodb'
import type { LedgerEntry } from '../../ledger/entry/entry.js'
import { type Fact, factOf } from '../../ledger/facts/fact.js'
import { type EnergyEntry, energyEntryOf } from '../../ledger/facts/stored-fact.js'
import { type LastEntry, lastEntries } from '../../ledger/last-entries.js'
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

/** How much is read with one query. */
export const entriesAtOnce = 20_000
const chainsAtOnce = 250

/** The last entry of every chain. */
export function lastEntriesOf(ledger: Collection<LedgerEntry>): Promise<LastEntry<'sequence'>[]> {
  return lastEntries(ledger, 'sequence', majority)
}

/** Chains in their order, as many at a time as are read with one query. None has more than {@link entriesAtOnce}. */
export function inBatches<Chain extends FreshChain>(chains: readonly Chain[]): Chain[][] {
  const batches: Chain[][] = []
  let entries = 0
  for (const chain of chains) {
    const batch = batches.at(-1)
    const count = chain.head - chain.through
    if (batch === undefined || batch.length >= chainsAtOnce || entries + count > entriesAtOnce) {
      batches.push([chain])
      entries = count
    } else {
      batch.push(chain)
      entries += count
    }
  }
  return batches
}

/** Reads the new entries of some chains with one query, from the primary. */
export async function readFresh<Chain extends FreshChain>(
  database: Db,
  collection: string,
  chains: readonly Chain[],
): Promise<(Chain & Pick<FreshEntries, 'entries'>)[]> {
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

/** Whether the entries are all that the chain got: those that are archived are not among them. */
export function areAllThere({ through, head, entries }: FreshEntries): boolean {
  return entries.length === head - through
}

/** New entries of which the first were archived, without what happened before that, and up to when nothing is known. */
export function afterArchive(
  fresh: FreshEntries,
  archivedUntilMs: number,
): { readonly fresh: FreshEntries; readonly unknownUntil: Date } {
  const entries = fresh.entries.filter(
    ({ adjustment, timestamp }) => adjustment !== undefined || timestamp.getTime() > archivedUntilMs,
  )
  const firstMs = factsOf(entries).reduce((least, { atMs }) => Math.min(least, atMs), Number.POSITIVE_INFINITY)
  const isKnownMs = firstMs === Number.POSITIVE_INFINITY ? archivedUntilMs : firstMs
  return { fresh: { ...fresh, entries }, unknownUntil: new Date(isKnownMs) }
}

export function factsOf(entries: readonly EnergyEntry[]): Fact[] {
  return entries.flatMap((entry) => factOf(entry) ?? [])
}
