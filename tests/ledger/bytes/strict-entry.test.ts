import { Binary, BSON } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { carriedHash, computedHash, isLaidOut } from '../../../src/ledger/entry/stored-bytes.js'
import { entryFault, hashEntry, strictReader } from '../../../src/ledger/entry/strict-entry.js'
import { aLedgerEntry } from '../../support/builders.js'
import { withHash } from '../support/chains.js'
import { toStoredEntry } from '../support/stored-entry.js'
import { unfitEntries } from '../support/unfit-entries.js'

const entry = withHash(aLedgerEntry({ flags: ['placed'] }))
const storedBytes = (buffer: Buffer, start = 0, length = buffer.length) => ({ buffer, start, length })
const stored = Buffer.from(BSON.serialize(toStoredEntry(entry), { ignoreUndefined: true }))

describe('the strict reader of entries', () => {
  it('takes an entry, also in the middle of other bytes', () => {
    expect(entryFault(storedBytes(stored))).toBeUndefined()
    const among = Buffer.concat([Buffer.alloc(3, 1), stored, Buffer.alloc(3, 1)])
    expect(entryFault(storedBytes(among, 3, stored.length))).toBeUndefined()
  })

  it('refuses an entry whose bytes are cut short, or go on, wherever that is', () => {
    for (let length = 0; length < stored.length; length += 1) {
      expect(entryFault(storedBytes(stored.subarray(0, length)))).toEqual(expect.any(String))
      expect(entryFault(storedBytes(stored, 0, length))).toEqual(expect.any(String))
    }
    expect(entryFault(storedBytes(Buffer.concat([stored, Buffer.of(0)])))).toEqual(expect.any(String))
  })

  it.each(unfitEntries(entry))('refuses $name, though its hash fits', ({ bytes }) => {
    expect(carriedHash(storedBytes(bytes))).toBe(computedHash(storedBytes(bytes)))
    expect(entryFault(storedBytes(bytes))).toEqual(expect.any(String))
    expect(hashEntry(bytes)).toBeUndefined()
  })

  it('is stricter than the places of the first and last fields, which all of these have', () => {
    const laidOut = unfitEntries(entry).filter(({ bytes }) => isLaidOut(storedBytes(bytes)))
    expect(laidOut.length).toBe(unfitEntries(entry).length)
  })

  it('refuses the same where it knows the shape of the entry, and where it does not', () => {
    const adjusted = { eventType: 'manual_adjustment', adjustment: { energyWs: 1, productionWs: 0, cost: 0 } } as const
    const metadata = { source: 'mqtt', firmwareVersion: 'v2 β', bootId: 'b', deviceSequence: 1 } as const
    const erased = new Binary(Buffer.alloc(32, 7))
    const entries = [
      aLedgerEntry({ silentSince: new Date(0), metadata, personalCommitment: erased }),
      aLedgerEntry({ ...adjusted, reading: undefined, flags: ['late', 'placed'] }),
      aLedgerEntry({ eventType: 'switch_on', reading: undefined, energyDirection: 'production' }),
      aLedgerEntry({ eventType: 'erasure', erases: erased, idempotencyKey: `erasure:${erased.toString('hex')}` }),
    ]
    for (const bytes of entries.map((one) =>
      Buffer.from(BSON.serialize(toStoredEntry(withHash(one)), { ignoreUndefined: true })),
    )) {
      const knowing = strictReader()
      expect(knowing(storedBytes(bytes))).toBeUndefined()
      for (let at = 0; at < bytes.length; at += 1) {
        for (let bit = 1; bit < 256; bit *= 2) {
          const changed = Buffer.from(bytes)
          changed[at] = (changed[at] ?? 0) ^ bit
          expect([at, bit, knowing(storedBytes(changed))]).toEqual([at, bit, strictReader()(storedBytes(changed))])
        }
      }
    }
  })

  it('says what it refuses', () => {
    const faultOf = (name: string) =>
      entryFault(storedBytes(unfitEntries(entry).find((one) => one.name === name)?.bytes ?? Buffer.alloc(0)))
    expect(faultOf('an int32 in place of a double')).toBe('`powerRating` is not in its place, or of another type')
    expect(faultOf('an event type that nobody knows')).toBe('`eventType` has a value that it cannot have')
    expect(faultOf('an erased hash that a reading cannot have')).toBe('`erases` is not for an entry of this type')
  })
})
