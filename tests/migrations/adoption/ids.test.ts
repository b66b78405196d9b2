import { Binary, type Document, ObjectId, UUID } from 'mongodb'
import { describe, expect, it } from 'vitest'
import type { FollowStep } from '../../../src/migrations/index.js'
import { setUpDatabase, testDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { openVolt } from '../../support/volt.js'
import { adopted, deviceOf, logOf, time } from './small-origin.js'

const halfPast = (hour: number) => new Date(time(hour).getTime() + 1_800_000)
const anyId = (id: unknown) => id as ObjectId

/** A device with an id of any kind, an hour of its lamp in the logs, named as is said, and what else names it. */
function documentsOf(devices: readonly { readonly _id: unknown; readonly named: readonly unknown[] }[]) {
  const day = { year: 2025, month: 10 }
  const each = <Made>(make: (named: unknown, hour: number) => Made) =>
    devices.flatMap(({ named }) => named.map((one, at) => make(one, at)))
  return {
    devices: devices.map(({ _id }) => deviceOf({ _id: anyId(_id), name: `device ${_id}` })),
    activitylogs: each((deviceId, at) => [
      logOf(2 * at, { deviceId, switchId: 'no more', action: 'on' }),
      logOf(2 * at + 1, { deviceId, switchId: 'no more', action: 'off' }),
    ]).flat(),
    powerreadings: each((deviceId, at) => ({ deviceId, timestamp: time(at), power: 40, energy: 0 })),
    energyconsumptions: each((deviceId, at) => ({ deviceId, ...day, day: 1 + at, totalEnergyKwh: 1 })),
    dailyconsumptions: each((deviceId, at) => ({
      deviceId,
      date: new Date(Date.UTC(2025, 8, 1 + at)),
      energyConsumptionKwh: 1,
    })),
    monthlyconsumptions: each((deviceId) => ({ deviceId, year: 2025, month: 8, energyConsumptionKwh: 0 })),
    daily_aggregates: each((device_id, at) => ({ device_id, date_string: `2025-08-0${at + 1}`, total_wh: 0 })),
    monthly_aggregates: each((device_id) => ({ device_id, year: 2025, month: 8, total_wh: 0 })),
    telemetry_events: each((device_id, at) => ({ device_id, timestamp: halfPast(at), power_w: 40 })),
    switchstatelogs: each((deviceId, at) => ({ deviceId, switchName: 'Lamp', state: true, timestamp: time(at) })),
    device_consumption_ledger: [
      ...each((device_id, at) => ({ device_id, start_ts: new Date(Date.UTC(2025, 6, 1 + at)), delta_wh: 5 })),
      ...each((device_id, at) => ({
        device_id,
        switch_id: 'none',
        start_ts: time(at),
        end_ts: time(at + 1),
        power_w: 40,
        delta_wh: 40,
        switch_on_duration_seconds: 3600,
      })),
    ],
  }
}

/** What of these documents was found to be of which device. */
const strangers = (reasons: readonly string[]) =>
  reasons.filter((one) => /of a device that is not there|names no device|wrong type|sum of several/.test(one))

describe('ids of any kind', () => {
  const uuid = new UUID()
  const objectId = new ObjectId()

  it.each([
    ['an integer', 17, [17, '17']],
    ['digits as a text', '18', ['18', 18]],
    ['a UUID', uuid, [uuid, uuid.toString(), uuid.toString().toUpperCase()]],
    ['the text of a UUID', new UUID(uuid.id).toString(), [uuid.toString(), new Binary(uuid.buffer, 4)]],
    ['an ObjectId', objectId, [objectId, objectId.toHexString(), objectId.toHexString().toUpperCase()]],
    ['the 24 digits of one', objectId.toHexString(), [objectId.toHexString(), objectId]],
    ['any text', 'esp32 of room 1', ['esp32 of room 1']],
  ])('of a device that are %s are mapped, and found in every form and collection', async (_, _id, named) => {
    const { volt, target, report, reasons, options } = await adopted(documentsOf([{ _id, named }]))
    expect(strangers(reasons)).toEqual([])
    const ours = await volt.devices.findOne({ name: `device ${_id}` })
    expect(ours).not.toBeNull()
    const deviceId = ours?._id ?? ''
    expect(report.adopted).toMatchObject({ devices: 2, activities: 2 * named.length, measurements: 2 * named.length })
    const hours = report.switches.map(({ energyWs }) => energyWs)
    expect(hours).toEqual([144_000 * named.length])
    expect(report.wholeDevices.map((whole) => [whole.deviceId, whole.days])).toEqual([[deviceId, 3 * named.length]])
    for (const collection of ['monthlyconsumptions', 'daily_aggregates', 'monthly_aggregates'])
      expect([collection, report.days.find((one) => one.collection === collection)?.compared]).toEqual([
        collection,
        named.length,
      ])
    const isRemarked = report.remarks.some((one) =>
      /activitylogs.*name devices or users by an id in another form/.test(one),
    )
    expect(isRemarked).toBe(named.length > 1)
    const extra = await target.db.collection('adoption_extras').findOne({ adoptedId: ours?._id })
    expect(extra?.originId).toContain(String(_id))
    // A second run takes nothing twice.
    const again = await volt.migrations.adopt(options)
    expect(again.adopted).toEqual(report.adopted)
    expect(again.collections).toEqual(report.collections)
    expect((await volt.ledger.verify()).findings).toEqual([])
  })

  it('that are written alike are different ones where there are documents with both', async () => {
    const pairs: readonly (readonly [unknown, unknown])[] = [
      [5, '5'],
      [objectId, objectId.toHexString()],
      [uuid, uuid.toString()],
    ]
    const devices = pairs.flat().map((_id, at) => ({ _id, named: Array.from({ length: 1 }, () => _id), at }))
    const documents = documentsOf(devices)
    const of = (at: number, hour: number, fields: Document) => logOf(hour, { _id: anyId(pairs.flat()[at]), ...fields })
    const { volt, target, report, reasons } = await adopted({
      ...documents,
      devices: documents.devices.map((one, at) => ({ ...one, name: `twin ${at}` })),
      // What cannot be used of the logs is kept apart, too.
      activitylogs: [...documents.activitylogs, ...devices.map(({ at }) => of(at, 20, { action: 'status_check' }))],
      schedules: pairs.flat().map((_id) => ({ _id: anyId(_id), name: 'Morning' })),
    })
    expect(strangers(reasons)).toEqual([])
    expect(reasons.filter((one) => one.includes('no counterpart for status_check'))).toHaveLength(6)
    expect(report.adopted).toMatchObject({ devices: 7, activities: 12, kept: 6 })
    expect(await target.db.collection('adoption_extras').countDocuments({ originCollection: 'schedules' })).toBe(6)
    for (const at of devices.keys()) {
      const ours = await volt.devices.findOne({ name: `twin ${at}` })
      const own = report.switches.filter(({ deviceId }) => ours?._id.equals(deviceId))
      expect([at, own.map(({ energyWs }) => energyWs)]).toEqual([at, [144_000]])
      const measured = await volt.measurements.page({ device: ours?._id ?? '', from: time(0), to: time(24) })
      expect(measured.items).toHaveLength(2)
    }
    expect((await volt.devices.findOne({ name: 'twin 2' }))?._id).toEqual(objectId)
    expect(report.remarks.join('\n')).not.toContain('in another form')
  })

  it('of users and rooms are mapped, and who pressed is found by them', async () => {
    const people = [uuid, 7, '9', objectId.toHexString()]
    const { volt, target, report } = await adopted({
      users: people.map((_id, at) => ({
        _id: anyId(_id),
        email: `person${at}@example.org`,
        name: 'Person',
        role: 'teacher',
        assignedRooms: ['Room U'],
      })),
      classrooms: [
        { _id: anyId(new UUID()), name: 'Room U' },
        { _id: anyId(3), name: 'Room 3' },
        { _id: anyId('3'), name: 'Room of the text' },
      ],
      activitylogs: [uuid.toString(), '7', 9, objectId].map((userId, at) =>
        logOf(at, { userId, action: at % 2 === 0 ? 'on' : 'off' }),
      ),
    })
    expect(report.adopted).toMatchObject({ users: 4, classrooms: 4, activities: 4 })
    const users = await Promise.all(people.map((_, at) => volt.users.findByEmail(`person${at}@example.org`)))
    const room = await volt.classrooms.findOne({ name: 'Room U' })
    expect(users.map((one) => one?.assignedClassrooms)).toEqual(users.map(() => [room?._id]))
    const pressed = await target.db.collection('activity_logs').find().sort({ timestamp: 1 }).toArray()
    expect(pressed.map(({ userId }) => userId)).toEqual(users.map((one) => one?._id.toHexString()))
    expect(report.remarks.join('\n')).toMatch(
      /In activitylogs documents name devices or users by an id in another form/,
    )
  })

  it('of switches are told apart and found', async () => {
    const own = { type: 'light', powerRating: 40 }
    const { report, reasons } = await adopted({
      devices: [
        deviceOf({
          _id: anyId(21),
          switches: [
            { ...own, _id: 1, name: 'Number', relayGpio: 4 },
            { ...own, _id: '1', name: 'Text', relayGpio: 5 },
            { ...own, _id: uuid, name: 'UUID', relayGpio: 6 },
            { ...own, _id: objectId, name: 'ObjectId', relayGpio: 7 },
            { ...own, _id: objectId.toHexString(), name: 'Digits', relayGpio: 8 },
          ],
        }),
      ],
      activitylogs: [1, '1', uuid.toString(), objectId, objectId.toHexString()].flatMap((switchId, at) => [
        logOf(0, { deviceId: '21', switchId, switchName: 'none' }),
        logOf(at + 1, { deviceId: '21', switchId, switchName: 'none', action: 'off' }),
      ]),
    })
    expect(strangers(reasons)).toEqual([])
    const used = new Map(report.switches.map(({ name, energyWs }) => [name, energyWs / 144_000]))
    expect(Object.fromEntries(used)).toEqual({ Number: 1, Text: 2, UUID: 3, ObjectId: 4, Digits: 5 })
  })

  it('are followed in every form', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    await origin.db.collection('devices').insertOne(deviceOf({ _id: anyId(17) }))
    const volt = await openVolt(target)
    const stopped = new AbortController()
    const steps: FollowStep[] = []
    const followed = volt.migrations.followAdoption({
      from: origin.dbName,
      timeZone: 'UTC',
      signal: stopped.signal,
      onStep: (step) => steps.push(step),
    })
    await eventually('the first run is done', () => steps.length === 1, { timeoutMs: 120_000 })
    const log = { deviceId: '17', switchId: 'none', switchName: 'Lamp', action: 'on', timestamp: time(1) }
    await origin.db.collection('activitylogs').insertOne(log)
    await eventually('the press is taken', () => steps.length === 2, { timeoutMs: 120_000 })
    stopped.abort()
    await followed
    expect(steps).toEqual([
      { changes: 0, devices: 1 },
      { changes: 1, devices: 1 },
    ])
    expect(await target.db.collection('activity_logs').countDocuments()).toBe(1)
  })
})
