import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import type { Device } from '../../src/devices/device.js'
import type { Firmware } from '../../src/firmware/firmware.js'
import { type RolloutInput, shareOf } from '../../src/firmware/rollout-input.js'
import type { FirmwareOffer } from '../../src/firmware/rollout-offers.js'
import { aDevice } from '../support/builders.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'
import { anImage, streamOf } from './support.js'

const database = testDatabase()
let now = new Date('2026-03-02T12:00:00Z')
let volt: AutoVolt
let image: Firmware
let classroom: ObjectId
let offers: FirmwareOffer[] = []

beforeAll(async () => {
  volt = await openVolt(database, { clock: { now: () => now } })
  await volt.setup()
  image = await volt.firmware.upload({ version: '2.1.0', board: 'esp32dev' }, streamOf(anImage(1_000)))
})
beforeEach(async () => {
  now = new Date('2026-03-02T12:00:00Z')
  offers = []
  classroom = new ObjectId()
  await database.db.collection('firmware_rollouts').deleteMany({})
})

const devices = database.db.collection('devices')
const installs = database.db.collection('firmware_installs')
const later = (ms: number) => {
  now = new Date(now.getTime() + ms)
}
const step = () =>
  volt.firmware.step({ baseUrl: 'http://localhost/firmware', offer: async (offer) => void offers.push(offer) })

async function aFleet(count: number, more: object = {}): Promise<Device[]> {
  const made = await volt.devices.createMany(
    Array.from({ length: count }, () => aDevice({ classroom, secret: 'a secret of this device' })),
  )
  await devices.updateMany({ classroom }, { $set: { lastSeenAt: now, firmwareVersion: '2.0.0', ...more } })
  return made
}
const rollOut = (more: Partial<RolloutInput> = {}) =>
  volt.firmware.rollOut({ firmware: image._id, classrooms: [classroom], perMinute: 10_000, ...more })
/** As the handler does it. */
const begun = (ids: readonly ObjectId[]) =>
  installs.updateMany(
    { device: { $in: ids } },
    { $set: { status: 'installing', startedAt: now, sentAt: now, deadlineAt: new Date(now.getTime() + 3_600_000) } },
  )
const runs = (ids: readonly ObjectId[], firmwareVersion: string) =>
  devices.updateMany({ _id: { $in: ids } }, { $set: { firmwareVersion, lastSeenAt: now } })
const offeredIds = () => offers.map(({ device }) => device._id)

