import { setTimeout as sleep } from 'node:timers/promises'
import { ObjectId } from 'mongodb'
import { expect, it } from 'vitest'
import { aDevice } from '../support/builders.js'
import { startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'
import { anImage, streamOf } from './support.js'

/** The keys of a handle for a process: as text. */
const keys = { active: 'a', keys: { a: Buffer.alloc(32, 'a').toString('base64') } }

it('is moved on by one process at a time, whoever is killed: each device is offered it once, and no stage is skipped', async () => {
  const database = testDatabase()
  const volt = await openVolt(database, { keys })
  await volt.setup()
  const offers = database.db.collection('offers')
  const devices = database.db.collection('devices')
  const classroom = new ObjectId()
  const count = 300
  await volt.devices.createMany(
    Array.from({ length: count }, () => aDevice({ classroom, secret: 'a secret of this device' })),
  )
  await devices.updateMany({}, { $set: { lastSeenAt: new Date(), firmwareVersion: '2.0.0' } })
  const image = await volt.firmware.upload({ version: '2.1.0', board: 'esp32dev' }, streamOf(anImage(1_000)))
  const { _id } = await volt.firmware.rollOut({
    firmware: image._id,
    stages: [20, 50, 100],
    perMinute: 100_000,
    advanceAt: { minimum: 1, percent: 100, soakMs: 0 },
  })
  const startRoller = async () => {
    const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName, KEYS: JSON.stringify(keys) }
    const child = startChild(new URL('./processes/roller.ts', import.meta.url), { env })
    await child.next('ready')
    child.send({ type: 'go' })
    return child
  }
  const children = await Promise.all([1, 2, 3, 4].map(startRoller))
  const leases = database.db.collection('leases')
  for (const [at, percent] of [20, 50, 100].entries()) {
    const inStage = { rollout: _id, share: { $lt: percent } }
    const installs = database.db.collection('firmware_installs')
    const isOffered = async () =>
      (await volt.firmwareRollouts.get(_id)).enrolled &&
      (await installs.countDocuments({ ...inStage, status: 'pending', offers: 0 })) === 0 &&
      // An offer counts before it is made: what is counted by one that is killed then comes again after ten minutes.
      (await offers.countDocuments()) >= (await installs.countDocuments({ ...inStage, offers: { $gt: 0 } }))
    await eventually(`stage ${at} is offered`, isOffered, { timeoutMs: 120_000 })
    expect(await installs.countDocuments({ rollout: _id, offers: { $gt: 0 }, share: { $gte: percent } })).toBe(0)
    await children[at]?.kill()
    // As the time would do it.
    await leases.updateMany({ name: { $regex: '^firmware:' } }, { $set: { expiresAt: new Date(0) } })
    await sleep(200)
    expect((await volt.firmwareRollouts.get(_id)).stage).toBe(at)
    const rows = await volt.firmwareInstalls.find({ rollout: _id, status: 'pending' }, { limit: 1_000 })
    const ids = rows.filter(({ share }) => share < percent).map(({ device }) => device)
    await devices.updateMany({ _id: { $in: ids } }, { $set: { firmwareVersion: '2.1.0', lastSeenAt: new Date() } })
  }
  await eventually('it is finished', async () => (await volt.firmwareRollouts.get(_id)).status === 'finished', {
    timeoutMs: 120_000,
  })
  const offered = (await offers.find().toArray()).map(({ device }) => String(device))
  expect(new Set(offered).size).toBe(count)
  expect(offered).toHaveLength(count)
  await Promise.all(children.map((child) => child.kill()))
}, 600_000)
