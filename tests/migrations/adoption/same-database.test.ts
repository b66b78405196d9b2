import { describe, expect, it } from 'vitest'
import { collectionsBesideOrigin } from '../../../src/migrations/index.js'
import { testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { loadOrigin } from './origin-data.js'

const options = { timeZone: 'Asia/Kolkata' }

describe('an adoption into the same database', () => {
  it('goes on beside the old application, whose indexes and writes stay as they are, and can be taken back', async () => {
    const shared = testDatabase()
    const { db, dbName } = shared
    await loadOrigin(db, 'autovolt')
    // What the old application has there: see legacy-documents.md.
    await db
      .collection('devices')
      .deleteMany({ _id: { $nin: await db.collection('devices').distinct('_id', { name: 'Room101_Main' }) } })
    await db.collection('devices').createIndex({ ipAddress: 1 }, { unique: true })
    await db.collection('users').createIndex({ email: 1 }, { unique: true })
    await db.collection('devices').createIndex({ macAddress: 1 }, { unique: true })
    await db.collection('telemetry_events').createIndex({ received_at: 1 })
    const collectionsBefore = (await db.listCollections().toArray()).map(({ name }) => name).toSorted()
    const volt = await openVolt(shared, { collections: collectionsBesideOrigin })
    const report = await volt.migrations.adopt({ ...options, from: dbName })
    expect(report).toMatchObject({ adopted: { users: 9, devices: 1 } })
    expect(report.collections.map(({ collection }) => collection)).toEqual(collectionsBefore)
    // The old application goes on: nothing of it is refused, and nothing of it was changed.
    await db.collection('users').updateOne({ email: 'asha.verma@example.org' }, { $set: { lastSeen: new Date() } })
    await db.collection('users').insertOne({ email: 'new@example.org', name: 'New', role: 'student', password: 'x' })
    await db.collection('devices').updateOne({ name: 'Room101_Main' }, { $set: { 'switches.0.state': true } })
    await db.collection('telemetry_events').insertOne({ esp32_name: 'Room101_Main', device_id: '02005e100001' })
    await db.collection('daily_aggregates').insertOne({ date_string: '2025-11-17', total_wh: 1 })
    // Ours can be written without the fields that its unique indexes are over.
    const room = (await volt.classrooms.findOne({ name: 'Library' }))?._id ?? ''
    for (const macAddress of ['02:00:5E:30:00:01', '02:00:5E:30:00:02'])
      await volt.devices.create({ name: macAddress, macAddress, classroom: room, switches: [] })
    const again = await volt.migrations.adopt({ ...options, from: dbName })
    expect(again.adopted.users).toBe(10)
    await volt.close()
  })

  it('is refused where a collection would be the origin’s and ours', async () => {
    const shared = testDatabase()
    await loadOrigin(shared.db, 'autovolt')
    const volt = await openVolt(shared)
    await expect(volt.migrations.adopt({ ...options, from: shared.dbName })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('collectionsBesideOrigin'),
    })
    await shared.db.collection('devices').deleteMany({})
    await shared.db.collection('devices').createIndex({ ipAddress: 1 }, { unique: true })
    const before = await shared.db.listCollections().toArray()
    const blocked = await volt.setup().catch((error) => error)
    expect(blocked).toMatchObject({ code: 'SETUP_BLOCKED' })
    expect(blocked.message).toContain('telemetry_events')
    expect(blocked.message).toContain('ipAddress_1')
    // Nothing was changed: the old application goes on.
    expect(await shared.db.listCollections().toArray()).toEqual(before)
  })

  it('shows no secret of documents that were not adopted, where somebody opens them all the same', async () => {
    const shared = testDatabase()
    await loadOrigin(shared.db, 'autovolt')
    const volt = await openVolt(shared)
    const users = await volt.users.find({})
    const devices = await volt.devices.find({})
    expect([users.length, devices.length]).toEqual([10, 8])
    expect(JSON.stringify([users, devices])).not.toMatch(/password|\$2a\$|deviceSecret|invented-secret|resetPassword/)
  })

  it('can be removed again as long as nothing but the adoption has written, without touching the origin', async () => {
    const shared = testDatabase()
    const { db, dbName } = shared
    await loadOrigin(db, 'autovolt')
    const before = (await db.listCollections().toArray()).map(({ name }) => name).toSorted()
    const volt = await openVolt(shared, { collections: collectionsBesideOrigin })
    await volt.migrations.adopt({ ...options, from: dbName })
    await volt.users.update('68ce34d0000001b100000001', { name: 'Asha V.' })
    await expect(volt.migrations.removeAdoption(dbName)).rejects.toMatchObject({
      code: 'NOT_EMPTY',
      message: expect.stringContaining('1 documents of autovolt_users'),
    })
    await db.collection('autovolt_users').updateOne({ name: 'Asha V.' }, { $inc: { __v: -1 } })
    expect(await volt.migrations.removeAdoption(dbName)).toContain('power_consumption_ledger')
    const left = (await db.listCollections().toArray()).map(({ name }) => name)
    expect(left).toEqual(expect.arrayContaining(before))
    for (const name of ['autovolt_users', 'power_consumption_ledger', 'energy_measurements', 'adoption_extras'])
      expect(left).not.toContain(name)
    expect(await db.collection('users').countDocuments()).toBe(10)
    await volt.close()
    const anew = await openVolt(shared, { collections: collectionsBesideOrigin })
    expect((await anew.migrations.adopt({ ...options, from: dbName })).adopted.ledgerEntries).toBe(163)
    expect((await anew.ledger.verify()).findings).toEqual([])
  })
})
