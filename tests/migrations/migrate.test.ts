import { describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { effect, effects, migrating, statesOf } from './support/migrating.js'

const hosts = (ids: readonly string[]) => ids.filter((id) => !id.startsWith('autovolt-'))

describe('migrate()', () => {
  it('runs what is not applied, in order, once', async () => {
    const database = testDatabase()
    const volt = await migrating(database, [effect('10-c'), effect('named'), effect(9), effect('2-b'), effect('1-a')])
    const order = ['1-a', '2-b', '9', '10-c', 'named']
    expect(hosts((await volt.migrations.migrate()).applied)).toEqual(order)
    expect(await effects(database)).toEqual(order)
    expect((await volt.migrations.migrate()).applied).toEqual([])
    expect(await effects(database)).toEqual(order)
  })

  it('says who did it, when, how long it took and with which version', async () => {
    const database = testDatabase()
    const volt = await migrating(database, [effect('1-a', { description: 'adds a' })])
    await volt.migrations.migrate()
    const { migrations } = await volt.migrations.status()
    expect(migrations.at(-1)).toMatchObject({
      id: '1-a',
      description: 'adds a',
      state: 'applied',
      origin: 'run',
      appliedAt: expect.any(Date),
      durationMs: expect.any(Number),
      run: { actor: 'asha', pid: process.pid, packageVersion: '0.1.0', fence: 1 },
    })
    expect(await volt.migrations.history(1)).toMatchObject([{ name: '1-a', action: 'migrate', outcome: 'done' }])
  })

  it('stops at the id that it is given', async () => {
    const database = testDatabase()
    const volt = await migrating(database, [effect(1), effect(2), effect(3)])
    await volt.migrations.migrate({ to: 2 })
    expect(await statesOf(volt)).toEqual({ 1: 'applied', 2: 'applied', 3: 'pending' })
    await expect(volt.migrations.migrate({ to: 7 })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('runs all of a transactional one or nothing', async () => {
    const database = testDatabase()
    let isMended = false
    const list = [
      effect('1-both', {
        transaction: true,
        up: async ({ db }) => {
          await db.collection('effects').insertOne({ by: 'first half' })
          if (!isMended) throw new RangeError('the second half fails')
        },
      }),
    ]
    const volt = await migrating(database, list)
    await expect(volt.migrations.migrate()).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringMatching(
        /1-both failed in step 1: the second half fails. Next: correct .* nothing of the step/,
      ),
    })
    expect(await effects(database)).toEqual([])
    expect(await statesOf(volt)).toEqual({ '1-both': 'failed' })
    isMended = true
    await volt.migrations.migrate()
    expect(await effects(database)).toEqual(['first half'])
    expect(await statesOf(volt)).toEqual({ '1-both': 'applied' })
  })

  it('keeps what came before the fifth of ten that fails, and waits for a decision', async () => {
    const database = testDatabase()
    const ids = Array.from({ length: 10 }, (_, at) => at + 1)
    const list = ids.map((id) => effect(id))
    list[4] = effect(5, {
      up: async ({ db }) => {
        await db.collection('effects').insertOne({ by: 'half' })
        throw new RangeError('no fifth')
      },
    })
    const volt = await migrating(database, list)
    await expect(volt.migrations.migrate()).rejects.toMatchObject({ code: 'MIGRATION_FAILED' })
    expect(await effects(database)).toEqual(['1', '2', '3', '4', 'half'])
    await expect(volt.migrations.migrate()).rejects.toMatchObject({
      code: 'MIGRATION_BLOCKED',
      message: expect.stringContaining('autovolt migrate repair 5 --retry'),
      problems: [{ kind: 'failed', migration: '5', message: expect.stringContaining('no fifth') }],
    })
    expect(await volt.migrations.validate()).toMatchObject([{ kind: 'failed', migration: '5' }])
    await volt.close()

    const corrected = await migrating(database, list.with(4, effect(5)))
    await database.db.collection('effects').deleteOne({ by: 'half' })
    await corrected.migrations.repair(5, 'retry')
    await corrected.migrations.migrate()
    expect(await effects(database)).toEqual(ids.map(String))
    const actions = (await corrected.migrations.history(20)).filter(({ name }) => name === '5')
    expect(actions.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'migrate done',
      'repair done',
      'migrate failed',
    ])
  })

  it('verifies what it did, and only verifies again after it was corrected', async () => {
    const database = testDatabase()
    let isRight = false
    const verify = async () => {
      if (!isRight) throw new Error('two are missing')
    }
    const volt = await migrating(database, [effect('1-verified', { verify })])
    await expect(volt.migrations.migrate()).rejects.toThrow('two are missing')
    expect(await statesOf(volt)).toEqual({ '1-verified': 'failed' })
    isRight = true
    await volt.migrations.migrate()
    expect(await effects(database)).toEqual(['1-verified'])
    expect(await statesOf(volt)).toEqual({ '1-verified': 'applied' })
  })

  it('reports what begins, how far it is and what ends', async () => {
    const database = testDatabase()
    const up = async ({ progress }: { progress: (done: number, total?: number) => void }) => progress(3, 4)
    const volt = await migrating(database, [effect('1-a', { up })])
    const events: unknown[] = []
    await volt.migrations.migrate({ onEvent: (event) => events.push(event) })
    expect(events.slice(-3)).toMatchObject([
      { type: 'started', migration: '1-a', direction: 'up' },
      { type: 'progress', migration: '1-a', step: 1, steps: 1, done: 3, total: 4 },
      { type: 'finished', migration: '1-a' },
    ])
  })

  it('goes on although a listener throws', async () => {
    const volt = await migrating(testDatabase(), [effect('1-a')])
    const onEvent = () => {
      throw new Error('my own')
    }
    await volt.migrations.migrate({ onEvent })
    expect(await statesOf(volt)).toEqual({ '1-a': 'applied' })
  })

  it('is refused inside a transaction of the handle', async () => {
    const volt = await migrating(testDatabase(), [effect('1-a')])
    await expect(volt.transaction(() => volt.migrations.migrate())).rejects.toMatchObject({ code: 'TRANSACTION' })
  })

  it('refuses options, ids and migrations that are none, and says what is wrong', async () => {
    const database = testDatabase()
    for (const [list, message] of [
      [[{ id: '1-a' }], /`up`.*export a function `up`/],
      [[{ id: '../1', up: async () => undefined }], /id of a migration/],
      [[{ id: '1-a', up: async () => undefined, donw: 1 }], /donw.*is not a field/],
      [[effect('autovolt-1')], /package's own/],
      [[effect('1-a'), effect('1-a')], /Two migrations have the id 1-a/],
      [[{ id: '1-a', up: { collection: 'a', batchSize: 0, update: {} } }], /up/],
    ] as const) {
      const volt = await migrating(database, list as never)
      await expect(volt.migrations.migrate()).rejects.toMatchObject({
        code: 'CONFIGURATION',
        message: expect.stringMatching(message),
      })
    }
    await expect(migrating(database, [], { late: 'perhaps' as never })).rejects.toMatchObject({ code: 'VALIDATION' })
    const volt = await migrating(database)
    await expect(volt.migrations.migrate({ upto: 1 } as never)).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(volt.migrations.rollback({ steps: 1, to: 1 })).rejects.toMatchObject({ code: 'VALIDATION' })
  })
})
