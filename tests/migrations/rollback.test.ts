import { describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { effect, effects, migrating, statesOf } from './support/migrating.js'

describe('rollback()', () => {
  it('takes back the last one, some, or all down to one that stays', async () => {
    const database = testDatabase()
    const volt = await migrating(database, [effect(1), effect(2), effect(3), effect(4), effect(5), effect(6)])
    await volt.migrations.migrate()
    expect(await volt.migrations.planRollback({ steps: 2 })).toEqual(['6', '5'])
    expect(await volt.migrations.rollback()).toEqual(['6'])
    expect(await volt.migrations.rollback({ steps: 2 })).toEqual(['5', '4'])
    expect(await volt.migrations.rollback({ to: 1 })).toEqual(['3', '2'])
    expect(await effects(database)).toEqual(['1'])
    expect(await statesOf(volt)).toEqual({
      1: 'applied',
      2: 'pending',
      3: 'pending',
      4: 'pending',
      5: 'pending',
      6: 'pending',
    })
    await volt.migrations.migrate()
    expect(await effects(database)).toEqual(['1', '2', '3', '4', '5', '6'])
  })

  it('is refused as a whole where one has no down', async () => {
    const database = testDatabase()
    const { down, ...oneWay } = effect(2)
    const volt = await migrating(database, [effect(1), oneWay, effect(3)])
    await volt.migrations.migrate()
    await expect(volt.migrations.rollback({ steps: 3 })).rejects.toMatchObject({
      code: 'IRREVERSIBLE',
      message: expect.stringContaining('Nothing was rolled back: 2 cannot be'),
    })
    expect(await effects(database)).toEqual(['1', '2', '3'])
  })

  it('gives down what up has kept', async () => {
    const database = testDatabase()
    const seen: unknown[] = []
    const volt = await migrating(database, [
      {
        id: 1,
        up: [
          async ({ keep }) => keep({ created: ['a'] }),
          async () => undefined,
          async ({ keep }) => keep(new Date(0)),
        ],
        down: async ({ kept }) => seen.push(...kept),
      },
    ])
    await volt.migrations.migrate()
    await volt.migrations.rollback()
    expect(seen).toEqual([{ created: ['a'] }, undefined, new Date(0)])
  })

  it('refuses to keep what is too large', async () => {
    const volt = await migrating(testDatabase(), [{ id: 1, up: async ({ keep }) => keep('x'.repeat(100_001)) }])
    await expect(volt.migrations.migrate()).rejects.toThrow('at most 100000 bytes')
  })

  it('that fails is shown, blocks, and is finished once it was corrected', async () => {
    const database = testDatabase()
    let isMended = false
    const down = async ({ db }: { db: typeof database.db }) => {
      if (!isMended) throw new Error('cannot go back')
      await db.collection('effects').deleteOne({ by: '2' })
    }
    const volt = await migrating(database, [effect(1), effect(2, { down })])
    await volt.migrations.migrate()
    await expect(volt.migrations.rollback()).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringMatching(/The rollback of 2 failed: cannot go back.*may be half done.*repair 2 --retry/),
    })
    expect(await statesOf(volt)).toEqual({ 1: 'applied', 2: 'rollback_failed' })
    await expect(volt.migrations.migrate()).rejects.toMatchObject({ code: 'MIGRATION_BLOCKED' })
    await expect(volt.migrations.rollback()).rejects.toMatchObject({ code: 'MIGRATION_BLOCKED' })
    await volt.migrations.repair(2, 'retry')
    await expect(volt.migrations.migrate()).rejects.toThrow('The rollback of 2 is not finished')
    isMended = true
    expect(await volt.migrations.rollback()).toEqual(['2'])
    expect(await effects(database)).toEqual(['1'])
  })

  it('can be called off: what was rolled back by hand counts as applied again', async () => {
    const database = testDatabase()
    const down = async () => Promise.reject(new Error('no'))
    const volt = await migrating(database, [effect(1, { down })])
    await volt.migrations.migrate()
    await expect(volt.migrations.rollback()).rejects.toThrow('no')
    await volt.migrations.repair(1, 'applied')
    expect(await statesOf(volt)).toEqual({ 1: 'applied' })
    await volt.migrations.repair(1, 'not-applied')
    expect(await statesOf(volt)).toEqual({ 1: 'pending' })
  })
})
