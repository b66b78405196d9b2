import { describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { expectOldShapeMigrated, makeOldShape } from '../migrations/shipped/old-shape.js'
import { exactSet, expectExact, makeThings } from '../migrations/support/exact-set.js'
import { onlyHosts } from '../migrations/support/migrating.js'
import { startChild } from '../support/child.js'
import { type TestDatabase, testDatabase } from '../support/database.js'
import { full } from '../support/extent.js'
import { openVolt } from '../support/volt.js'

const program = new URL('../migrations/support/worker.ts', import.meta.url)
/** How many commands apart two kills are: every one, or a slice. */
const stride = full ? 1 : 13
const atOnce = 3

/** Runs the migrations in a process that kills itself at a command. @returns whether it got that far. */
async function killedAt({ uri, dbName }: TestDatabase, at: number, when: string): Promise<boolean> {
  const env = { MONGODB_URI: uri, DB_NAME: dbName, FATE: JSON.stringify({ at, when }) }
  await using worker = startChild(program, { env })
  await worker.next('ready', 100_000)
  worker.send({ type: 'run' })
  const ended = await Promise.race([
    worker.exit.then(({ signal }) => signal),
    worker.next('done', 60_000).catch(() => 'SIGKILL'),
  ])
  return ended === 'SIGKILL'
}

/** Says how the one migration stands that runs outside a transaction, as a person does who has looked. */
async function decide(volt: AutoVolt, { db }: TestDatabase): Promise<string[]> {
  const problems = await volt.migrations.validate()
  for (const { migration } of problems) {
    const isDone = (await db.collection('effects').countDocuments({ by: 1 })) === 1
    await volt.migrations.repair(migration, isDone ? 'applied' : 'retry')
  }
  return problems.map(({ kind, migration }) => `${kind} ${migration}`)
}

async function survives(at: number, when: string): Promise<boolean> {
  const database = testDatabase()
  await onlyHosts(database)
  await makeThings(database.db)
  if (!(await killedAt(database, at, when))) return false
  const volt = await openVolt(database, { migrations: { list: exactSet, lockDurationMs: 1_000 } })
  const first = await volt.migrations.migrate().catch((error: { code: string }) => error.code)
  if (typeof first === 'string') {
    expect(first).toBe('MIGRATION_BLOCKED')
    // Nothing but the function outside a transaction has to be decided about.
    expect(await decide(volt, database)).toEqual(['interrupted 1'])
    await volt.migrations.migrate()
  }
  await expectExact(database.db)
  expect((await volt.migrations.migrate()).applied).toEqual([])
  await volt.close()
  return true
}

/** The package's own migrations need nobody who decides. */
async function shippedSurvive(at: number, when: string): Promise<boolean> {
  const database = testDatabase()
  await makeThings(database.db)
  await makeOldShape(database)
  if (!(await killedAt(database, at, when))) return false
  const volt = await openVolt(database, { migrations: { list: exactSet, lockDurationMs: 1_000 } })
  await volt.migrations.migrate({ to: 'autovolt-11-device-model' }).catch((error: { code: string }) => {
    // All of them were done, and it came as far as the host's.
    if (error.code !== 'MIGRATION_BLOCKED') throw error
  })
  await volt.close()
  await expectOldShapeMigrated(database)
  return true
}

describe('a process that is killed', () => {
  it.each(['before', 'after'])("%s any command of the package's own leaves what a rerun makes exact", async (when) => {
    const first = full ? 1 : 40
    const shippedStride = full ? 11 : 97
    let kills = 0
    for (let at = first; ; at += atOnce * shippedStride) {
      const places = Array.from({ length: atOnce }, (_, index) => at + index * shippedStride)
      const survived = await Promise.all(places.map((place) => shippedSurvive(place, when)))
      kills += survived.filter(Boolean).length
      if (survived.includes(false)) break
    }
    expect(kills).toBeGreaterThan(full ? 20 : 2)
  })

  it.each(['before', 'after'])('%s any command leaves what a rerun makes exact', async (when) => {
    let isThrough = false
    let kills = 0
    for (let at = 1; !isThrough; at += atOnce * stride) {
      const places = Array.from({ length: atOnce }, (_, index) => at + index * stride)
      const survived = await Promise.all(places.map((place) => survives(place, when)))
      kills += survived.filter(Boolean).length
      isThrough = survived.includes(false)
    }
    expect(kills).toBeGreaterThan(full ? 60 : 8)
  })
})
