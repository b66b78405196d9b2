import type { ClientSession, ObjectId } from 'mongodb'
import type { LedgerEntry } from '../entry/entry.js'
import { hexOf } from '../entry/sha256.js'
import type { TransparencyLog } from '../log/transparency-log.js'
import type { SeamStore } from './seam-store.js'

type Placed = Pick<LedgerEntry, 'switchId' | 'sequence' | 'hash'>

/** Finds which documents are none of the ledger's entries, though they stand where archived ones did. */
export type FindImposters = (
  entries: readonly Placed[],
  session: ClientSession | undefined,
) => Promise<ReadonlySet<Placed>>

/** Compares what stands at or below a seam with the tree: archived entries that are not removed yet have the hashes of their leaves. */
export function impostersAmong(seams: SeamStore, log: TransparencyLog): FindImposters {
  return async (entries, session) => {
    const through = await seams.through([...new Set(entries.map(({ switchId }) => switchId))], session)
    const imposters = new Set<Placed>()
    for (const entry of entries) {
      const { switchId, sequence, hash } = entry
      if (!(sequence <= (through.get(switchId.toHexString()) ?? 0))) continue
      if ((await leafHash(log, switchId, sequence)) !== hexOf(hash)) imposters.add(entry)
    }
    return imposters
  }
}

async function leafHash(log: TransparencyLog, switchId: ObjectId, sequence: number): Promise<string | undefined> {
  const firstLeaf = await log.segments.leafOf(switchId, sequence)
  if (firstLeaf === undefined) return undefined
  return (await log.leafHashes([{ firstSequence: sequence, count: 1, firstLeaf }])).get(sequence)
}
