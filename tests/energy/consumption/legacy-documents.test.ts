import { type Document, ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { where } from '../../../src/core/repository/conditions.js'
import type { PowerConsumptionMethods } from '../../../src/energy/consumption/power-consumption.js'
import { aPowerConsumption } from '../../support/builders.js'
import { testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

const database = testDatabase()
const legacy = () => database.db.collection('power_consumption')
let volt: AutoVolt

/** Documents of a host, from before the library: their numbers disagree, some fields are missing and some unknown. */
const deviceId = new ObjectId()
const disagreeing = [
  { ...aPowerConsumption({ deviceId }), startTime: new Date('2024-05-01T10:00:00Z'), energyConsumed: 9000, cost: 3 },
  { ...aPowerConsumption({ deviceId }), startTime: new Date('2024-05-02T10:00:00Z'), duration: 5 },
  { deviceId, startTime: new Date('2024-05-03T10:00:00Z'), energyConsumed: 40, cost: 99, ratePerKwh: 7.123456789 },
  { deviceId, classroom: 'Room 101', startTime: new Date('2024-05-04T10:00:00Z'), isLegacy: true, duration: -1 },
].map((document) => ({ ...document, _id: new ObjectId() }))
const [overstated] = disagreeing
/** What is not declared is not shown. */
const shown = disagreeing.map(({ isLegacy, ...document }: Document) => document)

const reckoning = (document: unknown) => document as PowerConsumptionMethods

beforeAll(async () => {
  await legacy().insertMany(disagreeing)
  volt = await openVolt(database)
  await volt.setup()
})

beforeEach(async () => {
  await legacy().deleteMany({})
  await legacy().insertMany(disagreeing, { bypassDocumentValidation: true })
})

it('are in a collection whose validator leaves them open to changes', async () => {
  expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true })
  const [found] = await database.db.listCollections({ name: 'power_consumption' }).toArray()
  expect(found).toMatchObject({ options: { validationLevel: 'moderate' } })
})

describe('documents from before the library whose numbers disagree', () => {
  it('can be read, page by page, newest first', async () => {
    const page = await volt.powerConsumption.page({ deviceId }, { sort: { startTime: -1 }, limit: 3 })
    expect(page).toMatchObject({ total: 4, pages: 2, hasNext: true })
    expect(page.items).toEqual(shown.slice(1).reverse())
    const first = await volt.powerConsumption.after({ deviceId }, { sort: { startTime: -1 }, limit: 3 })
    const cursor = first.nextCursor
    const rest = await volt.powerConsumption.after({ deviceId }, { sort: { startTime: -1 }, limit: 3, cursor })
    expect([...first.items, ...rest.items]).toEqual(shown.toReversed())
  })

  it('are found by a name that is in the place of an id', async () => {
    const { powerConsumption } = volt
    const ofRoom = shown[3]
    expect(await powerConsumption.find({ classroom: 'Room 101' })).toEqual([ofRoom])
    expect(await powerConsumption.find({ classroom: where.in(['Room 101', new ObjectId()]) })).toEqual([ofRoom])
    expect(await powerConsumption.count({ classroom: where.ne('Room 101') })).toBe(3)
    await expect(powerConsumption.find({ classroom: 101 as never })).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(powerConsumption.find({ _id: 'Room 101' })).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(volt.devices.find({ classroom: 'Room 101' })).rejects.toMatchObject({ code: 'VALIDATION' })
  })

  it('can be read as Mongoose documents, with what follows from them', async () => {
    const [document] = await volt.powerConsumption.findDocuments({ _id: overstated!._id })
    expect(document).toMatchObject({ energyConsumed: 9000, durationHours: 2 })
    expect(reckoning(document).calculateCost()).toBe(67.5)
    expect(reckoning(document).calculateCost(8)).toBe(72)
    const [odd] = await volt.powerConsumption.findDocuments({ _id: disagreeing[2]!._id })
    expect(reckoning(odd).calculateCost()).toBe(0.284938)
  })

  it('say which number is none where their cost is asked for', async () => {
    const _id = new ObjectId()
    await legacy().insertOne({ _id, energyConsumed: Number.NaN, ratePerKwh: 7 }, { bypassDocumentValidation: true })
    const [document] = await volt.powerConsumption.findDocuments({ _id })
    const refusal = (path: string, received: string) =>
      expect.objectContaining({ code: 'VALIDATION', issues: [expect.objectContaining({ path, received })] })
    expect(() => reckoning(document).calculateCost()).toThrow(refusal('energyConsumed', 'NaN'))
    const [overpriced] = await volt.powerConsumption.findDocuments({ _id: overstated!._id })
    expect(() => reckoning(overpriced).calculateCost(Number.POSITIVE_INFINITY)).toThrow(
      refusal('ratePerKwh', 'Infinity'),
    )
  })

  it('can be changed in what does not make them worse', async () => {
    await volt.powerConsumption.update(overstated!._id, { notes: 'the meter was wrong' })
    const document = await volt.powerConsumption.getDocument(overstated!._id)
    document.manualEntry = true
    await document.save()
    expect(await volt.powerConsumption.get(overstated!._id)).toMatchObject({
      energyConsumed: 9000,
      manualEntry: true,
      notes: 'the meter was wrong',
    })
    const oldest = await volt.powerConsumption.getDocument(disagreeing[3]!._id)
    oldest.set('notes', 'of the old system')
    await oldest.save()
    expect(await legacy().findOne({ _id: oldest._id })).toMatchObject({ notes: 'of the old system', isLegacy: true })
  })

  it('are not a way in for values that are none', async () => {
    await expect(volt.powerConsumption.update(overstated!._id, { cost: -1 })).rejects.toMatchObject({
      code: 'VALIDATION',
      issues: [expect.objectContaining({ path: 'cost' })],
    })
    const document = await volt.powerConsumption.getDocument(overstated!._id)
    document.cost = -1
    await expect(document.save()).rejects.toMatchObject({ issues: [expect.objectContaining({ path: 'cost' })] })
  })
})

describe('new documents', () => {
  it('must agree, and stay so', async () => {
    const { _id } = await volt.powerConsumption.create(aPowerConsumption())
    await expect(volt.powerConsumption.create(aPowerConsumption({ energyConsumed: 250 }))).rejects.toMatchObject({
      code: 'VALIDATION',
      issues: [{ path: 'energyConsumed', message: 'the energy is not power by time', received: 'number' }],
    })
    const refusal = { code: 'VALIDATION', issues: [expect.objectContaining({ path: 'cost' })] }
    await expect(volt.powerConsumption.update(_id, { cost: 3 })).rejects.toMatchObject(refusal)
    const document = await volt.powerConsumption.getDocument(_id)
    document.cost = 3
    await expect(document.save()).rejects.toMatchObject(refusal)
  })

  it('may be off by a hundredth, or by what people round to', async () => {
    const rounded = [
      aPowerConsumption({ energyConsumed: 202, cost: 1.52 }),
      aPowerConsumption({ energyConsumed: 198, cost: 1.49 }),
      aPowerConsumption({
        endTime: new Date('2026-03-01T10:01:00Z'),
        duration: 60_000,
        powerRating: 36,
        energyConsumed: 1,
        cost: 0.01,
        ratePerKwh: 8,
      }),
    ]
    for (const input of rounded) await volt.powerConsumption.create(input)
  })
})
