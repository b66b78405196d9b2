import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { claimMs } from '../../src/notifications/outbox.js'
import { aUser } from '../support/builders.js'
import { startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
const rows = database.db.collection('notification_deliveries')
const log = database.db.collection('sent_log')
let volt: AutoVolt

beforeAll(async () => {
  const push = { name: 'push', deliver: async () => undefined }
  volt = await openVolt(database, { notifications: { channels: [push] } })
  await volt.setup()
  await log.createIndex({ deliveryId: 1, beginsAt: 1 })
})

const startDeliverer = async () => {
  const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName, FAILING: '0.1' }
  const child = startChild(new URL('./processes/deliverer.ts', import.meta.url), { env })
  await child.next('ready')
  child.send({ type: 'go' })
  return child
}

/** As the time would do it: what dead workers had is free. */
const endClaims = (filter: object = {}) =>
  rows.updateMany({ status: 'sending', ...filter }, { $set: { 'claim.until': new Date(0) } })

it('delivers each notification at least once, and at most once at a time, by processes that are killed', async () => {
  const count = 400
  const users = await volt.users.createMany(Array.from({ length: count }, () => aUser()))
  for (const { _id } of users) await volt.notifications.send({ user: _id, kind: 'test', title: 'One' })
  const children = await Promise.all([1, 2, 3, 4].map(startDeliverer))
  for (let kill = 0; kill < 3; kill += 1) {
    await eventually('some are sent', async () => (await log.countDocuments()) > 40 * (kill + 1), {
      timeoutMs: 120_000,
    })
    await children[kill]?.kill()
    await sleep(200)
    // Those of the killed one alone: what living workers have they keep.
    const claims = await rows.distinct('claim.token', { status: 'sending' })
    await sleep(3_000)
    await endClaims({ 'claim.token': { $in: claims } })
    children.push(await startDeliverer())
  }
  await eventually('all are delivered', async () => (await rows.countDocuments({ status: 'delivered' })) === count, {
    timeoutMs: 120_000,
  })
  const begun = await log.find().sort({ deliveryId: 1, beginsAt: 1 }).toArray()
  expect(new Set(begun.map(({ deliveryId }) => deliveryId)).size).toBe(count)
  for (const [at, one] of begun.entries()) {
    const next = begun[at + 1]
    if (next?.deliveryId !== one.deliveryId) continue
    // One that has no end was cut off by the kill.
    expect(next?.beginsAt).toBeGreaterThanOrEqual(one.endsAt ?? one.beginsAt)
  }
  await Promise.all(children.map((child) => child.kill()))
}, 600_000)

it('leaves what a dead worker had to others, and gives it up after the last attempt', async () => {
  const { _id: user } = await volt.users.create(aUser())
  await volt.notifications.send({ user, kind: 'test', title: 'Two' })
  const claimed = { status: 'sending', claim: { token: 'of a dead worker', until: new Date(Date.now() + claimMs) } }
  await rows.updateOne({ user }, { $set: { ...claimed, attempts: 9 } })
  expect(await volt.notifications.deliver()).toMatchObject({ delivered: 0 })
  await endClaims()
  expect(await volt.notifications.deliver()).toMatchObject({ delivered: 1 })
  await rows.updateOne({ user }, { $set: { ...claimed, attempts: 10 } })
  await endClaims()
  await volt.notifications.deliver()
  expect(await rows.findOne({ user })).toMatchObject({ status: 'failed', reason: expect.stringContaining('ended') })
})
