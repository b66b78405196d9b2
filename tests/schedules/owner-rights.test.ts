import type { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import type { ScheduleInput } from '../../src/schedules/schedule.js'
import { aClassroom, aDevice, aUser } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const clock = { now: () => now }
let now: Date
let volt: AutoVolt
let room: ObjectId
let device: ObjectId
let relay: ObjectId

beforeAll(async () => {
  volt = await openVolt(database, { clock })
  await volt.setup()
})

beforeEach(async () => {
  await database.db.collection('schedules').deleteMany({})
  now = new Date('2026-03-02T11:00:00Z')
  room = (await volt.classrooms.create(aClassroom({ timeZone: 'UTC' })))._id
  const made = await volt.devices.create(aDevice({ classroom: room }))
  device = made._id
  relay = made.switches[0]?._id ?? room
})

const faculty = async (assignedClassrooms: ObjectId[]) =>
  (await volt.users.create(aUser({ role: 'faculty', assignedClassrooms })))._id
const schedule = (owner: ObjectId, target: ScheduleInput['target']) =>
  volt.schedules.create({
    name: 'Noon',
    owner,
    target,
    rule: { type: 'time', at: '12:00' },
    action: { command: 'turn_on' },
  })
const noon = (day: number) => {
  now = new Date(Date.UTC(2026, 2, day, 12, 0, 1))
  return volt.schedules.run()
}
const refused = { done: 0, missed: 1, failed: 0 }
const done = { done: 1, missed: 0, failed: 0 }

describe('a schedule of a user', () => {
  it.each(['switch', 'device', 'classroom'] as const)('moves a %s only while its owner may', async (kind) => {
    const owner = await faculty([room])
    const ids = { switch: relay, device, classroom: room }
    const { _id } = await schedule(owner, { kind, id: ids[kind] })
    expect(await noon(2)).toEqual(done)
    const moved = await volt.commands.count({ 'requester.user': owner })
    await volt.users.update(owner, { assignedClassrooms: [] })
    expect(await noon(3)).toEqual(refused)
    expect(await volt.schedules.get(_id)).toMatchObject({
      lastError: 'its owner may not control its target',
      missed: { count: 1, lastDueAt: new Date('2026-03-03T12:00:00Z') },
      nextAt: new Date('2026-03-04T12:00:00Z'),
    })
    expect(await volt.commands.count({ 'requester.user': owner })).toBe(moved)
    await volt.users.update(owner, { assignedClassrooms: [room] })
    expect(await noon(4)).toEqual(done)
    expect(await volt.schedules.get(_id)).not.toHaveProperty('lastError')
  })

  it('moves nothing of an owner who is suspended or deleted', async () => {
    const owner = await faculty([room])
    await schedule(owner, { kind: 'device', id: device })
    await volt.users.update(owner, { status: 'suspended' })
    expect(await noon(2)).toEqual(refused)
    await volt.users.update(owner, { status: 'active' })
    expect(await noon(3)).toEqual(done)
    await volt.users.delete(owner)
    expect(await noon(4)).toEqual(refused)
  })

  it('moves no classroom in which one device is not the owner’s to control', async () => {
    const owner = (await volt.users.create(aUser({ role: 'user' })))._id
    await volt.devices.update(device, { owner })
    await schedule(owner, { kind: 'classroom', id: room })
    expect(await noon(2)).toEqual(done)
    const other = await volt.devices.create(aDevice({ classroom: room }))
    expect(await noon(3)).toEqual(refused)
    await volt.devices.update(other._id, { owner })
    expect(await noon(4)).toEqual(done)
  })

  it('leaves out the runs of that owner alone', async () => {
    const [one, another] = [await faculty([room]), await faculty([])]
    await schedule(one, { kind: 'switch', id: relay })
    await schedule(another, { kind: 'device', id: device })
    expect(await noon(2)).toEqual({ done: 1, missed: 1, failed: 0 })
  })

  it('changed by its owner after the right is gone, does nothing', async () => {
    const owner = await faculty([room])
    const { _id } = await schedule(owner, { kind: 'device', id: device })
    await volt.users.update(owner, { assignedClassrooms: [] })
    const bound = volt.as(owner)
    await bound.schedules.update(_id, { rule: { type: 'time', at: '11:30' }, action: { command: 'turn_off' } })
    now = new Date('2026-03-02T11:30:01Z')
    expect(await volt.schedules.run()).toEqual(refused)
    expect(await volt.commands.count({ 'requester.user': owner })).toBe(0)
  })
})
