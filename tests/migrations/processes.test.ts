import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { startChild } from '../support/child.js'
import { type TestDatabase, testDatabase } from '../support/database.js'
import { full } from '../support/extent.js'
import { expectOldShapeMigrated, makeOldShape } from './shipped/old-shape.js'
import { expectExact, makeThings } from './support/exact-set.js'
import { onlyHosts } from './support/migrating.js'

const program = new URL('./support/worker.ts', import.meta.url)

function startWorker({ uri, dbName }: TestDatabase, env: Readonly<Record<string, string>> = {}) {
  return startChild(program, { env: { MONGODB_URI: uri, DB_NAME: dbName, ...env } })
}

async function startWorkers(database: TestDatabase, envs: readonly Readonly<Record<string, string>>[]) {
  const workers = envs.map((env) => startWorker(database, env))
  await Promise.all(workers.map((worker) => worker.next('ready')))
  return workers
}

/** In the long form eight. */
const workerCount = full ? 8 : 4

/** Nobody is killed here, and a loaded machine may keep one from renewing its lock for a second. */
const patient = { LOCK_MS: '30000' }

describe('processes that start at once', () => {
  it('run each migration once: one migrates, the others wait and go on', async () => {
    const database = testDatabase()
    await onlyHosts(database)
    await makeThings(database.db)
    const workers = await startWorkers(
      database,
      Array.from({ length: workerCount }, () => patient),
    )
    for (const worker of workers) worker.send({ type: 'run' })
    const ends = await Promise.all(workers.map((worker) => worker.next('done')))
    expect(ends.map(({ code }) => code)).toEqual(ends.map(() => undefined))
    const applied = ends.flatMap((end) => (end.applied as string[]).filter((id) => !id.startsWith('autovolt-')))
    expect(applied.toSorted()).toEqual(['1', '2', '3', '4'])
    await expectExact(database.db)
  }, 600_000)

  it("run the package's own on a database of the old shape", async () => {
    const database = testDatabase()
    await makeThings(database.db)
    await makeOldShape(database)
    const workers = await startWorkers(
      database,
      Array.from({ length: workerCount }, () => patient),
    )
    for (const worker of workers) worker.send({ type: 'run' })
    const ends = await Promise.all(workers.map((worker) => worker.next('done')))
    expect(ends.map(({ code }) => code)).toEqual(ends.map(() => undefined))
    await expectOldShapeMigrated(database)
  }, 600_000)

  it('do so with clocks that are minutes apart', async () => {
    const database = testDatabase()
    await makeThings(database.db)
    await onlyHosts(database)
    const offsets = [-600_000, -60_000, 60_000, 600_000]
    const workers = await startWorkers(
      database,
      offsets.map((offset) => ({ ...patient, CLOCK_OFFSET_MS: String(offset), PAUSE_MS: '300' })),
    )
    for (const worker of workers) worker.send({ type: 'run' })
    const ends = await Promise.all(workers.map((worker) => worker.next('done')))
    expect(ends.map(({ code }) => code)).toEqual(ends.map(() => undefined))
    await expectExact(database.db)
  }, 600_000)
})

describe('a process that hangs past its lock', () => {
  it('is fenced off: another one goes on at its checkpoint, and it writes nothing more', async () => {
    const database = testDatabase()
    await makeThings(database.db)
    await onlyHosts(database)
    const [hanging, next] = await startWorkers(database, [{ PAUSE_MS: '500' }, { PAUSE_MS: '500' }])
    hanging?.send({ type: 'run' })
    let done = 0
    while (done < 20) {
      const progress = await hanging?.next('progress')
      done = Number(Object(progress?.event).done)
    }
    process.kill(hanging?.pid ?? 0, 'SIGSTOP')
    next?.send({ type: 'run' })
    const first = await next?.next('progress')
    expect(first).toMatchObject({ event: { migration: '3', done: 20, total: 60 } })
    await sleep(200)
    process.kill(hanging?.pid ?? 0, 'SIGCONT')
    expect(await hanging?.next('done')).toMatchObject({ code: 'LEASE_LOST' })
    expect(await next?.next('done')).toMatchObject({ applied: ['3', '4'] })
    await expectExact(database.db)
  }, 600_000)
})
