import { mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startReplicaSet } from '@autovolt/data/testing'
import { MongoClient } from 'mongodb'
import { afterAll, describe, expect, it } from 'vitest'
import { type Child, startChild } from '../support/child.js'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import type { ChildMessage } from '../support/inbox.js'

const folders: string[] = []

async function makeFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), name))
  folders.push(folder)
  return folder
}

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

describe('startReplicaSet', () => {
  it('starts a set that runs transactions, and removes its data when it stops', async () => {
    const before = await dataFolders()
    const replicaSet = await startReplicaSet()
    const client = new MongoClient(replicaSet.uri)
    const rooms = client.db('test').collection('rooms')
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await rooms.insertOne({ name: 'Room 101' }, { session })
      }),
    )
    expect(await rooms.countDocuments()).toBe(1)
    await client.close()
    expect((await dataFolders()).length).toBe(before.length + 1)
    await replicaSet.stop()
    await replicaSet.stop()
    expect(await dataFolders()).toEqual(before)
  })

  it('reports a mongod that ended by itself', async () => {
    await using replicaSet = await startReplicaSet()
    const client = new MongoClient(replicaSet.uri, { directConnection: true })
    const { pid } = await client.db('admin').command({ serverStatus: 1 })
    await client.close()
    process.kill(Number(pid), 'SIGABRT')
    const { code, message } = await replicaSet.failure
    expect(code).toBe('DATABASE')
    expect(message).toContain('A mongod of the replica set ended by SIGABRT')
    expect(message).toContain('Got signal: 6 (Aborted)')
  })

  it('keeps the data of a dbPath, and the port, from one start to the next', async () => {
    const options = { dbPath: join(await makeFolder('autovolt-kept-'), 'data'), port: await freePort() }
    for (const expected of [1, 2]) {
      await using replicaSet = await startReplicaSet(options)
      expect(replicaSet.uri).toBe(`mongodb://127.0.0.1:${options.port}/?replicaSet=autovolt`)
      await using client = new MongoClient(replicaSet.uri)
      const rooms = client.db('test').collection('rooms')
      await rooms.insertOne({ name: 'Room 101' })
      expect(await rooms.countDocuments()).toBe(expected)
    }
  })

  it('hands its arguments to mongod', async () => {
    await using replicaSet = await startReplicaSet({ args: ['--setParameter', 'notablescan=true'] })
    await using client = new MongoClient(replicaSet.uri)
    const rooms = client.db('test').collection('rooms')
    await rooms.insertOne({ name: 'Room 101' })
    await expect(rooms.findOne({ name: 'Room 101' })).rejects.toMatchObject({ code: 291 })
  })

  it('starts several members', async () => {
    await using replicaSet = await startReplicaSet({ members: 3 })
    await using client = new MongoClient(replicaSet.uri)
    const { hosts } = await client.db('admin').command({ hello: 1 })
    expect(hosts).toHaveLength(3)
  })

  it('refuses options that cannot work, saying why', async () => {
    await expect(startReplicaSet({ members: 0 })).rejects.toThrow('members must be a whole number from 1 to 7, not 0')
    await expect(startReplicaSet({ dbPath: 'data' })).rejects.toThrow(
      'dbPath needs port: the stored data name the ports of the members',
    )
  })

  it('refuses a port that is taken rather than take another one', async () => {
    await using first = await startReplicaSet()
    const port = Number(new URL(first.uri).port)
    await expect(startReplicaSet({ port })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining(`Port ${port} cannot be used: listen EADDRINUSE`),
    })
  })

  it('removes what killed processes left behind long ago, and nothing else', async () => {
    const longDead = 4_194_305 // above the highest process id there is
    const abandoned = await makeFolder(`autovolt-mongod-${longDead}-`)
    const recent = await makeFolder(`autovolt-mongod-${longDead}-`)
    const someonesOwn = await makeFolder(`autovolt-mongod-${process.pid}-`)
    const anHourAgo = new Date(Date.now() - 3_600_000)
    await utimes(abandoned, anHourAgo, anHourAgo)
    await utimes(someonesOwn, anHourAgo, anHourAgo)
    await using _ = await startReplicaSet()
    await expect(stat(abandoned)).rejects.toThrow('ENOENT')
    await stat(recent)
    await stat(someonesOwn)
  })
})

describe('a mongod', () => {
  it('does not outlive the process that started it, in whatever way that ends', async () => {
    const ends: ReadonlyArray<(child: Child) => unknown> = [
      (child) => child.kill('SIGKILL'),
      (child) => child.kill('SIGTERM'),
      (child) => child.kill('SIGINT'),
      (child) => child.send({ type: 'exit' }),
    ]
    const outcomes = ends.map(async (end) => {
      const child = startChild(new URL('./start-replica-set.ts', import.meta.url))
      const { mongodPid, dbPath } = await child.next<Started>('started')
      folders.push(dbPath)
      expect(isRunning(mongodPid)).toBe(true)
      await end(child)
      await child.exit
      await eventually('its mongod is gone', () => !isRunning(mongodPid), { timeoutMs: 120_000 })
    })
    await Promise.all(outcomes)
  })
})

interface Started extends ChildMessage {
  readonly mongodPid: number
  readonly dbPath: string
}

/** This process's own; other test files and other runs have theirs. */
async function dataFolders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith(`autovolt-mongod-${process.pid}-`)).sort()
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch {
    return false
  }
}
