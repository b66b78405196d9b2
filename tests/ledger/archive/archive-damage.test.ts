import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Binary, type Document, ObjectId } from 'mongodb'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import { fileAnchor } from '../../../src/ledger/log/file-anchor.js'
import { generateLogKeys } from '../../../src/ledger/log/signed-note.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { forged } from '../audit/support/site.js'
import { chainOf } from '../support/chains.js'
import { anEvent, aSwitchInLedger, at } from '../support/events.js'
import { toStoredEntry } from '../support/stored-entry.js'

const keys = generateLogKeys('school.example/energy')
const database = setUpDatabase()
const own = aSwitchInLedger()
const names = [
  'power_consumption_ledger',
  'ledger_archives',
  'ledger_seams',
  'ledger_segments',
  'ledger_tiles',
  'ledger_checkpoints',
] as const
const stored = new Map<string, Document[]>()
const bypass = { bypassDocumentValidation: true }
let volt: AutoVolt
let folder: string
let archivedEntries: LedgerEntry[]

const collection = (name: (typeof names)[number]) => database.db.collection(name, { ignoreUndefined: true })
const entries = () => collection('power_consumption_ledger')
const everyTenSeconds = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) =>
    anEvent({ ...own, timestamp: at((from + n) * 10), idempotencyKey: `reading ${from + n}` }),
  )

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archive-damage-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  const anchors = [fileAnchor(join(folder, 'checkpoints.jsonl'), 'file')]
  volt = await openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey], anchors } })
  await volt.setup()
  await volt.ledger.append(everyTenSeconds(0, 20))
  await volt.ledger.checkpoint()
  await volt.ledger.append(everyTenSeconds(20, 20))
  await volt.ledger.checkpoint()
  archivedEntries = await chainOf(database.db, own.switchId)
  await volt.ledger.archive({ file: join(folder, 'one'), throughSize: 20 })
  await volt.ledger.archive({ file: join(folder, 'two'), throughSize: 30 + 10 })
  await volt.ledger.append(everyTenSeconds(40, 5))
  await volt.ledger.checkpoint()
  for (const name of names)
    stored.set(name, await database.db.collection(name, { promoteValues: false }).find().toArray())
})

afterEach(async () => {
  for (const [name, documents] of stored) {
    await database.db.collection(name).deleteMany({})
    await database.db.collection(name, { ignoreUndefined: true }).insertMany(documents, bypass)
  }
})

const kinds = async (options = {}) =>
  (await volt.ledger.verify(options)).findings.map(({ damage, where, sequence }) => [damage, where, sequence])
const scoped = { switchIds: [own.switchId] }

it('an archived ledger that is as it was is valid', async () => {
  const report = await volt.ledger.verify()
  expect(report).toMatchObject({ valid: true, findings: [], archivedEntries: 39, newestAnchor: { size: 45 } })
  expect(await kinds(scoped)).toEqual([])
})

describe('a document at or below the seam', () => {
  const place = 7
  const genuine = () => archivedEntries[place - 1] as LedgerEntry
  const fakes: Record<string, () => Document> = {
    'with a nonsense hash': () => ({ ...forged(genuine(), {}), hash: new Binary(Buffer.alloc(32, 0xab)) }),
    'with a fitting hash of its own': () => forged(genuine(), { powerRating: 1 }),
    'that is an edited archived entry': () => ({ ...forged(genuine(), { _id: genuine()._id }), powerState: false }),
    'that carries the hash of the archived entry': () => ({
      ...forged(genuine(), { powerRating: 2 }),
      hash: genuine().hash,
    }),
    'with the hash of the seam': () => forged(archivedEntries[38] as LedgerEntry, { sequence: 39, powerRating: 1 }),
    'with the number 0': () => forged(genuine(), { sequence: 0 }),
    'with a number between two': () => forged(genuine(), { sequence: 6.5 }),
    'that has nothing but a place': () => ({ _id: new ObjectId(), switchId: own.switchId, sequence: place }),
  }

  it.each(Object.keys(fakes))('%s is found, by everything and by its switch', async (name) => {
    await entries().insertOne(fakes[name]?.() as Document, bypass)
    for (const options of [{}, scoped]) {
      const { valid, findings } = await volt.ledger.verify(options)
      expect(valid).toBe(false)
      expect(findings).toHaveLength(1)
      expect(findings[0]).toMatchObject({ where: 'entry', switchId: own.switchId.toHexString() })
    }
  })

  it.each(Object.keys(fakes))('%s is not removed by the next archive, which says so', async (name) => {
    await entries().insertOne(fakes[name]?.() as Document, bypass)
    const before = await entries().countDocuments()
    await expect(volt.ledger.archive({ file: join(folder, 'three'), throughSize: 20 })).rejects.toMatchObject({
      code: 'LEDGER_DAMAGED',
    })
    expect(await entries().countDocuments()).toBe(before)
  })

  it('does not swallow an event that has its idempotency key', async () => {
    const fake = { ...forged(genuine(), { powerRating: 1, idempotencyKey: 'a real event' }) }
    await entries().insertOne(fake, bypass)
    const real = anEvent({ ...own, timestamp: at(600), idempotencyKey: 'a real event' })
    await expect(volt.ledger.append([real])).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    await expect(volt.transaction(() => volt.ledger.append([real]))).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
  })

  it('is no damage if it is the archived entry itself, and is known to an append', async () => {
    const left = archivedEntries.slice(2, 9)
    await entries().insertMany(left.map(toStoredEntry), bypass)
    expect(await kinds()).toEqual([])
    expect(await kinds(scoped)).toEqual([])
    const again = everyTenSeconds(2, 1).map((event) => ({ ...event, timestamp: at(900) }))
    expect(await volt.ledger.append(again)).toMatchObject([{ isNew: false, entry: { sequence: 3 } }])
    expect(await volt.ledger.archive({ file: join(folder, 'three'), throughSize: 20 })).toEqual({
      archive: null,
      removed: left.length,
    })
  })
})

