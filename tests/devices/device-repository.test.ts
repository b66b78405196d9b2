import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import type { Device } from '../../src/devices/device.js'
import type { DevicePresence } from '../../src/devices/device-repository.js'
import { aDevice, aMacAddress, aSwitch } from '../support/builders.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
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

describe('recordPresence()', () => {
  let device: Device

  beforeEach(async () => {
    device = await volt.devices.create(aDevice({ switches: [aSwitch({ gpio: 1 }), aSwitch({ gpio: 2 })] }))
  })

  const presence = (seconds: number, told: Partial<DevicePresence> = {}): DevicePresence => ({
    deviceId: device._id,
    lastSeenAt: at(seconds),
    switches: [],
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
      { numRuns: 25 },
    )
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
      await volt.devices.recordPresence([presence(1, { status: 'online' })])
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await volt.devices.get(device._id)).not.toHaveProperty('status')
  })
})
