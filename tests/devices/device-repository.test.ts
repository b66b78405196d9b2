import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import type { Device } from '../../src/devices/device.js'
import type { DevicePresence } from '../../src/devices/device-presence.js'
import { aDevice, aMacAddress, aSwitch } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { runs } from '../support/extent.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})
beforeEach(async () => {
  await database.db.collection('devices').deleteMany({})
})

const at = (seconds: number) => new Date(Date.UTC(2026, 2, 1, 10, 0, seconds))

describe('a device', () => {
  it('is registered with its switches, and its address in one spelling', async () => {
    const device = await volt.devices.create(aDevice({ macAddress: 'aa-bb-cc-dd-ee-01', secret: 'sixteen characters' }))
    expect(device).toMatchObject({ macAddress: 'AA:BB:CC:DD:EE:01', reportingPeriodMs: 5000, __v: 0 })
    expect(device.switches).toMatchObject([
      { _id: expect.any(ObjectId), gpio: 16, powerRating: 75, energySource: 'rated' },
      { _id: expect.any(ObjectId), gpio: 17, powerRating: 75, energySource: 'rated' },
    ])
    expect(await volt.devices.revealDeviceSecret(device._id)).toBe('sixteen characters')
  })

  it('is found by its address in any spelling, until it is deleted', async () => {
    const { _id } = await volt.devices.create(aDevice({ macAddress: 'AA:BB:CC:DD:EE:01' }))
    for (const spelling of ['AA:BB:CC:DD:EE:01', 'aabbccddee01', 'aa-bb-cc-dd-ee-01']) {
      expect(await volt.devices.findByMacAddress(spelling)).toMatchObject({ _id })
    }
    expect(await volt.devices.findByMacAddress('AA:BB:CC:DD:EE:02')).toBeNull()
    expect(await volt.devices.findByMacAddress('nonsense')).toBeNull()
    expect(await volt.devices.findByMacAddress({ $gt: '' } as never)).toBeNull()
    await volt.devices.delete(_id)
    expect(await volt.devices.findByMacAddress('AA:BB:CC:DD:EE:01')).toBeNull()
    await volt.devices.create(aDevice({ macAddress: 'AA:BB:CC:DD:EE:01' }))
  })

  it('has its address to itself, in whatever spelling', async () => {
    const macAddress = aMacAddress()
    await volt.devices.create(aDevice({ macAddress }))
    await expect(volt.devices.create(aDevice({ macAddress: macAddress.toLowerCase() }))).rejects.toMatchObject({
      code: 'CONFLICT',
      fields: ['macAddress'],
      values: { macAddress },
    })
  })
})

describe('a switch', () => {
  it('is of one device only, and in it once', async () => {
    const _id = new ObjectId()
    const twice = [aSwitch({ _id, gpio: 16 }), aSwitch({ _id, gpio: 17 })]
    await expect(volt.devices.create(aDevice({ switches: twice }))).rejects.toMatchObject({
      issues: [{ path: 'switches', message: 'two switches have the same _id' }],
    })
    const first = await volt.devices.create(aDevice({ switches: [aSwitch({ _id })] }))
    const { insertedId } = await database.db
      .collection('devices')
      .insertOne({ ...first, _id: new ObjectId(), macAddress: aMacAddress(), switches: [] })
    const raw = database.db.collection('devices').updateOne({ _id: insertedId }, { $set: { switches: twice } })
    await expect(raw).rejects.toMatchObject({ code: 121 })
    const other = aDevice({ switches: [aSwitch({ _id })] })
    await expect(volt.devices.create(other)).rejects.toMatchObject({ code: 'CONFLICT', fields: ['switches._id'] })
    await volt.devices.delete(first._id)
    await volt.devices.create(other)
    await expect(volt.devices.restore(first._id)).rejects.toMatchObject({ code: 'CONFLICT' })
    await volt.devices.createMany([aDevice({ switches: [] }), aDevice({ switches: [] })])
  })
})