describe('what is said of an archive', () => {
  it.each<[string, unknown]>([
    ['sha256', 'f'.repeat(64)],
    ['file', 'another'],
    ['size', 25],
    ['fromSize', 1],
    ['archivedAt', new Date(0)],
    ['note', 'hello'],
    ['added', 1],
  ])('is signed: another %s is found, nothing is exported or archived then', async (field, value) => {
    for (const { _id } of stored.get('ledger_archives') ?? []) {
      await collection('ledger_archives').updateOne({ _id }, { $set: { [field]: value } }, bypass)
      for (const options of [{}, scoped]) {
        const { valid, findings } = await volt.ledger.verify(options)
        expect(valid).toBe(false)
        expect(findings).toContainEqual(expect.objectContaining({ where: 'archive' }))
      }
      await expect(volt.ledger.export().next()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
      await expect(volt.ledger.archive({ file: join(folder, 'three') })).rejects.toMatchObject({
        code: 'LEDGER_DAMAGED',
      })
      await collection('ledger_archives').replaceOne(
        { _id },
        (stored.get('ledger_archives') ?? []).find((one) => one._id.equals(_id)) ?? {},
      )
    }
  })

  it('is found where it is gone, or there twice', async () => {
    for (const document of stored.get('ledger_archives') ?? []) {
      await collection('ledger_archives').deleteOne({ _id: document._id })
      expect((await volt.ledger.verify()).valid).toBe(false)
      await collection('ledger_archives').insertOne(document, bypass)
      await collection('ledger_archives').dropIndexes()
      await collection('ledger_archives').insertOne({ ...document, _id: new ObjectId() }, bypass)
      expect((await volt.ledger.verify()).findings).toMatchObject([{ where: 'archive', damage: 'inserted' }])
      await collection('ledger_archives').deleteOne({ _id: { $ne: document._id }, size: document.size })
    }
    await volt.setup()
  })
})

describe('a seam', () => {
  it.each<[string, unknown]>([
    ['until', new Date(0)],
    ['until', at(1e6)],
    ['until', 'never'],
    ['deviceId', new ObjectId()],
    ['classroom', new ObjectId()],
    ['sequence', 38],
    ['sequence', 41],
    ['hash', new Binary(Buffer.alloc(32, 1))],
    ['switchId', new ObjectId()],
    ['added', 'field'],
  ])('with another %s (%s) is found', async (field, value) => {
    await collection('ledger_seams').updateOne({}, { $set: { [field]: value } }, bypass)
    for (const options of [{}, scoped]) {
      const { valid, findings } = await volt.ledger.verify(options)
      expect(valid).toBe(false)
      expect(findings).toContainEqual(expect.objectContaining({ where: 'archive', damage: 'edited' }))
    }
  })

  it('that is gone, or without its fields, is found', async () => {
    await collection('ledger_seams').deleteMany({})
    expect((await kinds())[0]?.slice(0, 2)).toEqual(['edited', 'archive'])
    await collection('ledger_seams').insertOne({ _id: new ObjectId() }, bypass)
    expect((await kinds())[0]?.slice(0, 2)).toEqual(['edited', 'archive'])
  })

  it('of an earlier archive is not taken for the newest', async () => {
    const seams = collection('ledger_seams')
    await seams.updateOne({}, { $set: { sequence: 19, hash: archivedEntries[18]?.hash } }, bypass)
    expect((await volt.ledger.verify()).valid).toBe(false)
  })
})

describe('an archive that never was', () => {
  it('excuses nothing: entries that are gone are missed, though the seams have their true hashes', async () => {
    const here = await chainOf(database.db, own.switchId)
    const last = here.at(-2) as LedgerEntry
    const { note, ...record } = (await collection('ledger_archives').findOne({ fromSize: 0 })) as Document
    for (const invented of [note, 'hello']) {
      await collection('ledger_archives').insertOne(
        { ...record, _id: new ObjectId(), fromSize: 40, size: 45, note: invented },
        bypass,
      )
      await collection('ledger_seams').updateOne({}, { $set: { sequence: last.sequence, hash: last.hash } }, bypass)
      await entries().deleteMany({ sequence: { $lte: last.sequence } })
      for (const options of [{}, scoped]) {
        const found = await kinds(options)
        expect(found).toContainEqual(['bad_signature', 'archive', undefined])
        expect(found).toContainEqual(['deleted', 'entry', expect.any(Number)])
      }
      await collection('ledger_archives').deleteOne({ fromSize: 40 })
    }
  })
})
