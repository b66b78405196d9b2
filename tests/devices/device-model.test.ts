import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { aClassroom, aDevice, aMacAddress, aSwitch, powerSettings } from '../support/builders.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

const plug = (overrides: object = {}) => ({ name: 'Plug', type: 'smart_plug', protocol: 'tuya', ...overrides })

describe('a device', () => {
  it('is asked for what its type has', async () => {
    const owner = new ObjectId()
    await volt.devices.create(plug({ externalId: 'smart_plug_T', owner }))
    await expect(volt.devices.create(plug({ owner }))).rejects.toMatchObject({ issues: [{ path: 'macAddress' }] })
    await expect(volt.devices.create(plug({ externalId: 'x' }))).rejects.toMatchObject({ issues: [{ path: 'owner' }] })
    await expect(
      volt.devices.create({ name: 'Box', classroom: new ObjectId(), externalId: 'x' }),
    ).rejects.toMatchObject({
      issues: [{ path: 'macAddress' }],
    })
    await volt.devices.create({ name: 'Own kind', type: 'kiln', externalId: 'kiln-1' })
  })

  it('has defaults, a trimmed name, and one set of words for what it does with energy', async () => {
    const device = await volt.devices.create(
      aDevice({ name: ' Box 7 ', energyRole: 'producer', switches: [], config: {} }),
    )
    expect(device).toMatchObject({
      name: 'Box 7',
      type: 'esp32',
      protocol: 'mqtt',
      status: 'offline',
      service: 'active',
      energyRole: 'production',
      config: {
        motionSensorEnabled: true,
        motionSensorPin: 34,
        autoOffTimeoutMs: 3_600_000,
        heartbeatIntervalMs: 30_000,
      },
    })
    expect(await volt.devices.count({ _id: device._id, energyRole: 'producer' as never })).toBe(1)
  })

  it('keeps the external ids of one owner apart', async () => {
    const [owner, other] = [new ObjectId(), new ObjectId()]
    await volt.devices.create(plug({ externalId: 'a', owner }))
    await volt.devices.create(plug({ externalId: 'a', owner: other }))
    await expect(volt.devices.create(plug({ externalId: 'a', owner }))).rejects.toMatchObject({
      code: 'CONFLICT',
      fields: ['owner', 'externalId'],
    })
    const changed = await volt.devices.upsert({ owner, externalId: 'a' }, plug({ externalId: 'a', owner, model: 'P1' }))
    expect(changed).toMatchObject({ model: 'P1', __v: 1 })
  })

  it('has pins by its board', async () => {
    const onPin = (gpio: number, boardType: string) =>
      volt.devices.create(aDevice({ switches: [aSwitch({ gpio })], hardware: { boardType } }))
    await onPin(33, 'esp32dev')
    await expect(onPin(34, 'esp32dev')).rejects.toMatchObject({ code: 'VALIDATION' })
    await onPin(34, 'esp32-s3-devkitc-1')
    await expect(onPin(12, 'esp32-c3-devkitm-1')).rejects.toMatchObject({ code: 'VALIDATION' })
    await onPin(200, 'a board of another maker')
    const refusals = [
      [[{ gpio: 16 }, { gpio: 34 }], 'switches.1.gpio', 'pin 34 can only be read on the board esp32dev'],
      [[{ gpio: 6 }], 'switches.0.gpio', 'pin 6 is reserved or not there on the board esp32dev'],
      [
        [{ gpio: 16, manualGpio: 17 }, { gpio: 17 }],
        'switches.0.manualGpio',
        'pin 17 is in use already, by switches.1.gpio',
      ],
    ] as const
    for (const [switches, path, message] of refusals) {
      const input = aDevice({ switches: switches.map((one, n) => aSwitch({ name: `Switch ${n}`, ...one })) })
      await expect(volt.devices.create(input)).rejects.toMatchObject({ issues: [{ path, message }] })
    }
    await volt.devices.create(aDevice({ switches: [aSwitch({ gpio: 1, energySource: 'power' })] }))
    // The server has the same rule, whoever writes.
    const device = await volt.devices.create(aDevice({ switches: [aSwitch({ gpio: 16 })] }))
    const write = database.db.collection('devices').updateOne({ _id: device._id }, { $set: { 'switches.0.gpio': 7 } })
    await expect(write).rejects.toMatchObject({ code: 121 })
  })

  it('rates a switch by its type where its rating is left out', async () => {
    const deviceTypes = [
      { type: 'fan', name: 'Fan', powerConsumption: 75, unit: 'W' as const },
      { type: 'ac', name: 'AC', powerConsumption: 1.5, unit: 'kW' as const },
    ]
    await volt.powerSettings.create(powerSettings({ deviceTypes }))
    const switches = [
      { name: 'Fan', gpio: 16, type: 'fan' },
      { name: 'AC', gpio: 17, type: 'ac' },
      { name: 'Lamp', gpio: 18 },
      { name: 'Small fan', gpio: 19, type: 'fan', powerRating: 20 },
    ]
    const device = await volt.devices.create(aDevice({ switches }))
    expect(device.switches.map(({ type, powerRating }) => [type, powerRating])).toEqual([
      ['fan', 75],
      ['ac', 1500],
      ['light', 0],
      ['fan', 20],
    ])
    const renamed = await volt.devices.update(device._id, { switches: [{ name: 'Tiny fan', gpio: 19 }] as never })
    expect(renamed.switches).toMatchObject([{ name: 'Tiny fan', powerRating: 20 }])
  })

  it('remembers where and whose it was', async () => {
    const [first, second, owner] = [new ObjectId(), new ObjectId(), new ObjectId()]
    const { _id } = await volt.devices.create(aDevice({ classroom: first }))
    await volt.devices.update(_id, { classroom: second, owner })
    await volt.devices.update(_id, { classroom: second })
    await volt.devices.bulk([{ update: _id, changes: { classroom: first } }])
    const { assignments = [] } = await volt.devices.get(_id)
    expect(assignments).toMatchObject([{ classroom: first }, { classroom: second, owner }])
    expect(assignments[0]?.until).toBeInstanceOf(Date)
  })
})

