import { Binary, type Document, ObjectId } from 'mongodb'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { setUpDatabase, testDatabase } from '../../support/database.js'
import { hex } from '../support/chains.js'
import { aSwitchInLedger, type OwnFields, readings } from '../support/events.js'
import { forged, Site } from './support/site.js'

const database = setUpDatabase()
let site: Site

beforeAll(async () => {
  site = await Site.build(database)
})

afterEach(() => site.restore())

const byPlace = { switchId: 1, sequence: 1 } as const
const placeName = 'switchId_1_sequence_1'

/** Puts a partial index in the place of the one that chains are read by. */
async function hideFromIndex(own: Site, partialFilterExpression: Document): Promise<void> {
  const entries = own.collection('entries')
  await entries.dropIndex(placeName)
  await entries.createIndex(byPlace, { unique: true, partialFilterExpression })
}

describe('the index that chains are read by', () => {
  it.each<[string, Document]>([
    ['leaves out what is new', { sequence: { $lt: 6 } }],
    ['leaves out one of the new ones', { idempotencyKey: { $lt: 'z' } }],
  ])('hides nothing from a checkpoint, or from a verification, where it %s', async (_, filter) => {
    const own = await Site.build(testDatabase())
    await hideFromIndex(own, filter)
    const { first, second } = own
    expect(await own.verify({ switchIds: [first.switchId, second.switchId] })).toMatchObject({
      valid: true,
      entries: 11,
    })
    const [note] = (await own.notes()).slice(-1)
    expect((await own.verify({ knownCheckpoint: note ?? '', onlySince: true })).entries).toBe(3)
    expect(await own.checkpoint()).toMatchObject({ added: 3, unsound: [], checkpoint: { size: 11 } })
  })

  it('hides no second document at a place', async () => {
    const own = await Site.build(testDatabase())
    await hideFromIndex(own, { idempotencyKey: { $lt: 'z' } })
    const { switchId } = own.first
    const third = await own.plain(own.first, 3)
    await own.insert('entries', forged(third, { idempotencyKey: 'zz', powerRating: 1 }))
    for (const options of [{}, { switchIds: [switchId] }]) expect((await own.verify(options)).valid).toBe(false)
  })

  it('may be gone, hidden or there twice: what is read is the same', async () => {
    const own = await Site.build(testDatabase())
    const entries = own.collection('entries')
    const changes = [
      () => entries.createIndex(byPlace, { name: 'other', collation: { locale: 'fr' } }),
      () => entries.dropIndex('other'),
      () => entries.dropIndex(placeName),
    ]
    for (const change of changes) {
      await change()
      await own.volt.ledger.append(readings(1, own.first, `with ${change}`))
      expect(await own.checkpoint()).toMatchObject({ unsound: [] })
      expect((await own.verify({ switchIds: [own.first.switchId] })).findings).toEqual([])
    }
    expect(await own.verify()).toMatchObject({ valid: true, coveredEntries: 14 })
  })
})

describe('the index of the tree', () => {
  it('without its own index, with two segments at one place, hides no chain that was cut', async () => {
    const own = await Site.build(testDatabase())
    const { switchId } = own.first
    const segments = own.collection('segments')
    await segments.dropIndexes()
    const chain = await own.chain(own.first)
    const ofFirst = await segments.find({ switchId }).sort({ firstSequence: 1 }).toArray()
    const [begin, end] = ofFirst as Document[] as [Document, Document]
    const last = end.firstLeaf + end.count - 1
    const hashOf = (sequence: number) => new Binary(Buffer.from(hex(chain[sequence - 1]?.hash), 'hex'))
    const whole = { switchId, firstSequence: 1, count: 5, firstLeaf: last - 4, lastHash: hashOf(5) }
    const alone = { switchId, firstSequence: 1, count: 1, firstLeaf: begin.firstLeaf, lastHash: hashOf(1) }
    await segments.deleteMany({ switchId })
    for (const segment of [whole, alone]) await own.insert('segments', { _id: new ObjectId(), ...segment })
    await segments.updateOne({ count: 2 }, { $set: { count: 1 } })
    await own.remove('entries', { switchId, sequence: { $gt: 1 } })
    for (const options of [{}, { switchIds: [switchId] }, { switchIds: [switchId, own.second.switchId] }])
      expect([options, (await own.verify(options)).valid]).toEqual([options, false])
  })
})

