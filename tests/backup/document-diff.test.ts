import fc from 'fast-check'
import { BSON, type Document } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { applyDiff, diffOf, isKnownDiff } from '../../src/backup/point-in-time/document-diff.js'
import { startBackupServer } from './support/server.js'

const server = await startBackupServer()
const db = server.db(server.newName())
const documents = db.collection<Document>('documents')
const oplog = server.client.db('local').collection('oplog.rs')
const raw = (document: Document) => Buffer.from(BSON.serialize(document))

beforeAll(async () => {
  await documents.insertOne({ first: true })
})

/** What the server makes of a document by an update, and the difference that it logs. */
async function updated(before: Document, after: Document): Promise<{ after: Buffer; update: Buffer }> {
  await documents.insertOne({ ...before })
  // A pipeline that sets the whole document: the server itself finds the difference.
  await documents.updateOne({ _id: before._id }, [{ $replaceWith: { $literal: after } }])
  const [stored] = await documents.find({ _id: before._id }, { raw: true }).toArray()
  const [entry] = await oplog
    .find({ ns: documents.namespace, op: 'u', 'o2._id': before._id }, { promoteValues: false })
    .toArray()
  return { after: Buffer.from(stored as unknown as Uint8Array), update: raw(entry?.o ?? { _id: before._id }) }
}

const value = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.integer(),
    fc.string({ maxLength: 3 }),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true }),
  ),
  array: fc.array(tie('value'), { maxLength: 5 }),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'sa', 'd', 'u', 'i', '0'), tie('value'), { maxKeys: 5 }),
  value: fc.oneof({ maxDepth: 3 }, tie('leaf'), tie('leaf'), tie('array'), tie('object')),
})).object

describe('the difference of an update', () => {
  it('makes of a document what the server made of it, byte by byte', async () => {
    // Enough besides that a difference is shorter than the document.
    const padding = 'x'.repeat(500)
    let differences = 0
    await fc.assert(
      fc.asyncProperty(value, value, async (one, other) => {
        const _id = new BSON.ObjectId()
        const before = { _id, padding, one, rest: [1, { two: 2 }, [3]] }
        const after = {
          _id,
          padding,
          one: { ...(one as object), ...(other as object) },
          rest: [1, { two: other }, [3], 4],
        }
        const found = await updated(before, after)
        const diff = diffOf(found.update)
        if (diff === undefined) return
        differences += 1
        expect(isKnownDiff(diff)).toBe(true)
        expect(applyDiff(raw(before), diff).equals(found.after)).toBe(true)
      }),
      { numRuns: 150, seed: 20 },
    )
    expect(differences).toBeGreaterThan(100)
  })

  it('of arrays that grow, shrink and change inside is applied as the server applies it', async () => {
    const padding = 'x'.repeat(500)
    const steps: readonly Document[] = [
      { $set: { 'list.7': 'late' } },
      { $set: { 'list.1.deep.0': 9 }, $unset: { 'list.0': 1 } },
      { $push: { list: { $each: [1, 2], $position: 1 } } },
      { $push: { list: { $each: [], $slice: 2 } } },
      { $rename: { padding: 'renamed' }, $set: { 'new.field': 1 } },
      { $set: { list: [] } },
    ]
    const _id = new BSON.ObjectId()
    const before = { _id, padding, list: [{ a: 1 }, { deep: [1, 2, { b: 3 }] }] }
    let now: Buffer = raw(before)
    await documents.insertOne(before)
    for (const step of steps) await documents.updateOne({ _id }, step)
    const entries = oplog.find({ ns: documents.namespace, op: 'u', 'o2._id': _id }, { promoteValues: false })
    for await (const { o } of entries.sort({ $natural: 1 })) now = applyDiff(now, diffOf(raw(o)) as Buffer)
    const [stored] = await documents.find({ _id }, { raw: true }).toArray()
    expect(now.equals(Buffer.from(stored as unknown as Uint8Array))).toBe(true)
  })

  it('is refused where it does not fit, and is not known where a later server has more', () => {
    const document = raw({ _id: 1, list: [1], deep: { a: 1 } })
    for (const diff of [{ smissing: { u: { a: 1 } } }, { slist: { u: { a: 1 } } }, { sdeep: { a: true, u0: 1 } }])
      expect(() => applyDiff(document, raw(diff))).toThrow(/does not fit/)
    expect(() => applyDiff(document, raw({ slist: { a: true, s4: { u: { a: 1 } } } }))).toThrow(/has no 4/)
    expect(() => applyDiff(document, raw({ b: { a: 1 } }))).toThrow(/not known/)
    expect(isKnownDiff(raw({ sdata: { b: { v: { o: 1 } } } }))).toBe(false)
    expect(isKnownDiff(raw({ u: { b: 1 }, sdata: { s0: { a: true, l: 2, u0: { b: 1 } } } }))).toBe(true)
  })
})
