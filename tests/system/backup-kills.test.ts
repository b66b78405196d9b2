import { setTimeout as sleep } from 'node:timers/promises'
import { folderStorage } from '@autovolt/data/backup'
import type { Db } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { newFolder } from '../backup/support/folder.js'
import { startBackupServer } from '../backup/support/server.js'
import { fillZoo } from '../backup/support/zoo.js'
import { openVolt } from '../support/volt.js'
import { someOf, stepsOn } from './support/backup-steps.js'

// The transaction of a killed process holds its documents for a minute otherwise.
const server = await startBackupServer(['--setParameter', 'transactionLifetimeLimitSeconds=5'])
const { run, killAt } = stepsOn(server.uri)

async function hashOf(db: Db): Promise<object> {
  const { collections } = await db.command({ dbHash: 1 })
  const own = ['leases', 'restore_journals', 'backup_schedules', 'privacy_erasures', 'system.views']
  return Object.fromEntries(Object.entries(collections).filter(([name]) => !own.includes(name)))
}

let name: string
let whole: object

beforeAll(async () => {
  name = server.newName()
  await fillZoo(server.db(name))
  await server
    .db(name)
    .collection('many')
    .insertMany(Array.from({ length: 30_000 }, (_, n) => ({ n, text: 'x'.repeat(100) })))
  whole = await hashOf(server.db(name))
})

describe('a process that is killed', () => {
  it('while it makes a backup leaves a whole one or none, and the next one is right', async () => {
    const steps = await run({ DB_NAME: name, FOLDER: await newFolder(), TASK: 'create' })
    const FOLDER = await newFolder()
    const storage = folderStorage(FOLDER)
    const volt = await openVolt({ uri: server.uri, dbName: name })
    for (const step of someOf(steps, 3)) {
      await killAt(step, steps, { DB_NAME: name, FOLDER, TASK: 'create' })
      for (const { id, state } of await volt.backup.list(storage)) {
        expect(state).not.toBe('damaged')
        if (state === 'complete') expect((await volt.backup.verify({ storage, backup: id })).valid).toBe(true)
      }
    }
    await run({ DB_NAME: name, FOLDER, TASK: 'create' })
    expect(await volt.backup.verify({ storage })).toMatchObject({ valid: true, findings: [] })
  })

  it('while it restores into a new database leaves one that nobody uses, and goes on from there', async () => {
    const FOLDER = await newFolder()
    await run({ DB_NAME: name, FOLDER, TASK: 'create' })
    const steps = await run({ DB_NAME: name, FOLDER, TASK: 'new', INTO: server.newName() })
    for (const step of someOf(steps, 3)) {
      const environment = { DB_NAME: name, FOLDER, TASK: 'new', INTO: server.newName() }
      await killAt(step, steps, environment)
      const db = server.db(environment.INTO)
      const journal = await db.collection('restore_journals').findOne({})
      const half = await openVolt({ uri: server.uri, dbName: environment.INTO })
      if (journal !== null && journal.phase !== 'closed')
        await expect(half.classrooms.find({})).rejects.toMatchObject({ code: 'RESTORING' })
      await rested(environment.INTO)
      // One that was killed after its last step has nothing left to do, and says so.
      if (journal?.phase === 'closed') await expect(run(environment)).rejects.toThrow('was restored into it already')
      else await run(environment)
      expect(await hashOf(db), `killed at step ${step} of ${steps}`).toEqual(whole)
      await db.dropDatabase()
    }
  })

  it('while it restores in place loses nothing, and goes on from there', async () => {
    const FOLDER = await newFolder()
    const live = server.newName()
    await fillZoo(server.db(live))
    await server
      .db(live)
      .collection('many')
      .insertMany(Array.from({ length: 5_000 }, (_, n) => ({ n })))
    const before = await hashOf(server.db(live))
    await run({ DB_NAME: live, FOLDER, TASK: 'create' })
    const environment = { DB_NAME: live, FOLDER, TASK: 'replace' }
    const steps = await run(environment)
    for (const step of someOf(steps, 3)) {
      await server
        .db(live)
        .collection('many')
        .deleteMany({ n: { $lt: 100 } })
      await killAt(step, steps, environment)
      const journal = await server.db(live).collection('restore_journals').findOne({})
      if (journal?.phase !== 'closed') {
        const half = await openVolt({ uri: server.uri, dbName: live })
        await expect(half.classrooms.find({})).rejects.toMatchObject({ code: 'RESTORING' })
      }
      await rested(live)
      await run(environment)
      expect(await hashOf(server.db(live)), `killed at step ${step} of ${steps}`).toEqual(before)
    }
  })

  it('while it removes old backups never loses the one that is kept', async () => {
    const probe = await newFolder()
    for (let at = 0; at < 3; at += 1) await run({ DB_NAME: name, FOLDER: probe, TASK: 'create' })
    const steps = await run({ DB_NAME: name, FOLDER: probe, TASK: 'prune' })
    const volt = await openVolt({ uri: server.uri, dbName: name })
    for (const step of someOf(steps, 3)) {
      const FOLDER = await newFolder()
      const storage = folderStorage(FOLDER)
      const ids: string[] = []
      for (let at = 0; at < 3; at += 1) ids.push((await volt.backup.create({ storage })).id)
      await killAt(step, steps, { DB_NAME: name, FOLDER, TASK: 'prune' })
      for (const { id, state } of await volt.backup.list(storage))
        if (state === 'complete') expect((await volt.backup.verify({ storage, backup: id })).valid).toBe(true)
      await run({ DB_NAME: name, FOLDER, TASK: 'prune' })
      const left = await volt.backup.list(storage)
      expect(left.filter(({ state }) => state === 'complete').map(({ id }) => id)).toEqual(ids.slice(2))
      expect(await volt.backup.verify({ storage })).toMatchObject({ id: ids[2], valid: true })
    }
  })
})

