import { MongoClient, MongoServerSelectionError } from 'mongodb'
import { expect, it } from 'vitest'
import { startMongodProcess } from '../../support/mongod-process.js'

it('has what was written durably before it was killed', async () => {
  const mongod = await startMongodProcess()
  await using client = new MongoClient(mongod.uri, { writeConcern: { w: 'majority', journal: true } })
  const rooms = client.db('test').collection('rooms')
  await rooms.insertOne({ name: 'Room 101' })
  const before = mongod.pid
  await mongod.kill()
  expect(() => process.kill(before, 0)).toThrow('ESRCH')
  await mongod.start()
  expect(mongod.pid).not.toBe(before)
  expect(await rooms.countDocuments()).toBe(1)
})

it('answers nothing while it is paused', async () => {
  const mongod = await startMongodProcess()
  await mongod.pause()
  const client = new MongoClient(mongod.uri, { serverSelectionTimeoutMS: 500 })
  await expect(client.connect()).rejects.toThrow(MongoServerSelectionError)
  await client.close()
  mongod.resume()
  await using later = new MongoClient(mongod.uri)
  expect(await later.db('admin').command({ ping: 1 })).toMatchObject({ ok: 1 })
})
