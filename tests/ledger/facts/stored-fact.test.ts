import fc from 'fast-check'
import { BSON, type Document } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { energyEntryOf as entryIn } from '../../../src/ledger/facts/stored-fact.js'
import { withHash } from '../support/chains.js'
import { ledgerEntries } from '../support/entries.js'
import { toStoredEntry } from '../support/stored-entry.js'

const energyEntryOf = (buffer: Buffer) => entryIn({ buffer, start: 0, length: buffer.length })
const bytesOf = (document: Document) => Buffer.from(BSON.serialize(document, { ignoreUndefined: true }))

const stored = ledgerEntries.map((entry) => toStoredEntry(withHash(entry)))

/** What is read of an entry, of the document that the driver makes of the same bytes. */
function expected(bytes: Buffer) {
  const { _id, formatVersion, receivedAt, erases, flags, personalCommitment, metadata, ...document } =
    BSON.deserialize(bytes)
  const { cumulativeEnergy, cumulativeProduction, calculatedCost, previousHash, hash, ...read } = document
  return { ...read, metadata: { bootId: metadata.bootId, deviceSequence: metadata.deviceSequence } }
}

describe('an entry read out of its bytes', () => {
  it('says what the driver says', () => {
    fc.assert(
      fc.property(fc.array(stored, { minLength: 1, maxLength: 5 }), (documents) => {
        const all = documents.map(bytesOf)
        const read = all.map(energyEntryOf)
        // Undefined is as good as absent to everything that reads them.
        expect(read.map((entry) => BSON.deserialize(bytesOf(entry)))).toEqual(
          all.map((bytes) => BSON.deserialize(bytesOf(expected(bytes)))),
        )
      }),
      { numRuns: 500 },
    )
  })

  it('says the same where its fields are in another order, or one is of another type', () => {
    fc.assert(
      fc.property(stored, fc.nat(), (document, turn) => {
        const entries = Object.entries(document).filter(([, value]) => value !== undefined)
        const at = turn % entries.length
        const turned = Object.fromEntries([...entries.slice(at), ...entries.slice(0, at)])
        const bytes = bytesOf({ ...turned, sequence: 7 })
        const { switchId, deviceId, timestamp, energySource, idempotencyKey } = BSON.deserialize(bytes)
        const read = { switchId, deviceId, timestamp, energySource, idempotencyKey, sequence: 7 }
        expect(energyEntryOf(bytes)).toMatchObject(read)
      }),
      { numRuns: 300 },
    )
  })

  it('does not hold on to the bytes that it was read from', () => {
    const [document] = fc.sample(stored, 1)
    const reply = Buffer.alloc(1_000_000)
    const bytes = reply.subarray(0, bytesOf(document as Document).copy(reply))
    const { switchId, deviceId, classroom } = energyEntryOf(bytes)
    for (const id of [switchId, deviceId, classroom]) expect(id.id.buffer).not.toBe(reply.buffer)
  })
})
