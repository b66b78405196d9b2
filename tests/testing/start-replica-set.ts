import { startReplicaSet } from '@autovolt/data/testing'
import { MongoClient } from 'mongodb'
import { onParentMessage, tellParent } from '../support/parent.js'

// A process that starts a replica set and never stops it.
const replicaSet = await startReplicaSet()
const client = new MongoClient(replicaSet.uri)
const admin = client.db('admin')
const { pid } = await admin.command({ serverStatus: 1 })
const { parsed } = await admin.command({ getCmdLineOpts: 1 })
await client.close()
onParentMessage('exit', () => process.exit())
tellParent({ type: 'started', mongodPid: Number(pid), dbPath: parsed.storage.dbPath })
