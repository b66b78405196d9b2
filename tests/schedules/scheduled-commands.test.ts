import type { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import type { DeviceInput } from '../../src/devices/device.js'
import type { ScheduleInput } from '../../src/schedules/schedule.js'
import { aClassroom, aDevice, aSwitch, aUser } from '../support/builders.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
let now: Date
let volt: AutoVolt
let room: ObjectId

beforeAll(async () => {
  now = new Date('2026-03-02T06:00:00Z')
  volt = await openVolt(database, { clock: { now: () => now } })
  await volt.setup()
})
beforeEach(async () => {
  now = new Date('2026-03-02T06:00:00Z')
  for (const name of ['schedules', 'device_commands']) await database.db.collection(name).deleteMany({})
  room = (await volt.classrooms.create(aClassroom({ timeZone: 'UTC' })))._id
})

const relays = (...gpios: number[]) => gpios.map((gpio) => aSwitch({ gpio, name: `Relay ${gpio}` }))
const device = (input: Partial<DeviceInput> = {}) =>
  volt.devices.create(aDevice({ classroom: room, switches: relays(16, 17), ...input }))
const schedule = (more: Partial<ScheduleInput>) =>
  volt.schedules.create({
    name: 'Noon',
    target: { kind: 'classroom', id: room },
    rule: { type: 'time', at: '12:00' },
    action: { command: 'turn_on' },
    ...more,
  })
const atNoon = () => {
  now = new Date('2026-03-02T12:00:01Z')
  return volt.schedules.run()
}
const commands = () => volt.commands.find({}, { sort: { device: 1, gpio: 1 } })

describe('a due action becomes', () => {
  it('a command to a switch, with the key of the run and who owns the schedule', async () => {
    const { _id, switches } = await device()
    const { _id: owner } = await volt.users.create(aUser({ role: 'admin' }))
    const made = await schedule({ owner, target: { kind: 'switch', id: switches[1]?._id ?? room } })
    expect(await atNoon()).toEqual({ done: 1, missed: 0, failed: 0 })
    const key = `${made._id.toHexString()} 2026-03-02T12:00`
    expect(await commands()).toMatchObject([
      {
        device: _id,
        gpio: 17,
        state: true,
        status: 'queued',
        idempotencyKey: key,
        correlationId: key,
        requester: { user: owner, source: 'schedule' },
      },
    ])
  })

  it('a command to each relay of a device, and none to what only measures', async () => {
    const { _id, switches } = await device({
      switches: [...relays(16, 17), aSwitch({ gpio: 18, name: 'Meter', type: 'meter' })],
    })
    const made = await schedule({ target: { kind: 'device', id: _id }, action: { command: 'turn_off' } })
    await atNoon()
    const key = `${made._id.toHexString()} 2026-03-02T12:00`
    expect((await commands()).map(({ idempotencyKey, state }) => ({ idempotencyKey, state }))).toEqual(
      switches.slice(0, 2).map((one) => ({ idempotencyKey: `${key} ${one._id.toHexString()}`, state: false })),
    )
    expect(await volt.commands.reportOf(key)).toEqual([{ device: _id, counts: { queued: 2 } }])
  })

  it('a command to each relay in a classroom, of the devices that are in service', async () => {
    const [one, other] = [await device(), await device({ switches: relays(16) })]
    await device({ service: 'inactive' })
    await device({ status: 'maintenance' })
    await schedule({})
    await atNoon()
    expect((await commands()).map(({ device: of, gpio }) => [of, gpio])).toEqual([
      [one._id, 16],
      [one._id, 17],
      [other._id, 16],
    ])
  })

  it('a command to those devices of a classroom that know it', async () => {
    const capabilities = [{ name: 'level', type: 'number' as const, writable: true, range: { minimum: 0, maximum: 9 } }]
    const able = await device({ capabilities })
    await device()
    await schedule({ action: { command: 'set', parameters: { level: 3 } } })
    await atNoon()
    expect(await commands()).toMatchObject([{ device: able._id, command: 'set', parameters: { level: 3 } }])
  })

  it('nothing where the device cannot do it, and the others are done', async () => {
    const [unable, able] = [await device(), await device()]
    const wrong = await schedule({ target: { kind: 'device', id: unable._id }, action: { command: 'dance' } })
    await schedule({ target: { kind: 'device', id: able._id } })
    expect(await atNoon()).toEqual({ done: 1, missed: 0, failed: 1 })
    expect((await volt.schedules.get(wrong._id)).lastError).toMatch(/no action of this name/)
    expect(await commands()).toHaveLength(2)
  })
})
