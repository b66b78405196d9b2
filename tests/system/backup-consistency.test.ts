import { setTimeout as sleep } from 'node:timers/promises'
import { folderStorage } from '@autovolt/data/backup'
import { type ClientSession, type Db, type Document, MongoClient } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { newFolder } from '../backup/support/folder.js'
import { MemoryStorage } from '../backup/support/memory-storage.js'
import { startBackupServer } from '../backup/support/server.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { full } from '../support/extent.js'
import { openVolt } from '../support/volt.js'

const server = await startBackupServer()
const rounds = full ? 50 : 4
const accounts = 200
const writers = 4

/** Moves amounts between accounts in two collections, with a journal, each in one transaction, until it is stopped. */
async function transfer(db: Db, stopped: AbortSignal): Promise<number> {
  const client = await MongoClient.connect(server.uri)
  cleanUpLater(() => client.close())
  const own = client.db(db.databaseName)
  let done = 0
  while (!stopped.aborted) {
    const [from, to] = [Math.floor(Math.random() * accounts), Math.floor(Math.random() * accounts)]
    const amount = 1 + Math.floor(Math.random() * 9)
    await client.withSession((session: ClientSession) =>
      session.withTransaction(async () => {
        const [left, right] = [own.collection<Document>('left'), own.collection<Document>('right')]
        await left.updateOne({ n: from }, { $inc: { amount: -amount } }, { session })
        await right.updateOne({ n: to }, { $inc: { amount } }, { session })
        await own.collection('moves').insertOne({ from, to, amount }, { session })
      }),
    )
    done += 1
  }
  return done
}

async function sumOf(db: Db, collection: string): Promise<number> {
  const [found] = await db
    .collection(collection)
    .aggregate([{ $group: { _id: null, sum: { $sum: '$amount' } } }])
    .toArray()
  return found?.sum ?? 0
}

async function fill(db: Db): Promise<void> {
  for (const name of ['left', 'right'])
    await db.collection(name).insertMany(Array.from({ length: accounts }, (_, n) => ({ n, amount: 1000 })))
  await db.createCollection('moves')
  // Something that takes a while to read, between the collections that belong together.
  const text = 'x'.repeat(1000)
  for (let batch = 0; batch < 20; batch += 1)
    await db.collection('middle').insertMany(Array.from({ length: 1000 }, (_, n) => ({ n, text })))
}

describe('a backup while transactions are written', () => {
  it('is one state: what belongs together is together, whatever is restored', async () => {
    const name = server.newName()
    const db = server.db(name)
    await fill(db)
    const volt = await openVolt({ uri: server.uri, dbName: name })
    const stop = new AbortController()
    const writing = Array.from({ length: writers }, () => transfer(db, stop.signal))
    const storage = folderStorage(await newFolder())
    let seen = 0
    for (let round = 0; round < rounds; round += 1) {
      await eventually('more was moved', async () => (await db.collection('moves').countDocuments()) > seen)
      const { id } = await volt.backup.create({ storage })
      const into = server.newName()
      await volt.backup.restore({ storage, backup: id, target: { into } })
      const restored = server.db(into)
      const [left, right, moved] = await Promise.all(['left', 'right', 'moves'].map((one) => sumOf(restored, one)))
      expect(left).toBe(accounts * 1000 - (moved ?? 0))
      expect(right).toBe(accounts * 1000 + (moved ?? 0))
      const moves = await restored.collection('moves').countDocuments()
      expect(moves).toBeGreaterThan(seen)
      seen = moves
      await restored.dropDatabase()
    }
    stop.abort()
    const done = (await Promise.all(writing)).reduce((sum, one) => sum + one, 0)
    expect(done).toBeGreaterThan(seen)
  })
})

describe('slices while transactions are written', () => {
  it('lead to one state at every second: what belongs together is together', async () => {
    const name = server.newName()
    const db = server.db(name)
    await fill(db)
    const volt = await openVolt({ uri: server.uri, dbName: name })
    const storage = folderStorage(await newFolder())
    await volt.backup.create({ storage })
    const stop = new AbortController()
    const writing = Array.from({ length: writers }, () => transfer(db, stop.signal))
    for (let round = 0; round < rounds; round += 1) {
      await sleep(1500)
      await volt.backup.slice({ storage })
      if (round === 1) await volt.backup.create({ storage })
    }
    stop.abort()
    await Promise.all(writing)
    const { spans } = await volt.backup.reachable(storage)
    expect(spans).toHaveLength(1)
    const [from, to] = [spans[0]?.from.getTime() ?? 0, spans[0]?.to.getTime() ?? 0]
    let seen = 0
    for (let instantMs = from; instantMs <= to; instantMs += 1000) {
      const into = server.newName()
      await volt.backup.restore({ storage, to: new Date(instantMs).toISOString(), target: { into } })
      const restored = server.db(into)
      const [left, right, moved] = await Promise.all(['left', 'right', 'moves'].map((one) => sumOf(restored, one)))
      expect(left).toBe(accounts * 1000 - (moved ?? 0))
      expect(right).toBe(accounts * 1000 + (moved ?? 0))
      const moves = await restored.collection('moves').countDocuments()
      expect(moves).toBeGreaterThanOrEqual(seen)
      seen = moves
      await restored.dropDatabase()
    }
    expect(seen).toBeGreaterThan(0)
  })
})

describe('a mongod that is killed', () => {
  it('during a backup makes a clear error and no backup; during a restore, one that goes on', async () => {
    const name = server.newName()
    await fill(server.db(name))
    const volt = await openVolt({ uri: server.uri, dbName: name }, { serverSelectionTimeoutMs: 20_000 })
    const storage = new MemoryStorage()
    let isKilled = false
    const killOnce = async () => {
      if (isKilled) return
      isKilled = true
      await server.mongod.kill()
    }
    const onProgress = ({ documents }: { documents: number }) => {
      if (documents > 5_000) void killOnce()
    }
    const backup = volt.backup.create({ storage, onProgress })
    await expect(backup).rejects.toMatchObject({ code: 'CONNECTION', retryable: true })
    await server.mongod.start()
    expect((await volt.backup.list(storage)).map(({ state }) => state)).toEqual(['incomplete'])
    await volt.backup.create({ storage })
    isKilled = false
    const into = server.newName()
    const restore = volt.backup.restore({
      storage,
      target: { into },
      onProgress: ({ phase, documents }) => {
        if (isKilled || phase !== 'loading' || documents <= 5_000) return
        void killOnce().then(() => server.mongod.start())
      },
    })
    const report = await restore.catch(async (error: { code: string; retryable: boolean }) => {
      expect(error).toMatchObject({ retryable: true })
      await server
        .db(into)
        .collection('leases')
        .updateMany({}, { $set: { expiresAt: new Date(0) } })
      return volt.backup.restore({ storage, target: { into } })
    })
    expect(report.valid).toBe(true)
    expect(await server.db(into).collection('middle').countDocuments()).toBe(20_000)
  })
})
