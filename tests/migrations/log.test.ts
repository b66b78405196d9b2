import { describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { effect, effects, migrating, statesOf } from './support/migrating.js'

describe('the logs of earlier tools', () => {
  const at = new Date('2024-05-01T00:00:00Z')
  const later = new Date('2025-05-01T00:00:00Z')

  it('are adopted: what they name is applied, once and since its first time, and is not run again', async () => {
    const database = testDatabase()
    const { db } = database
    await db.collection('migrations').insertMany([
      { name: '001_add_case_priority', executed_at: later },
      { name: '001_add_case_priority', executed_at: at },
      { name: '000_gone', executed_at: at },
    ])
    await db
      .collection('knex_migrations')
      .insertOne({ id: 1, name: '002_update_alerts.js', batch: 1, migration_time: at })
    const list = [effect('001_add_case_priority'), effect('002_update_alerts'), effect('003_new')]
    const volt = await migrating(database, list)
    const states = {
      '000_gone': 'applied',
      '001_add_case_priority': 'applied',
      '002_update_alerts': 'applied',
      '003_new': 'pending',
    }
    expect(await statesOf(volt)).toEqual(states)
    expect(await db.collection('migrations').countDocuments({ name: /^00/ })).toBe(3)

    const { adopted } = await volt.migrations.migrate()
    expect(adopted.toSorted()).toEqual(['000_gone', '001_add_case_priority', '002_update_alerts'])
    expect(await effects(database)).toEqual(['003_new'])
    expect(await statesOf(volt)).toEqual({ ...states, '003_new': 'applied' })
    const { migrations } = await volt.migrations.status()
    expect(migrations.find(({ id }) => id === '001_add_case_priority')).toMatchObject({
      origin: 'adopted',
      appliedAt: at,
      isKnown: true,
    })
    // The documents of the earlier tool stay as they are, beside those of ours.
    expect(await db.collection('migrations').countDocuments({ state: { $exists: false } })).toBe(3)
    expect((await volt.migrations.migrate()).adopted).toEqual([])
  })

  it('may go on being written to', async () => {
    const database = testDatabase()
    const volt = await migrating(database)
    await volt.setup()
    await volt.migrations.migrate()
    await database.db.collection('migrations').insertOne({ name: 'by-another-tool', executed_at: at })
    await database.db.collection('migrations').insertOne({ name: 'by-another-tool', executed_at: later })
    expect(await statesOf(volt)).toEqual({ 'by-another-tool': 'applied' })
  })

  it('are not adopted again after a rollback', async () => {
    const database = testDatabase()
    await database.db.collection('migrations').insertOne({ name: '1-a', executed_at: at })
    await database.db.collection('effects').insertOne({ by: '1-a' })
    const volt = await migrating(database, [effect('1-a')])
    await volt.migrations.migrate()
    await volt.migrations.rollback()
    expect(await statesOf(volt)).toEqual({ '1-a': 'pending' })
    await volt.migrations.migrate()
    expect(await effects(database)).toEqual(['1-a'])
  })

  it('have times in many forms', async () => {
    const database = testDatabase()
    await database.db
      .collection('migrations')
      .insertMany([
        { name: 'a', executed_at: at.toISOString() },
        { name: 'b', executed_at: at.getTime() },
        { name: 'c' },
        { name: 'd', executed_at: 'some day' },
      ])
    const volt = await migrating(database)
    await volt.migrations.migrate()
    const { migrations } = await volt.migrations.status()
    const times = ['a', 'b', 'c', 'd'].map((name) => migrations.find(({ id }) => id === name)?.appliedAt)
    expect(times).toEqual([at, at, undefined, undefined])
  })
})

describe('baseline()', () => {
  it('writes down as applied, without running it, what has no record yet', async () => {
    const database = testDatabase()
    const volt = await migrating(database, [effect(1), effect(2), effect(3)])
    expect((await volt.migrations.baseline(2)).slice(-2)).toEqual(['1', '2'])
    expect(await effects(database)).toEqual([])
    await volt.migrations.migrate()
    expect(await effects(database)).toEqual(['3'])
    await expect(volt.migrations.baseline('none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await volt.migrations.baseline(3)).toEqual([])
  })
})

describe('repair()', () => {
  it('refuses what has no record, and what has not failed', async () => {
    const volt = await migrating(testDatabase(), [effect(1)])
    await expect(volt.migrations.repair(1, 'retry')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(volt.migrations.repair('other', 'applied')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await volt.migrations.migrate()
    await expect(volt.migrations.repair(1, 'retry')).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })
})

describe('the lock', () => {
  const seconds = (count: number) => new Date(Date.now() + count * 1000)
  const lease = { name: 'migrations', owner: 'another', holder: 'process 7 on pod-1 (root)', fence: 4, sessions: [] }
  const stamps = { createdAt: new Date(), updatedAt: new Date(), __v: 0 }

  it('that another process holds is waited for, then named', async () => {
    const database = testDatabase()
    const volt = await migrating(database, [effect(1)])
    await volt.setup()
    await database.db.collection('leases').insertOne({ ...lease, expiresAt: seconds(600), ...stamps })
    await expect(volt.migrations.migrate({ waitMs: 50 })).rejects.toMatchObject({
      code: 'MIGRATION_LOCKED',
      message: expect.stringContaining('process 7 on pod-1 (root)'),
    })
    expect((await volt.migrations.status()).lock).toMatchObject({ isHeld: true, holder: lease.holder })
    await expect(volt.migrations.unlock()).rejects.toMatchObject({ code: 'MIGRATION_LOCKED' })
    expect(await effects(database)).toEqual([])
  })

  it('of a dead process is taken, or given back by hand', async () => {
    const database = testDatabase()
    const volt = await migrating(database, [effect(1)])
    await volt.setup()
    expect(await volt.migrations.unlock()).toBe(false)
    await database.db.collection('leases').insertOne({ ...lease, expiresAt: seconds(-1), ...stamps })
    expect((await volt.migrations.status()).lock).toMatchObject({ isHeld: false })
    expect(await volt.migrations.unlock()).toBe(true)
    expect((await volt.migrations.status()).lock).toBeNull()
    await volt.migrations.migrate()
    expect(await effects(database)).toEqual(['1'])
    expect((await volt.migrations.history(5)).map(({ action }) => action)).toContain('unlock')
  })
})
