import { BSON, type Document } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { BlockInserter } from '../../src/backup/restore/raw-insert.js'
import { testDatabase } from '../support/database.js'

const { db } = testDatabase()

/** What a second copy of the driver would have: the connection knows nothing of this class. */
class ForeignSequence {
  readonly #documents: Document[] = []

  push(document: Document): number {
    return this.#documents.push(document)
  }
}

const documents: readonly Document[] = [
  {
    _id: 1,
    text: 'x',
    whole: new BSON.Double(2),
    long: new BSON.Long(3),
    list: [1, { a: null }],
    bytes: Buffer.from('b'),
  },
  {
    _id: 2,
    pattern: new BSON.BSONRegExp('^a', 'xi'),
    at: new BSON.Timestamp({ t: 5, i: 6 }),
    least: new BSON.MinKey(),
  },
]
const blockOf = (all: readonly Document[]) => ({
  bytes: Buffer.concat(all.map((one) => BSON.serialize(one))),
  documents: all.length,
})

async function storedIn(name: string): Promise<Buffer> {
  const found = await db
    .collection<Document>(name)
    .find({}, { raw: true, sort: { _id: 1 } })
    .toArray()
  return Buffer.concat(found.map((one) => Buffer.from(one as unknown as Uint8Array)))
}

describe('a block of documents that are BSON already', () => {
  for (const [how, inserter] of [
    ['as it is, by the carrier of the driver', new BlockInserter()],
    ['decoded, where the driver does not take it', new BlockInserter(ForeignSequence)],
  ] as const) {
    it(`is stored byte by byte ${how}`, async () => {
      const name = `blocks ${how}`
      expect(await inserter.insert(db, name, blockOf(documents))).toEqual([])
      expect((await storedIn(name)).equals(blockOf(documents).bytes)).toBe(true)
      const again = await inserter.insert(db, name, blockOf([{ _id: 2 }, { _id: 3 }]))
      expect(again).toMatchObject([{ index: 0, code: 11_000, keys: ['_id'] }])
      expect(await db.collection(name).countDocuments()).toBe(3)
    })
  }

  it('is refused where JavaScript would not keep the order of its fields, and stored as it is by the carrier', async () => {
    // An object of JavaScript would have "7" first.
    const bytes = Buffer.from(
      BSON.serialize(
        new Map<string, number>([
          ['_id', 1],
          ['b', 0],
          ['7', 0],
        ]),
      ),
    )
    const odd = { bytes, documents: 1 }
    await expect(new BlockInserter(ForeignSequence).insert(db, 'odd', odd)).rejects.toThrow(/order of fields/)
    expect(await new BlockInserter().insert(db, 'odd', odd)).toEqual([])
    expect((await storedIn('odd')).equals(bytes)).toBe(true)
  })
})
