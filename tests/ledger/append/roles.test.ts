import type { MongoClient } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../../src/autovolt.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { startSecuredMongod } from '../../support/secured-mongod.js'
import { chainOf, expectSound } from '../support/chains.js'
import { anEvent, aSwitchInLedger, readings } from '../support/events.js'

const dbName = 'school'
let owner: MongoClient
let writerUri: string
let writer: AutoVolt
const told: string[] = []

/** A database whose user may read and write, as the usual role allows, and may not bypass the validator. */
beforeAll(async () => {
  const mongod = await startSecuredMongod()
  owner = mongod.owner
  writerUri = await mongod.createUser('writer', [{ role: 'readWrite', db: dbName }])
  await using volt = await AutoVolt.open({ uri: mongod.uriOf('owner'), dbName })
  await volt.setup()
  const note = (_fields: unknown, message: string) => void told.push(message)
  const logger = { debug: () => undefined, info: note, warn: note, error: note }
  writer = await AutoVolt.open({ uri: writerUri, dbName, logger })
  cleanUpLater(() => writer.close())
})

describe('a database user without the privilege to bypass the validator', () => {
  it('appends, in a transaction and outside, and is told of it once', async () => {
    const own = aSwitchInLedger()
    const events = readings(6, own)
    await writer.transaction(() => writer.ledger.append(events.slice(0, 2)))
    await Promise.all(events.slice(2).map((event) => writer.ledger.append([event])))
    const entries = await chainOf(owner.db(dbName), own.switchId)
    expect(entries).toHaveLength(6)
    expectSound(entries)
    expect(told.filter((message) => message.includes('are checked twice'))).toHaveLength(1)
  })

  it('learns it from many calls at once', async () => {
    await using another = await AutoVolt.open({ uri: writerUri, dbName })
    const appended = await Promise.all(Array.from({ length: 50 }, () => another.ledger.append([anEvent()])))
    expect(appended.flat().every(({ isNew }) => isNew)).toBe(true)
  })

  it('keeps roll-ups, which are checked then, and is told of it once', async () => {
    const own = aSwitchInLedger()
    await writer.ledger.append(readings(6, own))
    await Promise.all([writer.rollUps.update(), writer.rollUps.update()])
    const daily = owner.db(dbName).collection('daily_aggregates')
    expect(await daily.countDocuments({ device_id: own.deviceId })).toBe(1)
    expect(told.filter((message) => message.includes('are checked twice'))).toHaveLength(1)
  })

  it('is told of the event that the validator refuses, and nobody else is', async () => {
    const own = aSwitchInLedger()
    const [first, second, third] = readings(3, own)
    const database = owner.db(dbName)
    const [collection] = await database.listCollections({ name: 'power_consumption_ledger' }).toArray()
    const { validator } = (collection as unknown as { options: { validator: object } }).options
    const stricter = { $and: [validator, { powerRating: { $lt: 1000 } }] }
    await database.command({ collMod: 'power_consumption_ledger', validator: stricter })
    const calls = await Promise.allSettled([
      writer.ledger.append([first!]),
      writer.ledger.append([anEvent({ ...own, powerRating: 2000 })]),
      writer.ledger.append([second!, third!]),
    ])
    await database.command({ collMod: 'power_consumption_ledger', validator })
    expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(calls[1]).toMatchObject({ reason: { code: 'VALIDATION' } })
    const entries = await chainOf(database, own.switchId)
    expect(entries).toHaveLength(3)
    expectSound(entries)
  })
})