describe('registerDevice', () => {
  it('is the same when it is repeated, by any number of processes', async () => {
    const owner = new ObjectId()
    const input = plug({ externalId: `plug-${owner.toHexString()}`, macAddress: aMacAddress() })
    const all = await Promise.all(Array.from({ length: 8 }, () => volt.devices.registerDevice(owner, input)))
    expect(new Set(all.map(({ _id }) => _id.toHexString())).size).toBe(1)
  })

  it('names both of two devices, and never merges them', async () => {
    const owner = new ObjectId()
    const [one, two] = [aMacAddress(), aMacAddress()]
    const a = await volt.devices.registerDevice(owner, plug({ externalId: 'a', macAddress: one }))
    const b = await volt.devices.registerDevice(owner, plug({ externalId: 'b', macAddress: two }))
    const mixed = volt.devices.registerDevice(owner, plug({ externalId: 'b', macAddress: one }))
    await expect(mixed).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(new RegExp(`${a._id.toHexString()} and ${b._id.toHexString()}`)) as string,
    })
    const stranger = volt.devices.registerDevice(new ObjectId(), plug({ externalId: 'a', macAddress: one }))
    await expect(stranger).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})

describe('devices are found', () => {
  it('by a classroom’s id or name, but for those in maintenance', async () => {
    const room = await volt.classrooms.create(aClassroom())
    await volt.devices.create(aDevice({ name: 'b', classroom: room._id }))
    await volt.devices.create(aDevice({ name: 'a', classroom: room._id }))
    await volt.devices.create(aDevice({ name: 'c', classroom: room._id, status: 'maintenance' }))
    for (const named of [room._id, room._id.toHexString(), room.name]) {
      expect((await volt.devices.findByClassroom(named)).map(({ name }) => name)).toEqual(['a', 'b'])
    }
    expect(await volt.devices.findByClassroom('No such room')).toEqual([])
  })

  it('by a switch’s id, or what an origin system calls it', async () => {
    const device = await volt.devices.create(aDevice({ switches: [aSwitch({ externalId: 'switch-7' })] }))
    for (const id of [device.switches[0]!._id, String(device.switches[0]!._id), 'switch-7'])
      expect((await volt.devices.findBySwitch(id))?._id).toEqual(device._id)
    expect(await volt.devices.findBySwitch('switch-8')).toBeNull()
  })

  it('by words, status, type, capability, role and place, page by page', async () => {
    const owner = new ObjectId()
    const make = (n: number, overrides: object = {}) =>
      volt.devices.create(
        plug({ name: `Kettle ${n}`, externalId: `k-${n}`, owner, manufacturer: 'Zenith', ...overrides }),
      )
    const power = { name: 'dimming', type: 'integer' as const, writable: true }
    await make(1, { location: { point: { type: 'Point', coordinates: [77.2, 28.6] } }, capabilities: [power] })
    await make(2, { energyRole: 'storage', status: 'error' })
    await make(3, { type: 'heat_pump' })
    const names = async (search: object, page = {}) =>
      (await volt.devices.searchDevices({ owner, ...search }, page)).items.map(({ name }) => name).toSorted()
    expect(await names({ words: 'kettle zenith' })).toHaveLength(3)
    expect(await names({ words: '-kettle "' })).toEqual(await names({ words: 'kettle' }))
    expect(await names({ words: 'kettle 2' })).toEqual(['Kettle 2'])
    expect(await names({ status: 'error' })).toEqual(['Kettle 2'])
    expect(await names({ type: 'heat_pump' })).toEqual(['Kettle 3'])
    expect(await names({ capability: 'dimming' })).toEqual(['Kettle 1'])
    expect(await names({ energyRole: 'storage' })).toEqual(['Kettle 2'])
    expect(await names({ near: { latitude: 28.61, longitude: 77.21, distanceKm: 5 } })).toEqual(['Kettle 1'])
    const first = await volt.devices.searchDevices({ owner }, { limit: 2 })
    expect(first).toMatchObject({ items: [{ name: 'Kettle 1' }, { name: 'Kettle 2' }], nextPage: 2 })
    expect(await volt.devices.searchDevices({ owner }, { limit: 2, page: 2 })).toMatchObject({
      items: [{ name: 'Kettle 3' }],
      nextPage: null,
    })
    await expect(volt.devices.searchDevices({ status: { $ne: 'x' } as never })).rejects.toMatchObject({
      code: 'VALIDATION',
    })
  })
})

