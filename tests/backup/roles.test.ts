import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startSecuredMongod } from '../support/secured-mongod.js'
import { openVolt } from '../support/volt.js'
import { contentOf } from './support/content.js'
import { MemoryStorage } from './support/memory-storage.js'
import { fillZoo } from './support/zoo.js'

it('roles that docs/backup.md names can do what it says, and the others cannot', async () => {
  const secured = await startSecuredMongod()
  const dbName = 'school'
  const db = secured.owner.db(dbName)
  await fillZoo(db)
  const storage = new MemoryStorage()
  const owner = await openVolt({ uri: secured.uriOf('owner'), dbName })
  await owner.setup()

  const maker = await openVolt({
    uri: await secured.createUser('maker', [
      { role: 'backup', db: 'admin' },
      { role: 'readWrite', db: dbName },
    ]),
    dbName,
  })
  const { id } = await maker.backup.create({ storage })
  expect(await maker.backup.verify({ storage, backup: id })).toMatchObject({ valid: true })
  await db.collection('weather').insertOne({ at: new Date(), place: { room: 9 }, celsius: 9 })
  const { operationTime } = await db.command({ ping: 1 })
  await sleep(1100)
  const content = await contentOf(db)
  await db.collection('weather').insertOne({ at: new Date(), place: { room: 9 }, celsius: 9 })
  await sleep(1100)
  expect(await maker.backup.slice({ storage })).toMatchObject({ source: 'oplog' })
  expect((await maker.backup.prune({ storage })).decisions).toHaveLength(1)
  expect(await maker.backup.status()).toMatchObject({ failures: 0 })
  await expect(maker.backup.restore({ storage, target: { into: 'other' } })).rejects.toMatchObject({
    code: expect.stringMatching(/^(NOT_AUTHORIZED|SETUP_BLOCKED)$/),
  })

  const restorer = await openVolt({
    uri: await secured.createUser('restorer', [
      { role: 'restore', db: 'admin' },
      { role: 'readWriteAnyDatabase', db: 'admin' },
      { role: 'dbAdminAnyDatabase', db: 'admin' },
    ]),
    dbName,
  })
  const to = new Date(operationTime.t * 1000).toISOString()
  expect(await restorer.backup.restore({ storage, to, target: { into: 'looked_at' } })).toMatchObject({ valid: true })
  expect(await contentOf(secured.owner.db('looked_at'))).toEqual(content)
  expect(await restorer.backup.restoreDrill({ storage })).toMatchObject({ valid: true })
  await restorer.backup.restore({ storage, to, target: { inPlace: 'replace' } })
  expect(await contentOf(db)).toEqual(content)
  const merging = await openVolt({ uri: secured.uriOf('restorer'), dbName })
  const merged = { inPlace: 'merge', onConflict: 'skip' } as const
  await merging.backup.restore({ storage, target: merged, collections: ['animals'] })

  const reader = await openVolt({ uri: await secured.createUser('reader', [{ role: 'read', db: dbName }]), dbName })
  await expect(reader.backup.create({ storage })).rejects.toMatchObject({ code: 'NOT_AUTHORIZED' })
}, 600_000)
