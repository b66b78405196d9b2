import { MongoClient } from 'mongodb'
import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/migrations/index.js'
import { cleanUpLater } from '../support/clean-up.js'
import { startMongodProcess } from '../support/mongod-process.js'
import { startSecuredMongod } from '../support/secured-mongod.js'
import { openVolt } from '../support/volt.js'
import { exactSet, expectExact, makeThings } from './support/exact-set.js'
import { effect, migrating } from './support/migrating.js'

const dbName = 'school'

describe('a mongod that is restarted under way', () => {
  it.each(['stop', 'kill'] as const)(
    'by %s is waited for, and everything is made once',
    async (how) => {
      await using mongod = await startMongodProcess()
      const { uri } = mongod
      const client = await MongoClient.connect(uri)
      cleanUpLater(() => client.close())
      const db = client.db(dbName)
      await makeThings(db)
      const list = exactSet.map((migration) =>
        Array.isArray(migration.up)
          ? { ...migration, up: migration.up.map((step) => ('indexes' in step ? step : { ...step, pauseMs: 300 })) }
          : migration,
      )
      const volt = await migrating({ uri, dbName }, list)
      let restarted: Promise<void> | undefined
      const restart = async () => {
        await mongod[how]()
        await mongod.start()
      }
      // In the middle of a backfill.
      const onEvent = (event: RunEvent) => {
        if (event.type === 'progress' && event.done === 20) restarted ??= restart()
      }
      const { applied } = await volt.migrations.migrate({ onEvent })
      await restarted
      expect(restarted).toBeDefined()
      expect(applied).toEqual(['1', '2', '3', '4'])
      await expectExact(db)
      await volt.close()
    },
    600_000,
  )
})

describe('a role without a right', () => {
  it('to write is told what it needs, by every command that writes', async () => {
    const mongod = await startSecuredMongod()
    const uri = await mongod.createUser('reader', [{ role: 'read', db: dbName }])
    const volt = await openVolt({ uri, dbName }, { migrations: { list: [effect(1)] } })
    const refused = {
      code: 'NOT_AUTHORIZED',
      message: expect.stringMatching(/Next: give the role readWrite on the database/),
    }
    await expect(volt.migrations.migrate()).rejects.toMatchObject(refused)
    await expect(volt.migrations.ensure()).rejects.toMatchObject(refused)
    await expect(volt.migrations.baseline(1)).rejects.toMatchObject(refused)
    await expect(volt.migrations.seed()).rejects.toMatchObject(refused)
    // What only reads needs no more than that.
    expect((await volt.migrations.status()).migrations.length).toBeGreaterThan(1)
    expect((await volt.migrations.plan()).at(-1)).toMatchObject({ id: '1' })
  })

  it('to change validators runs all that needs none of it, and is told where a step needs one', async () => {
    const mongod = await startSecuredMongod()
    const uri = await mongod.createUser('writer', [{ role: 'readWrite', db: dbName }])
    const bounded = { validator: { n: { $lt: 10 } } }
    const volt = await openVolt(
      { uri, dbName },
      {
        migrations: {
          list: [
            effect(1),
            { id: 2, repeatable: true, up: ({ db }) => db.command({ collMod: 'effects', ...bounded }) },
          ],
        },
      },
    )
    await expect(volt.migrations.migrate()).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringMatching(
        /^2 failed in step 1: .*not authorized.* Next: .*the right that its role lacks.* migrate again; the step begins again/i,
      ),
    })
    expect((await volt.migrations.status()).migrations.map(({ state }) => state).slice(-2)).toEqual([
      'applied',
      'failed',
    ])
    await mongod.owner.db('admin').command({ grantRolesToUser: 'writer', roles: [{ role: 'dbAdmin', db: dbName }] })
    expect((await volt.migrations.migrate()).applied).toEqual(['2'])
  })
})
