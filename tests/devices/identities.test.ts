import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { where } from '../../src/core/repository/conditions.js'
import type { Device } from '../../src/devices/device.js'
import { aClassroom, aDevice } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const address = '02:AA:BB:CC:DD:01'
const spellings = [address, '02-aa-bb-cc-dd-01', '02aabbccdd01', '02AA.BBCC.DD01', ' 02:aa:bb:cc:dd:01 ']
const email = 'ada@example.org'
const addresses = [email, 'Ada@Example.ORG', '  ada@example.org ']

let volt: AutoVolt
let device: Device

beforeAll(async () => {
  volt = await openVolt(setUpDatabase())
  await volt.setup()
  const { _id: classroom } = await volt.classrooms.create(aClassroom())
  device = await volt.devices.create(aDevice({ classroom, macAddress: address }))
  await volt.users.create({ name: 'Ada', email })
})

describe('a device', () => {
  it.each(spellings)('is found by the MAC address %j, wherever that stands', async (macAddress) => {
    const { devices } = volt
    const isOurs = { _id: device._id }
    expect(await devices.findByMacAddress(macAddress)).toMatchObject(isOurs)
    expect(await devices.findOne({ macAddress })).toMatchObject(isOurs)
    expect(await devices.find({ macAddress: where.in([macAddress]) })).toMatchObject([isOurs])
    expect(await devices.count(where.and({ macAddress }, { _id: device._id.toHexString().toUpperCase() }))).toBe(1)
    expect(await devices.count({ macAddress: where.ne(macAddress) })).toBe(0)
    const { classroom, switches } = device
    const again = await devices.upsert({ macAddress }, aDevice({ classroom, macAddress, switches, name: 'Renamed' }))
    expect(again).toMatchObject({ ...isOurs, macAddress: address })
    await expect(devices.create(aDevice({ classroom, macAddress }))).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('is found by its id in digits of either case', async () => {
    const id = device._id.toHexString().toUpperCase()
    const { switches } = await volt.devices.get(id)
    expect(await volt.devices.count({ 'switches._id': String(switches[0]?._id).toUpperCase() })).toBe(1)
    expect(await volt.devices.count({ classroom: device.classroom!.toHexString().toUpperCase() })).toBe(1)
    expect(await volt.ledger.count({ deviceId: new ObjectId().toHexString().toUpperCase() })).toBe(0)
  })
})

it.each(addresses)('a user is found by the e-mail address %j', async (spelling) => {
  expect(await volt.users.findOne({ email: spelling })).toMatchObject({ email })
  expect(await volt.users.count({ email: where.in([spelling]) })).toBe(1)
  expect(await volt.users.upsert({ email: spelling }, { name: 'Ada L.', email: spelling })).toMatchObject({ email })
})
