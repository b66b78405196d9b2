import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BSON, type Document, ObjectId } from 'mongodb'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { generateLogKeys } from '../../../src/ledger/log/signed-note.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { setUpDatabase } from '../../support/database.js'
import { slice } from '../../support/extent.js'
import { insertRaw } from '../../support/raw-insert.js'
import { openVolt } from '../../support/volt.js'
import { BsonElements } from '../support/bson-elements.js'
import { anEvent, aSwitchInLedger, at, readings } from '../support/events.js'
import { notUtf8, strangeValues, withFieldTwice } from '../support/strange-values.js'

const keys = generateLogKeys('school.example/energy')
const database = setUpDatabase()
const collections = ['ledger_archives', 'ledger_seams'] as const
type Name = (typeof collections)[number]
const stored = new Map<Name, Document[]>()
const bypass = { bypassDocumentValidation: true }
let volt: AutoVolt

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'archive-records-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  volt = await openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey] } })
  await volt.setup()
  const own = aSwitchInLedger()
  await volt.ledger.append(readings(5, own))
  await volt.ledger.checkpoint()
  await volt.ledger.archive({ file: join(folder, 'one') })
  await volt.ledger.append([anEvent({ ...own, timestamp: at(3600), idempotencyKey: 'later' })])
  await volt.ledger.checkpoint()
  for (const name of collections) {
    const typed = database.db.collection(name, { promoteValues: false })
    stored.set(name, await typed.find().toArray())
  }
  expect(await volt.ledger.verify()).toMatchObject({ valid: true, findings: [] })
})

async function restore(): Promise<void> {
  for (const [name, documents] of stored) {
    await database.db.collection(name).deleteMany({})
    await database.db.collection(name).insertMany(documents, bypass)
  }
}
afterEach(restore)

const documentOf = (name: Name) => stored.get(name)?.[0] ?? {}
const fieldsOf = (name: Name) => Object.keys(documentOf(name)).filter((field) => field !== '_id')

/** What a verification says of other bytes in place of a document. */
async function verifyWith(name: Name, bytes: Buffer) {
  await database.db.collection(name).deleteMany({})
  await insertRaw(database.uri, database.dbName, name, [bytes])
  return volt.ledger.verify()
}

describe.each(collections)('a document among the %s', (name) => {
  it('of which any field is something else ends in a report that is not valid', async () => {
    for (const [turn, field] of [...fieldsOf(name), 'added'].entries()) {
      for (const [words, value] of slice(strangeValues, strangeValues.length, turn)) {
        const { [field]: before, ...rest } = documentOf(name)
        if (BSON.EJSON.stringify({ value }) === BSON.EJSON.stringify({ value: before })) continue
        const bytes = BSON.serialize({ ...rest, [field]: value }, { ignoreUndefined: true })
        const { valid } = await verifyWith(name, Buffer.from(bytes))
        expect([field, words, valid]).toEqual([field, words, false])
      }
    }
  }, 600_000)

  it('of which a field is there twice, or no UTF-8, ends in a report that is not valid', async () => {
    for (const [turn, field] of fieldsOf(name).entries()) {
      const { [field]: _, ...rest } = documentOf(name)
      const spoilt = new BsonElements([...BsonElements.of(rest).elements, notUtf8(field)]).toBytes()
      const [before, behind] = (['before', 'behind'] as const).map((where) =>
        withFieldTwice(documentOf(name), field, where),
      )
      for (const bytes of slice([spoilt, before, behind], 3, turn)) {
        const { valid } = await verifyWith(name, bytes as Buffer)
        expect([field, valid]).toEqual([field, false])
      }
    }
  })

  it('that is one too many is found', async () => {
    for (const stranger of [{ _id: 'stranger' }, { _id: new ObjectId(), switchId: new ObjectId() }]) {
      await database.db.collection<{ _id: unknown }>(name).insertOne(stranger as never, bypass)
      expect((await volt.ledger.verify()).valid).toBe(false)
      await restore()
    }
  })
})