describe('the switches of a device that is registered again', () => {
  const inputOf = (macAddress: string, switches: readonly object[]) =>
    aDevice({ macAddress, classroom: new ObjectId(), switches: switches as never })
  const fan = { name: 'Fan', gpio: 16, powerRating: 75 }
  const light = { name: 'Light', gpio: 17, powerRating: 40 }
  const idsOf = ({ switches }: Device) => switches.map(({ _id, gpio }) => `${gpio} ${_id}`)

  it('keep their ids by gpio, in whatever order and under whatever name', async () => {
    const macAddress = aMacAddress()
    const first = await volt.devices.upsert({ macAddress }, inputOf(macAddress, [fan, light]))
    const again = await volt.devices.upsert(
      { macAddress: macAddress.toLowerCase() },
      inputOf(macAddress, [{ ...light, name: 'Lamp' }, fan]),
    )
    expect(again._id).toEqual(first._id)
    expect(idsOf(again)).toEqual(idsOf(first).toReversed())
    expect(again.switches[0]?.name).toBe('Lamp')
    const updated = await volt.devices.update(first._id, { switches: [fan, { ...light, gpio: 18 }] as never })
    expect(idsOf(updated)[0]).toBe(idsOf(first)[0])
    expect(idsOf(first).join()).not.toContain(String(updated.switches[1]?._id))
  })

  it('keep what ingestion knows of them', async () => {
    const device = await volt.devices.create(aDevice({ switches: [aSwitch({ gpio: 16 })] }))
    const switchId = device.switches[0]?._id ?? new ObjectId()
    await volt.devices.recordPresence([
      { deviceId: device._id, switches: [{ switchId, state: true, stateAt: at(3) }], overrides: [] },
    ])
    const updated = await volt.devices.update(device._id, { switches: [fan] as never })
    expect(updated.switches).toMatchObject([{ _id: switchId, name: 'Fan', state: true, stateAt: at(3) }])
  })

  it('move to another gpio with their id', async () => {
    const { _id, switches, macAddress } = await volt.devices.create(aDevice({ switches: [aSwitch({ gpio: 16 })] }))
    const moved = { ...fan, _id: switches[0]?._id, gpio: 21 }
    const updated = await volt.devices.upsert({ macAddress }, inputOf(macAddress!, [moved]))
    expect(updated._id).toEqual(_id)
    expect(updated.switches).toMatchObject([{ _id: switches[0]?._id, gpio: 21 }])
  })

  it('get one id each when many register the device at once, with a secret or without', async () => {
    for (const more of [{}, { secret: 'sixteen characters' }]) {
      const macAddress = aMacAddress()
      const register = () => volt.devices.upsert({ macAddress }, { ...inputOf(macAddress, [fan, light]), ...more })
      const registered = await Promise.all(Array.from({ length: 8 }, register))
      expect(new Set(registered.map((device) => idsOf(device).join())).size).toBe(1)
    }
  })

  it('are refused as ever where they are none', async () => {
    const { _id } = await volt.devices.create(aDevice())
    await expect(volt.devices.update(_id, { switches: ['fan', null] as never })).rejects.toMatchObject({
      code: 'VALIDATION',
    })
    await expect(volt.devices.update(new ObjectId(), { switches: [fan] as never })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})

describe('recordPresence()', () => {
  let device: Device

  beforeEach(async () => {
    device = await volt.devices.create(aDevice({ switches: [aSwitch({ gpio: 16 }), aSwitch({ gpio: 17 })] }))
  })

  const presence = (seconds: number, told: Partial<DevicePresence> = {}): DevicePresence => ({
    deviceId: device._id,
    lastSeenAt: at(seconds),
    switches: [],
    overrides: [],
    ...told,
  })
  const stateOf = (index: number, seconds: number, state: boolean) => ({
    switchId: device.switches[index]?._id ?? new ObjectId(),
    state,
    stateAt: at(seconds),
  })

  it('stores what was learnt, and leaves the version alone', async () => {
    const boot = { id: 'b-1', startedAt: at(0) }
    await volt.devices.recordPresence([
      presence(5, {
        status: 'online',
        statusAt: at(5),
        boot,
        firmwareVersion: '2.1',
        lastSignOfLifeAt: at(4),
        switches: [stateOf(1, 3, true)],
      }),
    ])
    const stored = await volt.devices.get(device._id)
    expect(stored).toMatchObject({
      status: 'online',
      boot,
      firmwareVersion: '2.1',
      lastSeenAt: at(5),
      lastSignOfLifeAt: at(4),
      __v: 0,
    })
    expect(stored.switches[0]).toEqual(device.switches[0])
    expect(stored.switches[1]).toEqual({ ...device.switches[1], state: true, stateAt: at(3) })
  })

  it('comes to the same in whatever order, and however often, the news arrive', async () => {
    const statuses = ['online', 'offline'] as const
    const news = Array.from({ length: 6 }, (_, second) =>
      presence(second, {
        status: statuses[second % 2],
        statusAt: at(second),
        firmwareVersion: `v${second}`,
        lastSignOfLifeAt: at(second),
        switches: [stateOf(second % 2, second, second % 3 === 0)],
      }),
    )
    await volt.devices.recordPresence(news)
    const { updatedAt, ...expected } = await volt.devices.get(device._id)
    const anyOrder = fc.shuffledSubarray([...news, ...news], { minLength: 12 })
    await fc.assert(
      fc.asyncProperty(anyOrder, fc.integer({ min: 1, max: 12 }), async (arrived, batch) => {
        const raw = database.db.collection<Device>('devices')
        await raw.replaceOne({ _id: device._id }, { ...device, deletedAt: null } as never)
        for (let from = 0; from < arrived.length; from += batch) {
          await volt.devices.recordPresence(arrived.slice(from, from + batch))
        }
        expect(await volt.devices.get(device._id)).toEqual({ ...expected, updatedAt })
      }),
      { numRuns: runs(12) },
    )
  })

  it('takes a status that others tell without taking the device for seen', async () => {
    await volt.devices.recordPresence([presence(5, { status: 'online', statusAt: at(5) })])
    await volt.devices.recordPresence([
      { deviceId: device._id, status: 'offline', statusAt: at(9), switches: [], overrides: [] },
    ])
    expect(await volt.devices.get(device._id)).toMatchObject({ status: 'offline', statusAt: at(9), lastSeenAt: at(5) })
    await volt.devices.recordPresence([presence(8, { status: 'online', statusAt: at(8) })])
    expect(await volt.devices.get(device._id)).toMatchObject({ status: 'offline', lastSeenAt: at(8) })
  })

  it('passes over switches and devices that are not there', async () => {
    const unknown = { switchId: new ObjectId(), state: true, stateAt: at(1) }
    await volt.devices.recordPresence([
      presence(1, { switches: [unknown] }),
      { ...presence(1), deviceId: new ObjectId() },
    ])
    expect((await volt.devices.get(device._id)).switches).toEqual(device.switches)
    expect(await volt.devices.count()).toBe(1)
    await volt.devices.recordPresence([])
  })

  it('takes part in the transaction that it is called in', async () => {
    const undone = volt.transaction(async () => {
      await volt.devices.recordPresence([presence(1, { status: 'online', statusAt: at(1) })])
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect((await volt.devices.get(device._id)).status).toBe('offline')
  })
})