/** Changes of documents and collections; some in transactions. */
async function change(db: Db, round: number): Promise<void> {
  const counters = db.collection<{ _id: number; n: number }>('counters')
  await counters.insertMany(Array.from({ length: 50 }, (_, n) => ({ _id: round * 100 + n, n })))
  await counters.updateMany({}, { $inc: { n: 1 } })
  await counters.deleteMany({ _id: { $mod: [7, round % 7] } })
  await db.collection(`round ${round}`).insertOne({ round })
  if (round > 0) await db.collection(`round ${round - 1}`).rename('last', { dropTarget: true })
  await db.client.withSession((session) =>
    session.withTransaction(async () => {
      await counters.insertOne({ _id: -1 - round, n: 0 }, { session })
      await counters.updateOne({ _id: -1 - round }, { $inc: { n: round } }, { session })
    }),
  )
}

/** The second in which the last change was, once a slice can have all of it. */
async function endOfSecond(db: Db): Promise<string> {
  const { operationTime } = await db.command({ ping: 1 })
  await sleep(1100)
  await db.collection('later').insertOne({})
  return new Date(operationTime.t * 1000).toISOString()
}

describe('of slices and restores to an instant a process that is killed', () => {
  it('while it stores a slice leaves a whole one or none, and the next one goes on from there', async () => {
    const live = server.newName()
    const db = server.db(live)
    await change(db, 0)
    const environment = { DB_NAME: live, FOLDER: await newFolder(), TASK: 'slice' }
    const storage = folderStorage(environment.FOLDER)
    const volt = await openVolt({ uri: server.uri, dbName: live })
    await volt.backup.create({ storage })
    await change(db, 1)
    const steps = await run(environment)
    for (const [at, step] of someOf(steps, 3).entries()) {
      await change(db, at + 2)
      await killAt(step, steps, environment)
      expect((await volt.backup.reachable(storage)).findings).toEqual([])
    }
    const before = await hashOf(db)
    const to = await endOfSecond(db)
    await run(environment)
    expect((await volt.backup.reachable(storage)).spans).toHaveLength(1)
    const into = server.newName()
    await volt.backup.restore({ storage, to, target: { into } })
    expect(await hashOf(server.db(into))).toEqual(before)
  })

  it('while it restores to an instant goes on from there, into a new database and in place', async () => {
    const live = server.newName()
    const db = server.db(live)
    await change(db, 0)
    const FOLDER = await newFolder()
    const storage = folderStorage(FOLDER)
    const volt = await openVolt({ uri: server.uri, dbName: live })
    await volt.backup.create({ storage })
    for (let round = 1; round < 30; round += 1) await change(db, round)
    const before = await hashOf(db)
    const TO = await endOfSecond(db)
    await volt.backup.slice({ storage })
    const created = { DB_NAME: live, FOLDER, TASK: 'instant', TO }
    const steps = await run({ ...created, INTO: server.newName() })
    for (const step of someOf(steps, 3)) {
      const environment = { ...created, INTO: server.newName() }
      await killAt(step, steps, environment)
      await rested(environment.INTO)
      const journal = await server.db(environment.INTO).collection('restore_journals').findOne({})
      if (journal?.phase === 'closed') await expect(run(environment)).rejects.toThrow('was restored into it already')
      else await run(environment)
      expect(await hashOf(server.db(environment.INTO)), `killed at step ${step} of ${steps}`).toEqual(before)
      await server.db(environment.INTO).dropDatabase()
    }
    const inPlace = { DB_NAME: live, FOLDER, TASK: 'instant in place', TO }
    const stepsInPlace = await run(inPlace)
    for (const step of someOf(stepsInPlace, 3)) {
      await db.collection('counters').deleteMany({})
      await killAt(step, stepsInPlace, inPlace)
      const { databases } = await server.client.db('admin').admin().listDatabases({ nameOnly: true })
      for (const { name: one } of databases) if (one === live || one.startsWith('autovolt_instant')) await rested(one)
      await run(inPlace)
      // What came after the instant, and is in no backup, stays.
      const { later, ...restored } = (await hashOf(db)) as Record<string, string>
      expect(later).toBeDefined()
      expect(restored, `killed at step ${step} of ${stepsInPlace}`).toEqual(before)
    }
  })
})

/** What a killed process held is free when its lease ends: nobody waits for that here. */
async function rested(dbName: string): Promise<void> {
  await server
    .db(dbName)
    .collection('leases')
    .updateMany({}, { $set: { expiresAt: new Date(0) } })
}
