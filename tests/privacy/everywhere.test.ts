import { gunzipSync } from 'node:zlib'
import { ObjectId } from 'mongodb'
import { expect, it } from 'vitest'
import { generateLogKeys } from '../../src/ledger/log/signed-note.js'
import { MemoryStorage } from '../backup/support/memory-storage.js'
import { startBackupServer } from '../backup/support/server.js'
import { anEvent } from '../ledger/support/events.js'
import { aClassroom, aDevice, aUser, keyRing } from '../support/builders.js'
import { openVolt } from '../support/volt.js'
import { adaFields, marksIn, marksInDatabase, marksOf, password, plantEverywhere } from './support/ada.js'

const server = await startBackupServer()
const { signerKey } = generateLogKeys('school.example/energy')
const options = { keys: keyRing('first'), ledgerLog: { signerKeys: [signerKey] } }

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}

it('no byte of a dump or of the exported ledger names a person who was erased, whatever named the person before', async () => {
  const dbName = server.newName()
  const db = server.db(dbName)
  const volt = await openVolt({ uri: server.uri, dbName }, options)
  await volt.setup()
  const ada = await volt.users.create({ ...adaFields, password })
  const other = await volt.users.create(aUser())
  await volt.auditLog.withActor({ actor: String(ada._id), ip: '192.0.2.7' }, async () => {
    await volt.users.update(ada._id, { email: 'ada.king@example.org' })
    await volt.users.update(ada._id, { email: adaFields.email })
    await volt.users.update(other._id, { role: 'faculty' })
  })
  await volt.signIn.withPassword(adaFields.email, password, { ip: '192.0.2.7' })
  await volt.signIn.requestPasswordReset(adaFields.email)
  await volt.userPreferences.changeForUser(ada._id, { theme: 'dark' })
  await volt.notifications.send({ user: ada._id, kind: 'hello', title: 'Hello' })
  await volt.notifications.send({
    user: other._id,
    kind: 'joined',
    title: `${adaFields.name} has joined`,
    about: { entity: 'user', id: ada._id },
  })
  const room = await volt.classrooms.create(aClassroom())
  const location = { text: adaFields.address.street }
  const device = await volt.devices.create(
    aDevice({
      name: `${adaFields.name}’s charger`,
      owner: ada._id,
      classroom: room._id,
      location,
      wifiPassword: 'long enough',
    }),
  )
  const [relay] = device.switches
  const own = { deviceId: device._id, switchId: relay?._id ?? new ObjectId(), classroom: room._id }
  const [noted] = await volt.ledger.append([
    { ...anEvent(own), notes: `switched by ${adaFields.name}`, personal: { user: String(ada._id) } },
    { ...anEvent({ ...own, timestamp: new Date('2026-03-01T10:01:00Z') }), notes: 'by nobody' },
  ])
  await volt.ledger.checkpoint()
  const planted = await plantEverywhere(volt, db, ada._id)
  expect(planted.length).toBeGreaterThan(30)
  const before = await marksInDatabase(ada._id, db)
  expect(new Set(before.map((place) => place.split(': ')[1]))).toEqual(new Set(marksOf(ada._id).keys()))
  expect(await textOf(volt.ledger.export({ personalData: true }))).toContain(adaFields.name)

  const report = await volt.privacy.erase(ada._id, { reason: `request of ${adaFields.name}` })

  expect(report).toMatchObject({ state: 'done', notDeclared: [] })
  expect(report.collections.filter(({ unresolved }) => unresolved > 0)).toEqual([])
  expect(report.collections.map(({ collection }) => collection)).toEqual(
    expect.arrayContaining(planted.filter((name) => name !== 'ledger_personal_data')),
  )
  expect(await marksInDatabase(ada._id, db)).toEqual([])
  const storage = new MemoryStorage()
  await volt.backup.create({ storage })
  for (const [path, content] of storage.files) {
    const bytes = path.endsWith('.gz') ? gunzipSync(content) : content
    expect([path, marksIn(ada._id, bytes)]).toEqual([path, []])
  }
  await volt.ledger.checkpoint()
  const exported = await textOf(volt.ledger.export({ personalData: true }))
  expect(marksIn(ada._id, Buffer.from(exported))).toEqual([])
  expect(exported).toContain('by nobody')
  expect((await volt.ledger.verify()).findings).toEqual([])
  expect(await volt.ledger.personalDataOf(noted?.entry._id ?? '')).toBeNull()
  expect(await volt.users.get(other._id)).toMatchObject({ role: 'faculty' })
  const [told] = await volt.notifications.find({ user: other._id, kind: 'joined' })
  expect(told?.title).toMatch(/^erased-\S* has joined$/)
  expect(await volt.devices.get(device._id)).toMatchObject({ name: expect.stringMatching(/^erased-\S*’s charger$/) })
  expect(await volt.devices.findOne({ owner: ada._id })).toBeNull()
  await expect(textOf(volt.privacy.export(ada._id))).rejects.toMatchObject({ code: 'NOT_FOUND' })
}, 180_000)
