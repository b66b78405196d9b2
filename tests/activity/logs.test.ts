import { ObjectId } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import type { DeviceLogInput } from '../../src/activity/device-log.js'
import type { AutoVolt } from '../../src/autovolt.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

const settled = () =>
  eventually('all is written', () => volt.deviceLogs.logged().waiting + volt.activities.logged().waiting === 0)

it('logs who did what to any document, with before, after and source', async () => {
  const [room, user] = [new ObjectId(), new ObjectId()]
  const change = { entity: 'classroom', entityId: room, userId: String(user), userName: 'Asha', source: 'web' }
  volt.activities.log({ ...change, action: 'renamed', before: { name: 'Lab' }, after: { name: 'Physics' } })
  await volt
    .transaction(async () => {
      volt.activities.log({ ...change, action: 'never_done' })
      throw new Error('taken back')
    })
    .catch(() => undefined)
  await eventually('it is logged', async () => (await volt.activities.count({ entityId: room })) > 0)
  await settled()
  expect(await volt.activities.find({ entityId: room }, { sort: { timestamp: -1 } })).toMatchObject([
    { action: 'renamed', before: { name: 'Lab' }, after: { name: 'Physics' }, source: 'web', userId: String(user) },
  ])
  expect(() => volt.activities.log({ ...change, action: 'Not a word' })).toThrow('not valid')
})

it("logs a host's own events of a device, each once for its key", async () => {
  const device = new ObjectId()
  const entry: DeviceLogInput = { device, kind: 'filter_cleaned', details: { by: 'Ravi' }, key: 'filter:7' }
  for (let time = 0; time < 3; time += 1) volt.deviceLogs.log(entry)
  volt.deviceLogs.log({ device, kind: 'config_pushed' })
  await eventually('it is logged', async () => (await volt.deviceLogs.count({ device })) === 2)
  expect(await volt.deviceLogs.findOne({ device, kind: 'filter_cleaned' })).toMatchObject({ level: 'info', ...entry })
  expect(() => volt.deviceLogs.log({ device: 'none', kind: 'x' } as DeviceLogInput)).toThrow('not valid')
})

it('reads pages of both logs from an index, without a sort', async () => {
  const plans = [
    ['device_logs', { device: new ObjectId() }, { at: -1, _id: -1 }],
    ['device_logs', { device: new ObjectId(), kind: 'rebooted' }, { at: -1, _id: -1 }],
    ['device_logs', { kind: 'rebooted' }, { at: -1, _id: -1 }],
    ['device_logs', { level: 'error' }, { at: -1, _id: -1 }],
    ['activity_logs', { entityId: new ObjectId() }, { timestamp: -1, _id: -1 }],
    ['activity_logs', { userId: 'u-1' }, { timestamp: -1, _id: -1 }],
    ['notifications', { user: new ObjectId() }, { _id: -1 }],
    ['notification_deliveries', { status: 'failed' }, { endedAt: -1, _id: -1 }],
  ] as const
  for (const [collection, filter, sort] of plans) {
    const explained = await database.db.collection(collection).find(filter).sort(sort).limit(20).explain()
    const plan = JSON.stringify(explained.queryPlanner.winningPlan)
    expect(plan, collection).toContain('IXSCAN')
    expect(plan, collection).not.toContain('"SORT"')
  }
})

it('keeps the device log for as long as the host says', async () => {
  const secondsNow = async () => {
    const indexes = await database.db.collection('device_logs').indexes()
    return indexes.find(({ key }) => JSON.stringify(key) === '{"at":1}')?.expireAfterSeconds
  }
  expect(await secondsNow()).toBe(7_776_000)
  const longer = await openVolt(database, { deviceLogs: { expireAfterSeconds: 31_536_000 } })
  await longer.setup()
  expect(await secondsNow()).toBe(31_536_000)
  await expect(openVolt(database, { deviceLogs: { expireAfterSeconds: 0 } })).rejects.toMatchObject({
    code: 'CONFIGURATION',
  })
})
