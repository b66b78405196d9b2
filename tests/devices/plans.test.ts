import { ObjectId } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { slotOf } from '../../src/commands/slot.js'
import { SilenceSweep } from '../../src/devices/silence-sweep.js'
import { aCommand, aDevice, aSwitch } from '../support/builders.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
const rooms = Array.from({ length: 40 }, () => new ObjectId())
const owners = Array.from({ length: 40 }, () => new ObjectId())
const types = ['esp32', 'esp32', 'esp32', 'smart_plug', 'heat_pump']
const count = 4_000
let volt: AutoVolt
let correlated: ObjectId

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
  const startMs = Date.now()
  for (let from = 0; from < count; from += 1_000) {
    await volt.devices.createMany(
      Array.from({ length: 1_000 }, (_, at) => {
        const n = from + at
        return aDevice({
          name: `Device ${n}`,
          type: types[n % types.length]!,
          classroom: rooms[n % rooms.length]!,
          owner: owners[n % owners.length]!,
          assignedUsers: [owners[(n + 1) % owners.length]!],
          externalId: `id-${n}`,
          model: `Model ${n % 50}`,
          switches: [aSwitch({ externalId: `switch-${n}` })],
          capabilities: n % 20 === 0 ? [{ name: 'dimming', type: 'integer', writable: true }] : [],
          energyRole: n % 10 === 0 ? 'production' : 'consumption',
          status: n % 4 === 0 ? 'offline' : 'online',
          lastSeenAt: new Date(startMs - (n % 100) * 60_000),
          location: { point: { type: 'Point', coordinates: [(n % 360) - 180, (n % 170) - 85] } },
        })
      }),
    )
  }
  const devices = await volt.devices.find({}, { limit: 500, select: ['name'] })
  correlated = devices[0]!._id
  const commands = devices.flatMap(({ _id: device }, n) =>
    Array.from({ length: 8 }, (_, at) => ({
      ...aCommand({ device, slot: slotOf(device), target: `switch:${at}` }),
      _id: new ObjectId(),
      status: at === 0 ? 'queued' : 'succeeded',
      isOpen: at === 0,
      rankAt: new Date(startMs),
      requester: { user: owners[n % owners.length] },
      correlationId: `bulk-${n % 100}`,
      createdAt: new Date(startMs + at),
      updatedAt: new Date(startMs),
      __v: 0,
    })),
  )
  await database.db.collection('device_commands').insertMany(commands as never)
})

/** What the server notes of the last query of a collection that the work sends. */
async function profiled(collection: string, work: () => Promise<unknown>) {
  await database.db.command({ profile: 2 })
  try {
    await work()
  } finally {
    await database.db.command({ profile: 0 })
  }
  const [found] = await database.db
    .collection('system.profile')
    .find({ ns: `${database.dbName}.${collection}`, $or: [{ op: 'query' }, { 'command.aggregate': collection }] })
    .sort({ ts: -1 })
    .limit(1)
    .toArray()
  return found
}

const queries: readonly (readonly [name: string, collection: string, call: () => Promise<unknown>])[] = [
  ['findByClassroom', 'devices', () => volt.devices.findByClassroom(rooms[3]!, { limit: 50 })],
  ['findBySwitch', 'devices', () => volt.devices.findBySwitch('switch-77')],
  ['search by nothing', 'devices', () => volt.devices.searchDevices({})],
  ['search by words', 'devices', () => volt.devices.searchDevices({ words: 'model 7' })],
  ['search by status', 'devices', () => volt.devices.searchDevices({ status: 'offline' })],
  ['search by type', 'devices', () => volt.devices.searchDevices({ type: 'heat_pump' })],
  ['search by capability', 'devices', () => volt.devices.searchDevices({ capability: 'dimming' })],
  ['search by role', 'devices', () => volt.devices.searchDevices({ energyRole: 'producer' })],
  ['search by owner', 'devices', () => volt.devices.searchDevices({ owner: owners[5]! })],
  [
    'search by place',
    'devices',
    () => volt.devices.searchDevices({ near: { latitude: 10, longitude: 10, distanceKm: 2_000 } }),
  ],
  [
    'devices of a user',
    'devices',
    () => volt.devices.find({ assignedUsers: owners[5]! }, { sort: { name: 1 }, limit: 50 }),
  ],
  [
    'silent devices',
    'devices',
    () => new SilenceSweep(volt.database, volt.database.of(volt.devices.entity), {}).sweep(),
  ],
  [
    'commands of a device',
    'device_commands',
    () => volt.commands.find({ device: correlated }, { sort: { createdAt: -1 } }),
  ],
  [
    'commands of a user',
    'device_commands',
    () => volt.commands.find({ 'requester.user': owners[5]! }, { sort: { createdAt: -1 }, limit: 20 }),
  ],
  [
    'failed commands',
    'device_commands',
    () => volt.commands.find({ status: 'succeeded' }, { sort: { createdAt: -1 }, limit: 20 }),
  ],
]

it.each(queries)(
  '%s: from an index, in its order, examining at most twice what it gives',
  async (_, collection, call) => {
    const found = await profiled(collection, call)
    expect(found?.planSummary).not.toContain('COLLSCAN')
    expect(found?.hasSortStage).toBeUndefined()
    expect(found?.docsExamined).toBeLessThanOrEqual(2 * Math.max(1, found?.nreturned ?? 0) + 1)
  },
)

it('takes statistics from the index alone', async () => {
  const found = await profiled('device_commands', () => volt.commands.statistics({ device: correlated }))
  expect(found).toMatchObject({ docsExamined: 0, planSummary: expect.stringContaining('command: 1') as string })
})
