import { Binary, type Db, type ObjectId } from 'mongodb'
import { expect } from 'vitest'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import type { UnhashedEntry } from '../../../src/ledger/entry/entry-bytes.js'
import { generateHash, genesisHash } from '../../../src/ledger/entry/hash.js'
import { seal } from '../../../src/ledger/entry/seal.js'

/** The entries of a switch, in the order of its chain, read past the library. */
export async function chainOf(db: Db, switchId: ObjectId): Promise<LedgerEntry[]> {
  const entries = db.collection<LedgerEntry>('power_consumption_ledger')
  return (await entries.find({ switchId }).sort({ sequence: 1 }).toArray()) as LedgerEntry[]
}

/** Each entry has the place after the one before it, its hash as the previous one, and a hash that fits. */
export function expectSound(entries: readonly LedgerEntry[]): void {
  let previousHash = genesisHash
  for (const [index, entry] of entries.entries()) {
    expect([entry.sequence, hex(entry.previousHash)]).toEqual([index + 1, previousHash])
    expect(generateHash(entry)).toBe(hex(entry.hash))
    previousHash = hex(entry.hash)
  }
}

/** The hash in hexadecimal, as findings name it. */
export function hex(hash: unknown): string {
  if (!(hash instanceof Binary)) throw new Error('There is no hash')
  return hash.toString('hex')
}

/** The entry with the hash that it has to carry. */
export function withHash(entry: UnhashedEntry): LedgerEntry {
  return { ...entry, hash: seal({ ...entry }).entry.hash }
}
