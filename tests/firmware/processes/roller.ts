// Moves roll-outs on, and writes down each offer.
import { AutoVolt } from '@autovolt/data'
import { MongoClient } from 'mongodb'
import { onParentMessage, tellParent } from '../../support/parent.js'

const { MONGODB_URI = '', DB_NAME = '', KEYS = '' } = process.env
const client = await new MongoClient(MONGODB_URI).connect()
const offers = client.db(DB_NAME).collection('offers')
const volt = await AutoVolt.open({ uri: MONGODB_URI, dbName: DB_NAME, keys: JSON.parse(KEYS) })
await volt.health()

onParentMessage('go', () => {
  volt.firmware.start({
    everyMs: 100,
    baseUrl: 'http://localhost/firmware',
    offer: async ({ rollout, device }) => {
      await offers.insertOne({ rollout, device: device._id, at: Date.now() })
    },
  })
})
tellParent({ type: 'ready' })
