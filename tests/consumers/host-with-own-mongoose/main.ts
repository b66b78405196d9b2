// A service that has Mongoose models of its own, one with the name of one of ours, and lends us its connection.
import { strict as assert } from 'node:assert'
import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'
import mongoose from 'mongoose'

const replicaSet = await startReplicaSet()
const connection = await mongoose.createConnection(replicaSet.uri, { dbName: 'consumer' }).asPromise()
const Device = connection.model('Device', new mongoose.Schema({ label: String }), 'own_devices')
const volt = AutoVolt.attach(connection)
try {
  await volt.setup()
  await volt.classrooms.create({ name: 'Room 101', timeZone: 'Asia/Kolkata' })
  await Device.create({ label: 'printer' })
  assert.equal(await volt.devices.count({}), 0)
  assert.equal(await Device.countDocuments(), 1)
  assert.equal(connection.model('Device'), Device)
  await volt.close()
  assert.equal(connection.readyState, mongoose.ConnectionStates.connected, 'the host closes its own connection')
} finally {
  await connection.close()
  await replicaSet.stop()
}
