import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Seed } from '../../src/migrations/index.js'
import { cleanUpLater } from '../support/clean-up.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const plants: Seed = {
  name: 'plants',
  run: async ({ db }) => {
    await db.collection('plants').updateOne({ _id: { $eq: 'fern' as never } }, { $set: { pots: 2 } }, { upsert: true })
  },
}

describe('seed()', () => {
  it("stores the package's and the host's, after migrate() and setup(), and changes nothing when it is done again", async () => {
    const database = testDatabase()
    const volt = await openVolt(database, { migrations: { seeds: [plants] } })
    await volt.migrations.migrate()
    await volt.setup()
    expect(await volt.migrations.seed()).toEqual(['autovolt-sample', 'plants'])
    const read = async () => {
      const [devices, users] = [await volt.devices.find(), await volt.users.find({}, { sort: { name: 1 } })]
      const preferences = await volt.userPreferences.find()
      const [orders, transfers] = [await volt.market.orders.find(), await volt.market.transactions.find()]
      const plants = await database.db.collection('plants').find().toArray()
      return { devices, users, preferences, orders, transfers, plants }
    }
    const made = await read()
    expect(made).toMatchObject({ devices: [{ switches: [{}, {}] }, {}, {}, {}], plants: [{ pots: 2 }] })
    expect([made.orders.length, made.transfers.length]).toEqual([3, 2])
    const address = { city: expect.any(String), country: expect.any(String), postalCode: expect.any(String) }
    const walletAddress = expect.stringMatching(/^0x[0-9a-f]{40}$/)
    expect(made.users).toMatchObject([
      { name: 'Alice Johnson', userType: 'prosumer', address, walletAddress },
      { name: 'Asha', userType: 'staff' },
      { name: 'Bob Smith', userType: 'consumer', address, walletAddress },
    ])
    const energy = { renewableOnly: true, maxTradeDistanceKm: 50, priceAlerts: true, maxPricePerKwh: 0.2 }
    const [alice, , bob] = made.users
    for (const user of [alice, bob]) {
      const chosen = made.preferences.find((one) => user?._id.equals(one.user))
      expect(chosen).toMatchObject({ energy, notifications: { email: true } })
    }
    expect(await volt.migrations.seed({ intoExisting: true })).toEqual(['autovolt-sample', 'plants'])
    const again = await read()
    expect(again.devices.map(({ _id }) => _id)).toEqual(made.devices.map(({ _id }) => _id))
    expect([again.users.length, again.preferences.length, again.plants]).toEqual([3, 2, made.plants])
    expect([again.orders, again.transfers]).toEqual([made.orders, made.transfers])
  })

  it('makes a neighbourhood that trades as soon as somebody matches, and leaves it so when it is done again', async () => {
    const volt = await openVolt(testDatabase())
    await volt.setup()
    await volt.migrations.seed()
    await volt.market.run()
    const orders = await volt.market.orders.find({}, { sort: { key: 1 } })
    expect(orders.map(({ key, status, filledKwh }) => [key, status, String(filledKwh)])).toEqual([
      ['sample buy 1', 'completed', '1.5000'],
      ['sample sell 1', 'partial', '1.5000'],
      ['sample sell 2', 'active', '0.0000'],
    ])
    const [area] = await volt.market.areas.find()
    expect(await volt.market.verify(area?._id ?? '')).toMatchObject({ isValid: true })
    await volt.migrations.seed({ intoExisting: true })
    expect(await volt.market.orders.find({}, { sort: { key: 1 } })).toEqual(orders)
  })

  it('refuses a database with documents, and never empties one', async () => {
    const database = testDatabase()
    const volt = await openVolt(database, { migrations: { seeds: [plants] } })
    await volt.setup()
    await volt.users.create({ email: 'mira@example.org', name: 'Mira' })
    await expect(volt.migrations.seed()).rejects.toMatchObject({
      code: 'NOT_EMPTY',
      message: expect.stringMatching(/users has documents.*Next: .*--not-empty/),
    })
    expect(await database.db.collection('plants').countDocuments()).toBe(0)
    await volt.migrations.seed({ intoExisting: true })
    expect((await volt.users.find()).map(({ name }) => name).toSorted()).toEqual([
      'Alice Johnson',
      'Asha',
      'Bob Smith',
      'Mira',
    ])
  })

  it("refuses a database in which only others have documents: a host's own, or an old application's", async () => {
    const database = testDatabase()
    const volt = await openVolt(database)
    await volt.migrations.migrate()
    await database.db.collection('knex_migrations').insertOne({ name: '1-first' })
    await database.db.createCollection('empty_orders')
    const orders = database.db.collection('orders')
    await orders.insertOne({ of: 'somebody' })
    await expect(volt.migrations.seed()).rejects.toMatchObject({
      code: 'NOT_EMPTY',
      message: expect.stringMatching(/orders has documents.*Next: .*--not-empty/),
    })
    await orders.deleteMany({})
    expect(await volt.migrations.seed()).toEqual(['autovolt-sample'])
  })

  it('takes them from a folder, and stores nothing of one that fails', async () => {
    const database = testDatabase()
    const folder = await mkdtemp(join(tmpdir(), 'autovolt-seeds-'))
    cleanUpLater(() => rm(folder, { recursive: true }))
    const insert = (name: string) => `await db.collection('plants').insertOne({ name: '${name}' })`
    const file = (body: string) => `export const run = async ({ db }) => {\n${body}\n}\n`
    await writeFile(join(folder, '1-ferns.mjs'), file(insert('fern')))
    await writeFile(join(folder, '2-mosses.mjs'), file(`${insert('moss')}\nthrow new Error('too dry')`))
    const volt = await openVolt(database, { migrations: { seeds: folder } })
    await volt.setup()
    await expect(volt.migrations.seed()).rejects.toThrow('too dry')
    expect(await database.db.collection('plants').find().toArray()).toMatchObject([{ name: 'fern' }])
  })
})
