import { describe, expect, it } from 'vitest'
import type { Migration } from '../../src/migrations/index.js'
import { testDatabase } from '../support/database.js'
import { effect, effects, migrating, statesOf } from './support/migrating.js'

/** What has been applied in one version of a program, seen by the next one. */
async function afterApplying(before: readonly Migration[], now: readonly Migration[], options = {}) {
  const database = testDatabase()
  const first = await migrating(database, before)
  await first.migrations.migrate()
  await first.close()
  return { database, volt: await migrating(database, now, options) }
}

const checksum = /^[0-9a-f]{64}$/

describe('a migration that was changed after it had been applied', () => {
  it('stops the run, with both checksums and what to do', async () => {
    const edited = effect('1-a', { up: async ({ db }) => db.collection('effects').insertOne({ by: 'another' }) })
    const { database, volt } = await afterApplying([effect('1-a')], [edited, effect('2-b')])
    const [problem] = await volt.migrations.validate()
    expect(problem).toMatchObject({
      kind: 'edited',
      migration: '1-a',
      recordedChecksum: expect.stringMatching(checksum),
      foundChecksum: expect.stringMatching(checksum),
      next: expect.stringContaining('autovolt migrate repair 1-a --applied'),
    })
    await expect(volt.migrations.migrate()).rejects.toMatchObject({
      code: 'MIGRATION_DRIFT',
      message: expect.stringContaining(problem?.recordedChecksum ?? ''),
    })
    await expect(volt.migrations.ensure()).rejects.toMatchObject({ code: 'MIGRATION_DRIFT' })
    await expect(volt.migrations.rollback()).rejects.toMatchObject({ code: 'MIGRATION_DRIFT' })
    expect(await effects(database)).toEqual(['1-a'])
    await volt.migrations.repair('1-a', 'applied')
    await volt.migrations.migrate()
    expect(await effects(database)).toEqual(['1-a', '2-b'])
  })

  it('may have another down, verification, description and pace: they have changed nothing', async () => {
    const backfill = { collection: 'things', filter: { a: 1 }, update: { $set: { b: 2 } } }
    const { volt } = await afterApplying(
      [effect('1-a'), { id: '2-b', up: backfill }],
      [
        effect('1-a', { down: async () => undefined, verify: async () => undefined, description: 'more words' }),
        { id: '2-b', up: { ...backfill, batchSize: 10, pauseMs: 5, maximumLagMs: 100 } },
      ],
    )
    expect(await volt.migrations.validate()).toEqual([])
  })

  it('has another data, and counts as changed', async () => {
    const backfill = { collection: 'things', filter: { at: new Date(0) }, update: { $set: { b: /x/ } } }
    for (const changed of [
      { filter: { at: new Date(1) } },
      { update: { $set: { b: /x/i } } },
      { collection: 'other' },
    ]) {
      const { volt } = await afterApplying([{ id: 1, up: backfill }], [{ id: 1, up: { ...backfill, ...changed } }])
      expect(await volt.migrations.validate()).toMatchObject([{ kind: 'edited', migration: '1' }])
    }
  })
})

describe('a migration that is applied and gone', () => {
  it('stops the run until it is back or given up', async () => {
    const { volt } = await afterApplying([effect('1-a'), effect('2-b')], [effect('2-b'), effect('3-c')])
    await expect(volt.migrations.migrate()).rejects.toMatchObject({
      code: 'MIGRATION_DRIFT',
      problems: [{ kind: 'missing', migration: '1-a', next: expect.stringContaining('--not-applied') }],
    })
    await volt.migrations.repair('1-a', 'not-applied')
    await volt.migrations.migrate()
    expect(await statesOf(volt)).toEqual({ '2-b': 'applied', '3-c': 'applied' })
  })

  it('means a newer program where it comes after all that is known', async () => {
    const { volt } = await afterApplying([effect('1-a'), effect('2-b')], [effect('1-a')])
    const expected = { code: 'DATABASE_NEWER', message: expect.stringContaining('2-b') }
    await expect(volt.migrations.ensure()).rejects.toMatchObject(expected)
    await expect(volt.migrations.migrate()).rejects.toMatchObject(expected)
  })

  it("stops an older program also where the newer one is the package's own", async () => {
    const { database, volt } = await afterApplying([effect('1-a')], [effect('1-a')])
    const record = { name: 'autovolt-99-of-the-future', state: 'applied', origin: 'run', steps: [] }
    await database.db.collection('migrations').insertOne(record)
    await expect(volt.migrations.ensure()).rejects.toMatchObject({
      code: 'DATABASE_NEWER',
      message: expect.stringMatching(/autovolt-99-of-the-future.*Next: start the version of the program that has it/),
    })
  })
})

describe('a migration with a lower id than one that is applied', () => {
  it('is refused', async () => {
    const { database, volt } = await afterApplying([effect(1), effect(3)], [effect(1), effect(2), effect(3)])
    await expect(volt.migrations.migrate()).rejects.toMatchObject({
      code: 'MIGRATION_DRIFT',
      problems: [{ kind: 'late', migration: '2', next: expect.stringContaining('later id') }],
    })
    expect(await effects(database)).toEqual(['1', '3'])
  })

  it('is run where that is chosen', async () => {
    const list = [effect(1), effect(2), effect(3), effect(4)]
    const { database, volt } = await afterApplying([effect(1), effect(3)], list, { late: 'run' })
    await volt.migrations.migrate()
    expect(await effects(database)).toEqual(['1', '3', '2', '4'])
  })
})

describe('a migration of several steps that failed in one of them', () => {
  it('may be changed from that step on, and not before', async () => {
    const database = testDatabase()
    const one = async ({ db }: Parameters<Extract<Migration['up'], (...given: never[]) => unknown>>[0]) =>
      db.collection('effects').insertOne({ by: 'one' })
    const two = async () => Promise.reject(new Error('no'))
    const mendedTwo = async ({ db }: Parameters<typeof one>[0]) => db.collection('effects').insertOne({ by: 'two' })
    const volt = await migrating(database, [{ id: 1, transaction: true, up: [one, two] }])
    await expect(volt.migrations.migrate()).rejects.toMatchObject({ code: 'MIGRATION_FAILED' })
    expect((await volt.migrations.status()).migrations.at(-1)).toMatchObject({
      state: 'failed',
      error: 'no',
      progress: { step: 2, steps: 2 },
    })
    const changed = await migrating(database, [{ id: 1, transaction: true, up: [mendedTwo, mendedTwo] }])
    await expect(changed.migrations.migrate()).rejects.toMatchObject({ code: 'MIGRATION_DRIFT' })
    const corrected = await migrating(database, [{ id: 1, transaction: true, up: [one, mendedTwo] }])
    await corrected.migrations.migrate()
    expect(await effects(database)).toEqual(['one', 'two'])
  })
})
