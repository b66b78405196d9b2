import { expect, it } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import { cleanUpLater } from '../support/clean-up.js'
import { startMongodProcess } from '../support/mongod-process.js'

it('is down when the server hangs, however long operations may take', async () => {
  const mongod = await startMongodProcess()
  const patience = { serverSelectionTimeoutMs: 120_000, socketTimeoutMs: 120_000 }
  const volt = await AutoVolt.open({ uri: mongod.uri, dbName: 'test', ...patience })
  cleanUpLater(() => volt.close())
  expect(await volt.health()).toMatchObject({ status: 'up', reason: null })
  await mongod.pause()
  const health = await volt.health()
  mongod.resume()
  expect(health).toMatchObject({ status: 'down', latencyMs: null, replicaSet: null, reason: expect.any(String) })
  expect(await volt.health()).toMatchObject({ status: 'up' })
  // The bound is less than how long operations may take.
}, 100_000)
