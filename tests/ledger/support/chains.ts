import type { Db, ObjectId } from 'mongodb'
import { expect } from 'vitest'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import { generateHash, genesisHash } from '../../../src/ledger/entry/hash.js'

/** The entries of a switch, in the order of its chain, read past the library. */
export async function chainOf(db: Db, switchId: ObjectId): Promise<LedgerEntry[]> {
  const entries = db.collection<LedgerEntry>('power_consumption_ledger')
  return (await entries.find({ switchId }).sort({ sequence: 1 }).toArray()) as LedgerEntry[]
}

/** Each entry has the place after the one before it, its hash as the previous one, and a hash that fits. */
export function expectSound(entries: readonly LedgerEntry[]): void {
  let previousHash = genesisHash
  for (const [index, entry] of entries.entries()) {
    expect([entry.sequence, entry.previousHash]).toEqual([index + 1, previousHash])
    expect(generateHash(entry)).toBe(entry.hash)
    previousHash = entry.hash
  }
}