describe('a view in the place of a collection', () => {
  it.each(['segments', 'tiles', 'checkpoints', 'entries'] as const)(
    '(%s) is found, and not signed over',
    async (name) => {
      const own = await Site.build(testDatabase())
      const { collectionName, db } = {
        collectionName: own.collection(name).collectionName,
        db: own.volt.database.native,
      }
      await own.collection(name).rename('elsewhere')
      await db.createCollection(collectionName, { viewOn: 'elsewhere', pipeline: [] })
      for (const options of [{}, { switchIds: [own.first.switchId] }]) {
        const { valid, findings } = await own.verify(options)
        expect(valid).toBe(false)
        expect(findings).toContainEqual(
          expect.objectContaining({ damage: 'unexplained', found: 'a view in its place' }),
        )
      }
      await expect(own.checkpoint()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    },
  )
})

describe('a document that is no entry', () => {
  it('at the end of a chain is named, and keeps nothing from being covered', async () => {
    const { switchId } = site.first
    for (const sequence of ['zzz', 9.5, new Date(), [50, 99], { a: 1 }]) {
      await site.insert('entries', { _id: new ObjectId(), switchId, sequence, idempotencyKey: 'odd' } as Document)
      const { added, unsound } = await site.checkpoint()
      expect([sequence, added, unsound.map((one) => String(one.switchId))]).toEqual([sequence, 3, [String(switchId)]])
      await site.restore()
    }
  })

  it('has no other chain’s entry signed in its place, whatever the ids are', async () => {
    const { database: handle } = site.volt
    const name = Buffer.concat([Buffer.from('\x07switchId\0', 'latin1'), Buffer.of(0xaa, 0xbb)])
    const other: OwnFields = aSwitchInLedger()
    await site.volt.ledger.append(readings(1, other))
    const entry = await site.plain(other, 1)
    await site.remove('entries', { switchId: other.switchId })
    await site.insert('entries', forged(entry, { _id: new ObjectId(name) }))
    const stored = (await handle.native
      .collection('power_consumption_ledger')
      .findOne({ _id: new ObjectId(name) }, { raw: true })) as Buffer | null
    const at = (stored ?? Buffer.alloc(0)).indexOf(name.subarray(0, 10))
    const claimed = new ObjectId(stored?.subarray(at + 10, at + 22))
    await site.insert('entries', { _id: new ObjectId(), switchId: claimed, sequence: 1, idempotencyKey: 'odd' })
    const { added, unsound } = await site.checkpoint()
    expect([added, unsound.map(({ switchId }) => String(switchId))]).toEqual([4, [String(claimed)]])
    expect(await site.collection('segments').countDocuments({ switchId: claimed })).toBe(0)
    expect(await site.collection('segments').countDocuments({ switchId: other.switchId })).toBe(1)
  })

  it('in which a list has the id of a switch is found among what is new', async () => {
    const [note] = (await site.notes()).slice(-1)
    await site.insert('entries', {
      _id: new ObjectId(),
      switchId: [site.first.switchId],
      sequence: 9,
      idempotencyKey: 'x',
    })
    expect((await site.verify({ knownCheckpoint: note ?? '', onlySince: true })).valid).toBe(false)
  })

  it('is reported, whatever its id is', async () => {
    for (const name of ['entries', 'checkpoints', 'tiles', 'segments', 'personal'] as const) {
      await site.insert(name, { _id: { toString: 1, toJSON: 1, valueOf: null } } as never)
      expect((await site.verify()).valid).toBe(false)
      await site.restore()
    }
  })
})

describe('a proof', () => {
  it('is given only where the tree has the entry', async () => {
    const { _id } = await site.plain(site.first, 1)
    const segments = site.collection('segments')
    const [one, two] = (await segments.find({ firstSequence: 1 }).toArray()) as Document[] as [Document, Document]
    await site.edit('segments', { _id: one._id }, { $set: { firstLeaf: two.firstLeaf } })
    await site.edit('segments', { _id: two._id }, { $set: { firstLeaf: one.firstLeaf } })
    await expect(site.volt.ledger.proveInclusion(_id)).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
  })
})
