import { BSON } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { ChainPass } from '../../../src/ledger/audit/chain-pass.js'
import { hashEntry } from '../../../src/ledger/entry/strict-entry.js'
import { aLedgerEntry } from '../../support/builders.js'
import { withHash } from '../support/chains.js'
import { toStoredEntry } from '../support/stored-entry.js'

function storedEntry(): Buffer {
  const entry = aLedgerEntry({ reading: { powerW: 73.5, energyWh: 12 }, flags: ['late'] })
  return Buffer.from(BSON.serialize(toStoredEntry(withHash(entry)), { ignoreUndefined: true }))
}

/** The bytes with each bit of each of them turned, one at a time. */
function* everyBitTurned(bytes: Buffer, from = 0): Generator<Buffer> {
  for (let at = from; at < bytes.length; at += 1) {
    for (let bit = 1; bit < 256; bit *= 2) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ bit
      yield changed
    }
  }
}

describe('an entry’s stored bytes', () => {
  it('are those of the entry only as they are: with any bit turned they have no hash', () => {
    const bytes = storedEntry()
    expect(hashEntry(bytes)).toBeInstanceOf(Buffer)
    for (const changed of everyBitTurned(bytes)) expect(hashEntry(changed)).toBeUndefined()
  })

  it('cut short anywhere, or with more behind them, have no hash', () => {
    const bytes = storedEntry()
    for (let length = 0; length < bytes.length; length += 1)
      expect(hashEntry(bytes.subarray(0, length))).toBeUndefined()
    expect(hashEntry(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined()
  })

  it('are noticed by a reader of the chain with any bit turned', () => {
    const bytes = storedEntry()
    const isNoticed = (buffer: Buffer) => {
      let strangers = 0
      const pass = new ChainPass({ onStranger: () => strangers++ })
      pass.take({ buffer, start: 0, length: buffer.length })
      pass.end()
      return strangers > 0 || pass.suspects.size > 0
    }
    expect(isNoticed(bytes)).toBe(false)
    // The first four bytes are the length, which the server itself goes by.
    for (const changed of everyBitTurned(bytes, 4)) expect(isNoticed(changed)).toBe(true)
  })
})