describe('a roll-out', () => {
  it('goes to a share of the devices, then to more, each stage with those of the one before', async () => {
    const fleet = await aFleet(40)
    const { _id } = await rollOut({ stages: [25, 100], advanceAt: { minimum: 1, percent: 90, soakMs: 600_000 } })
    await step()
    const first = offeredIds()
    const expected = fleet.filter((device) => shareOf(_id, device._id) < 25).map((device) => String(device._id))
    expect(first.map(String).toSorted()).toEqual(expected.toSorted())
    await step()
    expect(offers).toHaveLength(first.length)
    await begun(first)
    await runs(first, '2.1.0')
    await step()
    expect(await volt.firmware.progress(_id)).toMatchObject({ succeeded: first.length, pending: 0 })
    expect(await volt.firmwareRollouts.get(_id)).toMatchObject({ stage: 0, status: 'running' })
    later(600_000)
    await devices.updateMany({ classroom }, { $set: { lastSeenAt: now } })
    await step()
    await step()
    expect(new Set(offeredIds().map(String)).size).toBe(40)
    const rest = offeredIds().slice(first.length)
    await begun(rest)
    await runs(rest, '2.1.0')
    await step()
    await step()
    expect(await volt.firmwareRollouts.get(_id)).toMatchObject({
      stage: 1,
      status: 'finished',
      open: false,
      endedAt: now,
    })
    await eventually('it is logged', () =>
      volt.deviceLogs.findOne({ device: rest[0] as ObjectId, kind: 'firmware_update' }),
    )
  })

  it('halts where too many fail: time-outs and roll-backs count', async () => {
    await aFleet(10)
    const { _id } = await rollOut({ stages: [100], haltAt: { minimum: 3, percent: 20 } })
    await step()
    const ids = offeredIds()
    await begun(ids)
    await runs(ids.slice(0, 4), '2.1.0')
    later(3_600_001)
    await step()
    expect(await volt.firmwareRollouts.get(_id)).toMatchObject({ status: 'halted', reason: '6 of 10 devices failed' })
    expect(await volt.firmware.progress(_id)).toMatchObject({ succeeded: 4, failed: 6 })
    await expect(volt.firmware.resume(_id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await step()
    expect(await volt.firmwareRollouts.get(_id)).toMatchObject({ open: false })
  })

  it('gives a device that comes back with the old version one more try', async () => {
    const [device] = (await aFleet(1)) as [Device]
    const { _id } = await rollOut({ stages: [100] })
    const row = () => volt.firmwareInstalls.findOne({ rollout: _id, device: device._id })
    for (const [rollBacks, status] of [
      [1, 'pending'],
      [2, 'rolled_back'],
    ] as const) {
      await step()
      await begun([device._id])
      later(10_000)
      const boot = { id: `b-${rollBacks}`, startedAt: now }
      await devices.updateOne({ _id: device._id }, { $set: { boot, lastSeenAt: now } })
      await step()
      expect(await row()).toMatchObject({ status: 'installing' })
      later(60_000)
      await devices.updateOne({ _id: device._id }, { $set: { lastSeenAt: now } })
      await step()
      expect(await row()).toMatchObject({ status, rollBacks })
      later(600_000)
      await devices.updateOne({ _id: device._id }, { $set: { lastSeenAt: now } })
    }
  })

  it('waits for devices that are away, which count nowhere, and leaves out what it is not for', async () => {
    const [away, newer, there, board] = (await aFleet(4)) as [Device, Device, Device, Device]
    await devices.updateOne({ _id: away._id }, { $set: { lastSeenAt: new Date(now.getTime() - 3_600_000) } })
    await runs([newer._id], '2.2.0')
    await runs([there._id], '2.1.0')
    // As devices of later versions of this library have it.
    await devices.updateOne(
      { _id: board._id },
      { $set: { 'hardware.boardType': 'esp32s3' } },
      { bypassDocumentValidation: true },
    )
    const { _id } = await rollOut({ stages: [100] })
    await step()
    expect(offers).toEqual([])
    expect(await volt.firmwareInstalls.find({ rollout: _id }, { sort: { device: 1 } })).toMatchObject([
      { device: away._id, status: 'pending' },
      { device: there._id, status: 'succeeded', reason: 'it ran this version already', offers: 0 },
    ])
    await runs([away._id], '2.0.0')
    await step()
    expect(offeredIds()).toEqual([away._id])
  })

  it('offers to so many in a minute, to the allowed first, and to none while it is paused', async () => {
    const fleet = await aFleet(30)
    const allowed = fleet.slice(0, 2).map((device) => device._id)
    const { _id } = await rollOut({
      stages: [0.001, 100],
      allowed,
      perMinute: 10,
      advanceAt: { minimum: 0, percent: 0, soakMs: 0 },
    })
    await step()
    expect(offeredIds().map(String).toSorted()).toEqual(allowed.map(String).toSorted())
    await begun(allowed)
    await runs(allowed, '2.1.0')
    await step()
    await step()
    await step()
    expect(offers).toHaveLength(10)
    await volt.firmware.pause(_id)
    later(60_001)
    await step()
    expect(offers).toHaveLength(10)
    await volt.firmware.resume(_id)
    await step()
    expect(offers).toHaveLength(20)
    await volt.firmware.cancel(_id)
    expect(await volt.firmware.progress(_id)).toMatchObject({ pending: 0, cancelled: 28, succeeded: 2 })
    await step()
    expect(await volt.firmwareRollouts.get(_id)).toMatchObject({ status: 'cancelled', open: false })
  })

  it('offers again what a device did not take, and what it began before its offer ran out', async () => {
    const [device] = (await aFleet(1)) as [Device]
    await rollOut({ stages: [100], installMs: 86_400_000 })
    await step()
    later(599_000)
    await runs([device._id], '2.0.0')
    await step()
    expect(offers).toHaveLength(1)
    later(2_000)
    await step()
    expect(offers).toHaveLength(2)
    await installs.updateMany(
      { device: device._id },
      { $set: { status: 'downloading', sentBytes: 500, startedAt: now } },
    )
    later(3_600_000)
    await runs([device._id], '2.0.0')
    await step()
    expect(offers).toHaveLength(3)
    expect(await volt.firmwareInstalls.findOne({ device: device._id })).toMatchObject({
      status: 'downloading',
      sentBytes: 500,
    })
  })

  it('offers it again soon to a device that has come back since, and not each time that it comes and goes', async () => {
    const [device] = (await aFleet(1)) as [Device]
    const isBack = () =>
      devices.updateOne({ _id: device._id }, { $set: { status: 'online', statusAt: now, lastSeenAt: now } })
    await rollOut({ stages: [100] })
    await step()
    later(60_000)
    await step()
    expect(offers).toHaveLength(1)
    await isBack()
    await step()
    expect(offers).toHaveLength(2)
    later(20_000)
    await isBack()
    await step()
    expect(offers).toHaveLength(2)
    later(10_000)
    await step()
    expect(offers).toHaveLength(3)
  })

  it('knows from the device itself that it failed', async () => {
    const [device] = (await aFleet(1)) as [Device]
    const { _id } = await rollOut({ stages: [100] })
    await step()
    expect(await volt.firmware.reportFailure(_id, device._id, 'the digest is another')).toBe(true)
    expect(await volt.firmware.reportFailure(_id, device._id, 'again')).toBe(false)
    expect(await volt.firmwareInstalls.findOne({ device: device._id })).toMatchObject({
      status: 'failed',
      reason: 'the digest is another',
    })
  })

  it('is refused for an image that is not there, and keeps the image that it needs', async () => {
    await expect(rollOut({ firmware: new ObjectId() })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(rollOut({ stages: [50, 10] })).rejects.toMatchObject({ code: 'VALIDATION' })
    await rollOut()
    await expect(volt.firmware.remove(image._id)).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})

it('spreads devices evenly, and other ones first in each roll-out', () => {
  const ids = Array.from({ length: 10_000 }, () => new ObjectId())
  const [one, other] = [new ObjectId(), new ObjectId()]
  const first = ids.filter((id) => shareOf(one, id) < 10)
  expect(first.length).toBeGreaterThan(800)
  expect(first.length).toBeLessThan(1_200)
  expect(ids.filter((id) => shareOf(one, id) < 10)).toEqual(first)
  expect(first.filter((id) => shareOf(other, id) < 10).length).toBeLessThan(200)
})
