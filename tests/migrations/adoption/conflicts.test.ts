import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { linesOf } from '../../../src/cli/adoption-lines.js'
import { setUpDatabase, testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { adopted, deviceOf, logOf, time } from './small-origin.js'

const [ours, theirs, shared] = [new ObjectId(), new ObjectId(), new ObjectId()]
const macAddress = '02:00:00:00:BB:01'
const lampOf = (_id: ObjectId) => ({ _id, name: 'Lamp', gpio: 4 })

/** What is there before anything is adopted. */
async function documentsOfOurs(volt: AutoVolt) {
  const user = await volt.users.create({ email: 'mira@example.org', name: 'Mira here' })
  const room = await volt.classrooms.create({ name: 'Room T', timeZone: 'UTC' })
  const device = await volt.devices.create({
    name: 'Ours',
    macAddress,
    classroom: room._id,
    switches: [lampOf(shared)],
  })
  // What is deleted has freed its values.
  const gone = await volt.users.create({ email: 'gone@example.org', name: 'Gone' })
  await volt.users.delete(gone._id)
  return { user, room, device }
}

describe('documents of ours that are there before', () => {
  it('are named by the assessment, as the adoption finds them then, with both ids and no value', async () => {
    let here: Awaited<ReturnType<typeof documentsOfOurs>> | undefined
    const { assessment, report } = await adopted(
      {
        users: [
          { _id: ours, email: ' MIRA@example.org', name: 'Mira there' },
          { _id: theirs, email: 'gone@example.org', name: 'Not in the way' },
        ],
        classrooms: [{ _id: theirs, name: 'Room T' }],
        devices: [
          deviceOf({ _id: theirs, macAddress: '02-00-00-00-bb-01', classroom: 'Room T' }),
          deviceOf({ _id: ours, classroom: 'Room T' }),
        ],
        activitylogs: [logOf(1, { deviceId: theirs })],
      },
      async (volt) => {
        here = await documentsOfOurs(volt)
      },
    )
    const conflicts = assessment.collections.flatMap(({ collection, conflicts: found }) =>
      found.map((one) => ({ collection, ...one })),
    )
    expect(conflicts).toEqual([
      {
        collection: 'classrooms',
        fields: ['name'],
        count: 1,
        examples: [{ originId: String(theirs), existingId: String(here?.room._id) }],
      },
      {
        collection: 'devices',
        fields: ['macAddress'],
        count: 1,
        examples: [{ originId: String(theirs), existingId: String(here?.device._id) }],
      },
      {
        collection: 'users',
        fields: ['email'],
        count: 1,
        examples: [{ originId: String(ours), existingId: String(here?.user._id) }],
      },
    ])
    expect(JSON.stringify(assessment.collections)).not.toMatch(/mira@|bb:01/i)
    const line = `  1 x the same email: ${ours.toHexString()} there and ${here?.user._id.toHexString()} here`
    expect(linesOf(assessment)).toContain(line)
    expect(report.adopted).toMatchObject({ users: 1, devices: 2, activities: 0 })
    const logs = assessment.collections.find(({ collection }) => collection === 'activitylogs')
    expect(logs?.reasons).toMatchObject([{ reason: 'of a device that is not there', count: 1 }])
  })

  it('which have the same instant of a device, or another price, are named, too', async () => {
    const device = new ObjectId()
    const [origin, target] = [testDatabase(), setUpDatabase()]
    await origin.db.collection('devices').insertOne(deviceOf({ _id: device }))
    await origin.db.collection('powerreadings').insertOne({ deviceId: device, timestamp: time(1), power: 40 })
    const telemetry = { device_id: device.toHexString(), timestamp: time(2), power_w: 40 }
    await origin.db
      .collection('telemetry_events')
      .insertMany([telemetry, { ...telemetry, timestamp: time(1) }] as object[])
    await origin.db
      .collection('cost_versions')
      .insertOne({ cost_per_kwh: 7, scope: 'global', is_active: true, effective_from: time(0) })
    const volt = await openVolt(target)
    await origin.db.collection('powersettings').insertOne({ electricityPrice: 7, currency: 'INR', deviceTypes: [] })
    await volt.tariffs.set({ startsAt: time(0), currency: 'INR', pricePerKwh: 8 }, { actor: 'test' })
    await volt.powerSettings.getSingleton({
      electricityPrice: 8,
      currency: 'INR',
      deviceTypes: [{ type: 'light', name: 'Light', powerConsumption: 30 }],
    })
    const options = { from: origin.dbName, timeZone: 'Asia/Kolkata' }
    const first = await volt.migrations.assessAdoption(options)
    expect(first.collections.find(({ collection }) => collection === 'telemetry_events')?.left).toBe(1)
    for (const name of ['cost_versions', 'powersettings'])
      expect([name, first.collections.find(({ collection }) => collection === name)?.noted]).toEqual([name, 1])
    const report = await volt.migrations.adopt(options)
    expect(report.collections).toEqual(first.collections)
    // Later runs find their own.
    const later = await volt.migrations.assessAdoption(options)
    expect(later.collections).toEqual(report.collections)
    await target.db.collection('energy_measurements').deleteMany({ 'meta.device': device })
    await volt.measurements.insert([{ timestamp: time(2), meta: { device }, data_type: 'consumption', power: 1 }])
    const beside = await volt.migrations.assessAdoption(options)
    expect((await volt.migrations.adopt(options)).collections).toEqual(beside.collections)
    expect(beside.collections.find(({ collection }) => collection === 'telemetry_events')?.left).toBe(2)
  })

  it('are told from those of the origin itself that would have the same', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    await origin.db
      .collection('users')
      .insertOne({ id: 1, email: 'sun@example.org', first_name: 'Sun', role: 'prosumer' })
    const meter = (mac_address: string) => ({ id: 7, user_id: '1', device_id: mac_address, mac_address })
    await origin.db.collection('iot_devices').insertMany([meter('02:00:00:00:cc:01'), meter('02:00:00:00:cc:02')])
    const volt = await openVolt(target)
    const options = { from: origin.dbName, timeZone: 'UTC' }
    const assessment = await volt.migrations.assessAdoption(options)
    const devices = assessment.collections.find(({ collection }) => collection === 'iot_devices')
    expect(devices).toMatchObject({
      left: 1,
      conflicts: [{ fields: ['_id'], count: 1, examples: [{ originId: '7' }] }],
    })
    expect((await volt.migrations.adopt(options)).collections).toEqual(assessment.collections)
  })

  it('cost one query for each unique field and 500 documents, which its index answers', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    const people = Array.from({ length: 1_200 }, (_, at) => ({ email: `person${at}@example.org`, name: 'Person' }))
    await origin.db.collection('users').insertMany(people)
    await origin.db.collection('devices').insertOne(deviceOf({}))
    const volt = await openVolt(target)
    await volt.setup()
    await volt.users.create({ email: 'person1199@example.org', name: 'Here' })
    await target.db.command({ profile: 2 })
    const assessment = await volt.migrations.assessAdoption({ from: origin.dbName, timeZone: 'UTC' })
    await target.db.command({ profile: 0 })
    expect(assessment.collections.find(({ collection }) => collection === 'users')?.conflicts).toMatchObject([
      { fields: ['email'], count: 1 },
    ])
    const asked = await target.db
      .collection('system.profile')
      .find({ op: 'query', 'command.filter.email': { $exists: true } })
      .toArray()
    expect(asked.map(({ planSummary }) => planSummary)).toEqual(Array.from({ length: 3 }, () => 'IXSCAN { email: 1 }'))
    const others = await target.db
      .collection('system.profile')
      .find({ op: 'query', planSummary: 'COLLSCAN', ns: /\.(users|devices)$/ })
      .toArray()
    expect(others.map(({ command }) => command.filter)).toEqual([{}])
  })
})
