import type { Collection, Filter, ObjectId } from 'mongodb'
import type { LedgerEntry } from '../../ledger/entry/entry.js'
import { type Fact, factOf } from '../../ledger/facts/fact.js'

/** An entry as far as roll-ups are made of it. */
export type RollUpEntry = Pick<
  LedgerEntry,
  | 'switchId'
  | 'sequence'
  | 'deviceId'
  | 'classroom'
  | 'timestamp'
  | 'eventType'
  | 'powerState'
  | 'powerRating'
  | 'energySource'
  | 'reading'
  | 'adjustment'
  | 'gapLimitMs'
  | 'silentSince'
  | 'ratePerKwh'
  | 'metadata'
  | 'idempotencyKey'
>

/** The fields of {@link RollUpEntry}, for the server. */
const rollUpFields = {
  _id: 0,
  switchId: 1,
  sequence: 1,
  deviceId: 1,
  classroom: 1,
  timestamp: 1,
  eventType: 1,
  powerState: 1,
  powerRating: 1,
  energySource: 1,
  reading: 1,
  adjustment: 1,
  gapLimitMs: 1,
  silentSince: 1,
  ratePerKwh: 1,
  'metadata.bootId': 1,
  'metadata.deviceSequence': 1,
  idempotencyKey: 1,
} as const

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

/** The last entry of every chain; skips from one to the next. */
export async function headsOf(ledger: Collection<LedgerEntry>): Promise<{ switchId: ObjectId; sequence: number }[]> {
  const headOfEach = [
    { $sort: { switchId: -1, sequence: -1 } },
    { $group: { _id: '$switchId', sequence: { $first: '$sequence' } } },
  ]
  const heads = await ledger
    .aggregate<{ _id: ObjectId; sequence: number }>(headOfEach, { ...majority, hint: { switchId: 1, sequence: 1 } })
    .toArray()
  return heads.map(({ _id, sequence }) => ({ switchId: _id, sequence }))
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
