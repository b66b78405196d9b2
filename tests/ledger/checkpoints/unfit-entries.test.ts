import { verifyExport } from '@autovolt/data/ledger'
import { Binary } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { generateLogKeys } from '../../../src/ledger/log/signed-note.js'
import { aLedgerEntry } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { slice } from '../../support/extent.js'
import { insertRaw } from '../../support/raw-insert.js'
import { openVolt } from '../../support/volt.js'
import { chainOf, withHash } from '../support/chains.js'
import { aSwitchInLedger, readings } from '../support/events.js'
import { unfitEntries } from '../support/unfit-entries.js'

const database = setUpDatabase()
const keys = generateLogKeys('school.example/energy')
const collection = 'power_consumption_ledger'
const [own, other] = [aSwitchInLedger(), aSwitchInLedger()]
let volt: AutoVolt
let appended = 0

beforeAll(async () => {
  volt = await openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey] } })
  await volt.setup()
  await volt.ledger.append([...readings(2, own), ...readings(2, other)])
  await volt.ledger.checkpoint()
})

/** The chain's third entry, which follows from the second one, as somebody has made it. */
async function nextOfChain() {
  const before = (await chainOf(database.db, own.switchId)).at(-1)
  return withHash(aLedgerEntry({ ...own, sequence: 3, previousHash: before?.hash ?? new Binary() }))
}

async function exported(): Promise<string> {
  let text = ''
  for await (const piece of volt.ledger.export()) text += piece
  return text
}

const names = unfitEntries(aLedgerEntry()).map(({ name }) => name)

describe('what is no entry to the byte, and carries the hash that it has', () => {
  it.each(slice(names, 3))('is never signed with %s, is damage at once, and keeps no other chain', async (name) => {
    const { bytes } = unfitEntries(await nextOfChain()).find((one) => one.name === name) ?? { bytes: Buffer.alloc(0) }
    await insertRaw(database.uri, database.dbName, collection, [bytes])
    try {
      expect(await volt.ledger.verify()).toMatchObject({
        valid: false,
        invalidEntry: {
          damage: expect.stringMatching(/edited|inserted|unknown_version/),
          switchId: own.switchId.toHexString(),
        },
      })
      await volt.ledger.append(readings(1, other, `more ${++appended}`))
      const { added, unsound } = await volt.ledger.checkpoint()
      // One between two that are signed is not among the new ones that a checkpoint looks at.
      const isNew = name !== 'a number that is none'
      expect({ added, unsound }).toEqual({ added: 1, unsound: isNew ? [{ switchId: own.switchId, sequence: 3 }] : [] })
      const report = await verifyExport(
        async function* () {
          yield Buffer.from(await exported())
        },
        { verifierKeys: [keys.verifierKey] },
      )
      expect(report).toMatchObject({ valid: true, entries: 4 + appended })
    } finally {
      await database.db.collection(collection).deleteOne({ switchId: own.switchId, sequence: { $gt: 1, $nin: [1, 2] } })
    }
    expect(await volt.ledger.verify()).toMatchObject({ valid: true })
  })
})
