import { expect, it } from 'vitest'
import { MemoryStorage } from '../backup/support/memory-storage.js'
import { startBackupServer } from '../backup/support/server.js'
import { aUser } from '../support/builders.js'
import { openVolt } from '../support/volt.js'
import { adaFields, marksInDatabase, plantEverywhere } from './support/ada.js'

const server = await startBackupServer()

it('a backup from before an erasure brings nobody back, in place and in a new database', async () => {
  const dbName = server.newName()
  const volt = await openVolt({ uri: server.uri, dbName })
  await volt.setup()
  const { _id: ada } = await volt.users.create(adaFields)
  const other = await volt.users.create(aUser())
  await volt.notifications.send({ user: ada, kind: 'hello', title: 'Hello' })
  await plantEverywhere(volt, server.db(dbName), ada)
  const storage = new MemoryStorage()
  await volt.backup.create({ storage })
  await volt.privacy.erase(ada, { reason: 'a request' })
  const into = server.newName()
  const copied = await volt.backup.restore({ storage, target: { into } })
  expect(copied).toMatchObject({ erasedAgain: 1 })
  expect(await marksInDatabase(ada, server.db(into))).toEqual([])
  const replaced = await volt.backup.restore({ storage, target: { inPlace: 'replace' } })
  expect(replaced).toMatchObject({ erasedAgain: 1 })
  expect(await marksInDatabase(ada, server.db(dbName))).toEqual([])
  const restored = await openVolt({ uri: server.uri, dbName })
  expect(await restored.users.get(other._id)).toMatchObject({ email: other.email })
  const merged = await restored.backup.restore({
    storage,
    target: { inPlace: 'merge', onConflict: 'skip' },
    collections: ['users'],
  })
  expect(merged).toMatchObject({ erasedAgain: 1 })
  expect(await marksInDatabase(ada, server.db(dbName))).toEqual([])
}, 300_000)