describe('what a device is at', () => {
  it('is online for five minutes, or as long as the host says', () => {
    const seen = (ageMs: number) => ({ status: 'online' as const, lastSeenAt: new Date(Date.now() - ageMs) })
    expect(volt.devices.isOnline(seen(299_000))).toBe(true)
    expect(volt.devices.isOnline(seen(301_000))).toBe(false)
    expect(volt.devices.isOnline(seen(301_000), 600_000)).toBe(true)
    expect(volt.devices.isOnline({ ...seen(0), status: 'offline' })).toBe(false)
  })

  it('is the sum of the ratings of what is on', async () => {
    const device = await volt.devices.create(
      aDevice({
        switches: [aSwitch({ gpio: 16, state: true }), aSwitch({ gpio: 17 }), aSwitch({ gpio: 18, state: true })],
      }),
    )
    expect(volt.devices.getActiveSwitches(device).map(({ gpio }) => gpio)).toEqual([16, 18])
    expect(volt.devices.getTotalPowerConsumption(device)).toBe(150)
  })

  it('is set for a switch by its host, older news last', async () => {
    const device = await volt.devices.create(aDevice())
    const [{ _id } = { _id: new ObjectId() }] = device.switches
    const at = (second: number) => new Date(Date.UTC(2026, 2, 1, 10, 0, second))
    expect((await volt.devices.setSwitchState(device._id, _id, true, at(5)))?.switches[0]).toMatchObject({
      state: true,
    })
    expect(await volt.devices.setSwitchState(device._id, _id, false, at(3))).toBeNull()
    expect((await volt.devices.get(device._id)).switches[0]).toMatchObject({ state: true, stateAt: at(5) })
  })

  it('stays in maintenance whatever it sends, until somebody ends that', async () => {
    const { _id } = await volt.devices.create(aDevice({ status: 'maintenance' }))
    const online = { deviceId: _id, status: 'online' as const, statusAt: new Date(), switches: [], overrides: [] }
    await volt.devices.recordPresence([online])
    expect((await volt.devices.get(_id)).status).toBe('maintenance')
    await volt.devices.update(_id, { status: 'offline' })
    await volt.devices.recordPresence([online])
    expect((await volt.devices.get(_id)).status).toBe('online')
  })
})
