// A worker that sends commands by a transport which notes each sending, to be killed and frozen.
import { setTimeout as sleep } from 'node:timers/promises'
import { AutoVolt, type Transport } from '@autovolt/data'
import { MongoClient } from 'mongodb'
import { tellParent } from '../../support/parent.js'

const { MONGODB_URI: uri = '', DB_NAME: dbName = '', LEASE_MS: leaseMs = '2000' } = process.env
const volt = await AutoVolt.open({ uri, dbName })
const client = new MongoClient(uri)
const sendings = client.db(dbName).collection('sendings')

const transport: Transport = {
  name: 'noting',
  protocols: ['mqtt'],
  isReachable: () => true,
  answerWithinMs: () => 60_000,
  pauseMs: () => 0,
  async send(command, _device, permit) {
    // A road takes its time, and a worker may be stopped on it.
    await sleep(Math.random() * 20)
    if (!permit.isValid()) throw new Error('too late')
    const at = new Date()
    await sendings.insertOne({ command: command._id, attempt: command.attempts, pid: process.pid, at })
    return { kind: 'succeeded', state: command.state ?? false }
  },
}
volt.commands.start({ transports: [transport], pollMs: 200, leaseMs: Number(leaseMs), batch: 50 })
tellParent({ type: 'started' })
