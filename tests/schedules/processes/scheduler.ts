// Does what is due, and writes down each action by its key, as a queue of commands does.
import { setTimeout as sleep } from 'node:timers/promises'
import { AutoVolt } from '@autovolt/data'
import { type MongoBulkWriteError, MongoClient } from 'mongodb'
import { onParentMessage, tellParent } from '../../support/parent.js'

const { MONGODB_URI = '', DB_NAME = '', NOW = '', PAUSE_MS = '0' } = process.env
const client = await new MongoClient(MONGODB_URI).connect()
const queue = client.db(DB_NAME).collection<{ _id: string; process: number; at: number }>('queue')
const startedMs = Date.now()
let repeated = 0

const volt = await AutoVolt.open({
  uri: MONGODB_URI,
  dbName: DB_NAME,
  clock: { now: () => new Date(Date.parse(NOW) + Date.now() - startedMs) },
  schedules: {
    action: async (actions) => {
      const documents = actions.map(({ key }) => ({ _id: key, process: process.pid, at: Date.now() }))
      await queue.insertMany(documents, { ordered: false }).catch((error: MongoBulkWriteError) => {
        if (error.code !== 11_000) throw error
        repeated += [error.writeErrors].flat().length
      })
      // Where it is killed the commands are there, and the schedules are not moved on.
      await sleep(Number(PAUSE_MS))
    },
  },
})
await volt.health()
onParentMessage('go', () => {
  volt.schedules.start({ everyMs: 100 })
})
onParentMessage('count', () => tellParent({ type: 'counted', repeated }))
tellParent({ type: 'ready' })
