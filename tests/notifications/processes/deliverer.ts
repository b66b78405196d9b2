// Delivers notifications, and writes down when each delivery begins and ends.
import { setTimeout as sleep } from 'node:timers/promises'
import { AutoVolt, type DeliveryChannel } from '@autovolt/data'
import { MongoClient } from 'mongodb'
import { onParentMessage, tellParent } from '../../support/parent.js'

const { MONGODB_URI = '', DB_NAME = '', FAILING = '0' } = process.env
const client = await new MongoClient(MONGODB_URI).connect()
const log = client.db(DB_NAME).collection('sent_log')

const push: DeliveryChannel = {
  name: 'push',
  deliver: async ({ deliveryId, notifications }) => {
    const begun = await log.insertOne({ deliveryId, process: process.pid, beginsAt: Date.now() })
    await sleep(Math.random() * 20)
    await log.updateOne({ _id: begun.insertedId }, { $set: { endsAt: Date.now(), titles: notifications.length } })
    if (Math.random() < Number(FAILING)) throw new Error('now and then it fails')
  },
}
const startedMs = Date.now()
const volt = await AutoVolt.open({
  uri: MONGODB_URI,
  dbName: DB_NAME,
  notifications: { channels: [push], maximumAttempts: 50 },
  // Pauses after failures pass quickly.
  clock: { now: () => new Date(Date.now() + 1_000 * (Date.now() - startedMs)) },
})
await volt.health()
onParentMessage('go', () => {
  volt.notifications.start({ everyMs: 100 })
})
tellParent({ type: 'ready' })
