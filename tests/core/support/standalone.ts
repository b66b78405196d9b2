import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { findMongod } from '../../../src/testing/index.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { endProcess, spawnGuarded } from '../../support/guarded-process.js'

/** A `mongod` without a replica set. Killed, and its data removed, at the end of the test. */
export async function startStandalone({
  port,
  args = [],
}: {
  readonly port?: number
  readonly args?: readonly string[]
} = {}): Promise<{ readonly uri: string; readonly port: number }> {
  const chosen = port ?? (await freePort())
  const dbPath = await mkdtemp(join(tmpdir(), `autovolt-mongod-${process.pid}-`))
  const fixed = ['--port', String(chosen), '--dbpath', dbPath, '--bind_ip', '127.0.0.1']
  const mongod = spawnGuarded(await findMongod(), [...fixed, ...args], { stdio: 'ignore' })
  cleanUpLater(async () => {
    await endProcess(mongod, 'SIGKILL')
    await rm(dbPath, { recursive: true, force: true })
  })
  const uri = `mongodb://127.0.0.1:${chosen}/`
  const client = new MongoClient(uri)
  try {
    await eventually('mongod answers', () => client.db('admin').command({ hello: 1 }), { timeoutMs: 120_000 })
  } finally {
    await client.close()
  }
  return { uri, port: chosen }
}
