import { ObjectId } from 'mongodb'
import type { Model } from 'mongoose'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'
import { catalogues } from './catalogues.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

type AnyModel = Model<Record<string, unknown>>

const writes: Readonly<Record<string, (model: AnyModel, good: () => Record<string, unknown>) => unknown>> = {
  'new Model().save()': (model, good) => new model(good()).save(),
  'save() without validation': (model, good) => new model(good()).save({ validateBeforeSave: false }),
  create: (model, good) => model.create(good()),
  insertOne: (model, good) => model.insertOne(good()),
  insertMany: (model, good) => model.insertMany([good()]),
  bulkWrite: (model, good) => model.bulkWrite([{ insertOne: { document: good() } }]),
  bulkSave: (model, good) => model.bulkSave([new model(good())]),
  updateOne: (model) => model.updateOne({}, { $set: { hash: 'x' } }, { strict: false }),
  updateMany: (model) => model.updateMany({}, { $set: { hash: 'x' } }, { strict: false }),
  'updateOne as upsert': (model, good) => model.updateOne({ _id: new ObjectId() }, good(), { upsert: true }),
  replaceOne: (model, good) => model.replaceOne({}, good()),
  findOneAndUpdate: (model) => model.findOneAndUpdate({}, { $unset: { timestamp: '' } }, { strict: false }),
  findByIdAndUpdate: (model) =>
    model.findByIdAndUpdate(new ObjectId(), { $unset: { timestamp: '' } }, { strict: false }),
  findOneAndReplace: (model, good) => model.findOneAndReplace({}, good()),
  findOneAndDelete: (model) => model.findOneAndDelete({}),
  findByIdAndDelete: (model) => model.findByIdAndDelete(new ObjectId()),
  deleteOne: (model) => model.deleteOne({}),
  deleteMany: (model) => model.deleteMany({}),
  'document.save() after a change': async (model) => {
    const document = await model.findOne({})
    document?.set('receivedAt', new Date())
    document?.set('storedAt', new Date(), { strict: false })
    document?.markModified('_id')
    await document?.save()
  },
  'document.updateOne()': async (model) =>
    (await model.findOne({}))?.updateOne({ $set: { hash: 'x' } }, { strict: false }),
  'document.replaceOne()': async (model, good) => (await model.findOne({}))?.replaceOne(good()),
  'document.deleteOne()': async (model) => (await model.findOne({}))?.deleteOne(),
}

describe.each(['ledger', 'activities', 'auditLogs', 'ingestWindows'] as const)('the Mongoose model of %s', (key) => {
  const model = () => volt.database.models.of(volt.entityOf(key)) as unknown as AnyModel

  it.each(Object.keys(writes))('refuses %s', async (name) => {
    const collection = database.db.collection(volt.entityOf(key).collection)
    await collection.deleteMany({})
    const stored = { ...catalogues[key].good(), _id: new ObjectId() }
    await collection.insertOne(stored)
    const attempt = async () => writes[name]?.(model(), () => ({ ...catalogues[key].good(), _id: new ObjectId() }))
    await expect(attempt()).rejects.toThrow()
    expect(await collection.find().toArray()).toEqual([stored])
  })

  it('says why', async () => {
    await expect(model().deleteMany({})).rejects.toMatchObject({
      code: 'APPEND_ONLY',
      message: expect.stringMatching(
        /^A .+ cannot be written through its Mongoose model; append it through the library$/,
      ),
    })
  })

  it('reads', async () => {
    expect(await model().find({}).lean()).toHaveLength(1)
  })
})
