import { gunzipSync } from 'node:zlib'
import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineEntity } from '../../src/core/entity.js'
import { objectId } from '../../src/core/fields.js'
import type { SubjectKeyStore } from '../../src/core/subject-keys/subject-key-store.js'
import type { ErasedPerson } from '../../src/privacy/privacy-inputs.js'
import { MemoryStorage } from '../backup/support/memory-storage.js'
import { type BackupServer, startBackupServer } from '../backup/support/server.js'
import { aUser, keyRing } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { openVolt } from '../support/volt.js'

const server = await startBackupServer()
const diagnosis = 'unmistakable influenza'
const visit = defineEntity({
  name: 'visit',
  collection: 'visits',
  fields: { patient: objectId(), note: z.string().optional(), endedAt: z.date().optional() },
  secrets: { diagnosis: z.string().optional(), code: z.string().optional() },
  immutable: ['patient'],
  sealedFor: { diagnosis: 'patient' },
  personal: {
    subjects: { patient: { onErasure: 'anonymise' } },
    mentions: { in: ['note'], onErasure: 'replace' },
    notPersonal: ['endedAt', 'code'],
  },
  indexes: [{ key: { patient: 1 }, serves: 'the visits of a patient' }],
})

async function opened(options: Partial<Parameters<typeof openVolt>[1]> = {}, of: BackupServer = server) {
  const dbName = of.newName()
  const volt = await openVolt({ uri: of.uri, dbName }, { hostEntities: [visit], ...options })
  await volt.setup()
  cleanUpLater(async () => void (await of.db(`${dbName}_keys`).dropDatabase()))
  const ada = await volt.users.create(aUser())
  return { volt, dbName, visits: volt.repository(visit), ada: ada._id, raw: of.db(dbName).collection('visits') }
}

describe('a field that is sealed for a person', () => {
  it('is read and written like any other sealed field, by every call', async () => {
    const { visits, ada, raw, dbName } = await opened()
    const { _id } = await visits.create({ patient: ada, diagnosis, code: 'c' })
    expect(await visits.revealSecret(_id, 'diagnosis')).toBe(diagnosis)
    expect(await raw.findOne({ _id })).toMatchObject({
      diagnosis: expect.stringMatching(/^as1\./),
      code: expect.stringMatching(/^av1\.first\./),
    })
    await visits.update(_id, { diagnosis: 'second' })
    expect(await visits.revealSecret(_id, 'diagnosis')).toBe('second')
    await visits.upsert({ _id } as never, { _id, patient: ada, diagnosis: 'third' })
    expect(await visits.revealSecret(_id, 'diagnosis')).toBe('third')
    await visits.bulk([{ update: _id, changes: { diagnosis: 'fourth' } }])
    expect(await visits.revealSecret(_id, 'diagnosis')).toBe('fourth')
    const others = await visits.createMany([
      { patient: new ObjectId(), diagnosis: 'a' },
      { patient: ada, diagnosis: 'b' },
    ])
    expect(await Promise.all(others.map((one) => visits.revealSecret(one._id, 'diagnosis')))).toEqual(['a', 'b'])
    expect(await server.db(`${dbName}_keys`).collection('subject_keys').countDocuments()).toBe(2)
    expect(JSON.stringify([await visits.find(), others])).not.toMatch(/diagnosis|as1\./)
    await expect(visits.update(new ObjectId(), { diagnosis })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('has one key, however many writers are first', async () => {
    const { visits, ada } = await opened()
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, at) => visits.create({ patient: ada, diagnosis: `d${at}` })),
    )
    const read = await Promise.all(made.map(({ _id }) => visits.revealSecret(_id, 'diagnosis')))
    expect(read).toEqual(made.map((_, at) => `d${at}`))
  })

  it('is readable after the key ring was changed, and what the ring had sealed before is sealed for the person', async () => {
    const { volt, visits, ada, raw, dbName } = await opened()
    const one = await visits.create({ patient: ada, diagnosis })
    const before = defineEntity({
      name: 'visit',
      collection: 'visits',
      fields: { patient: objectId() },
      secrets: { diagnosis: z.string().optional() },
    })
    const old = await openVolt({ uri: server.uri, dbName }, { hostEntities: [before] })
    const other = await old.repository(before).create({ patient: ada, diagnosis: 'from before' })
    expect(await visits.revealSecret(other._id, 'diagnosis')).toBe('from before')
    const rotated = await openVolt(
      { uri: server.uri, dbName },
      { hostEntities: [visit], keys: keyRing('second', 'first') },
    )
    expect(await rotated.resealSecrets()).toBe(1)
    expect(await raw.countDocuments({ diagnosis: /^as1\./ })).toBe(2)
    const later = await openVolt({ uri: server.uri, dbName }, { hostEntities: [visit], keys: keyRing('second') })
    expect(await later.repository(visit).revealSecret(one._id, 'diagnosis')).toBe(diagnosis)
    expect(await later.repository(visit).revealSecret(other._id, 'diagnosis')).toBe('from before')
    await volt.close()
  })

  it('is an error, and not erased, where the keys are those of another store, or were moved', async () => {
    const { visits, ada, raw, dbName } = await opened()
    const { _id } = await visits.create({ patient: ada, diagnosis })
    const elsewhere = await openVolt(
      { uri: server.uri, dbName },
      { hostEntities: [visit], subjectKeys: { database: `${dbName}_other` } },
    )
    await expect(elsewhere.repository(visit).revealSecret(_id, 'diagnosis')).rejects.toMatchObject({
      code: 'KEY_RING',
      message: 'The key of the person is not in the store of keys that the handle has',
    })
    const [moved] = await visits.createMany([{ patient: ada, diagnosis: 'x' }])
    const stored = await raw.findOne({ _id })
    await raw.updateOne({ _id: moved?._id ?? _id }, { $set: { diagnosis: stored?.diagnosis } })
    await expect(visits.revealSecret(moved?._id ?? '', 'diagnosis')).rejects.toMatchObject({ code: 'KEY_RING' })
  })
})

describe('an erasure', () => {
  it('destroys the key: backups from before cannot be read, with all keys of the ring at hand', async () => {
    const { volt, visits, ada, raw, dbName } = await opened()
    const { _id } = await visits.create({ patient: ada, diagnosis })
    const bob = await volt.users.create(aUser())
    const kept = await visits.create({ patient: bob._id, diagnosis: 'broken arm' })
    const storage = new MemoryStorage()
    await volt.backup.create({ storage })
    const dump = await raw.find().toArray()
    const report = await volt.privacy.erase(ada, { reason: 'a request' })
    expect(report).toMatchObject({ state: 'done', keyDestroyedAt: expect.any(Date) })
    expect(await raw.findOne({ _id })).not.toHaveProperty('diagnosis')

    const bytes = [...storage.files].map(([path, file]) => (path.endsWith('.gz') ? gunzipSync(file) : file))
    expect(bytes.some((file) => file.includes(diagnosis))).toBe(false)
    expect([...storage.files.keys()].some((path) => path.includes('subject_keys'))).toBe(false)

    // As the backup had it, read by whoever has the keys of the ring and the place of the persons' keys.
    await raw.deleteMany({})
    await raw.insertMany(dump)
    expect(await visits.revealSecret(_id, 'diagnosis')).toBeNull()
    expect(await visits.revealSecret(kept._id, 'diagnosis')).toBe('broken arm')
    await expect(visits.update(_id, { diagnosis: 'new' })).rejects.toMatchObject({ code: 'CONFLICT' })

    const restored = await volt.backup.restore({ storage, target: { inPlace: 'replace' } })
    expect(restored).toMatchObject({ erasedAgain: 1 })
    const after = await openVolt({ uri: server.uri, dbName }, { hostEntities: [visit] })
    expect(await after.repository(visit).revealSecret(kept._id, 'diagnosis')).toBe('broken arm')
    expect(await raw.findOne({ _id })).not.toHaveProperty('diagnosis')
  }, 300_000)

  it('is repeated with keys that were put back', async () => {
    const { volt, visits, ada, raw, dbName } = await opened()
    const { _id } = await visits.create({ patient: ada, diagnosis })
    const keys = server.db(`${dbName}_keys`).collection('subject_keys')
    const [copies, dump] = [await keys.find().toArray(), await raw.find().toArray()]
    await volt.privacy.erase(ada, { reason: 'a request' })
    const list: ErasedPerson[] = []
    for await (const person of volt.privacy.erased()) list.push(person)
    expect(list).toMatchObject([{ keyDestroyedAt: expect.any(Date) }])
    for (const known of [true, false]) {
      await keys.deleteMany({})
      await keys.insertMany(copies)
      await raw.deleteMany({})
      await raw.insertMany(dump)
      expect(await visits.revealSecret(_id, 'diagnosis')).toBe(diagnosis)
      if (!known) await server.db(dbName).collection('privacy_erasures').deleteMany({})
      await volt.privacy.repeat(known ? [] : list)
      expect(await visits.revealSecret(_id, 'diagnosis')).toBeNull()
    }
  })

  it('leaves the key while documents with such fields are kept, and destroys it when these are due', async () => {
    const keeping = visit.inCollection('kept_visits')
    const subjects = {
      patient: {
        onErasure: 'anonymise' as const,
        keep: { reason: 'ten years', since: 'endedAt', days: 3_650 },
      },
    }
    const entity = { ...keeping, personal: { subjects, notPersonal: ['endedAt', 'code'] } }
    const { volt, ada, dbName } = await opened({ hostEntities: [entity] })
    const visits = volt.repository(entity)
    const { _id } = await visits.create({ patient: ada, diagnosis, endedAt: new Date() })
    const report = await volt.privacy.erase(ada, { reason: 'a request' })
    expect(report).toMatchObject({ state: 'waiting', keyDestroyedAt: undefined })
    expect(await visits.revealSecret(_id, 'diagnosis')).toBe(diagnosis)
    const past = { endedAt: new Date(0) }
    await server.db(dbName).collection('kept_visits').updateOne({ _id }, { $set: past })
    await server
      .db(dbName)
      .collection('privacy_erasures')
      .updateMany({}, { $set: { dueAt: new Date(0) } })
    expect(await volt.privacy.resume()).toMatchObject([{ state: 'done', keyDestroyedAt: expect.any(Date) }])
  })

  it('works with a store of keys of the host’s own, whose failure is no erasure', async () => {
    const keys = new Map<string, string | null>()
    let isDown = false
    const look = <Found>(find: () => Found): Promise<Found> =>
      isDown ? Promise.reject(new Error('the vault is closed')) : Promise.resolve(find())
    const store: SubjectKeyStore = {
      read: (subjects) =>
        look(() => new Map(subjects.flatMap((one) => (keys.has(one) ? [[one, keys.get(one) ?? null] as const] : [])))),
      write: (subject, key, before) =>
        look(() => {
          if (keys.get(subject) === before) keys.set(subject, key)
          return keys.get(subject) ?? null
        }),
      destroy: (subject) => look(() => void keys.set(subject, null)),
    }
    const { volt, visits, ada, raw } = await opened({ subjectKeys: store })
    const { _id } = await visits.create({ patient: ada, diagnosis })
    expect([...keys.values()]).toEqual([expect.stringMatching(/^av1\.first\./)])
    expect([...keys.keys()].join()).not.toContain(ada.toHexString())
    const dump = await raw.find().toArray()
    isDown = true
    await expect(visits.revealSecret(_id, 'diagnosis')).rejects.toThrow('the vault is closed')
    await expect(visits.create({ patient: ada, diagnosis })).rejects.toThrow('the vault is closed')
    await expect(volt.privacy.erase(ada, { reason: 'a request' })).rejects.toThrow('the vault is closed')
    isDown = false
    expect(await volt.privacy.resume()).toMatchObject([{ state: 'done', keyDestroyedAt: expect.any(Date) }])
    await raw.deleteMany({})
    await raw.insertMany(dump)
    expect(await visits.revealSecret(_id, 'diagnosis')).toBeNull()
  })
})

describe('a declaration is refused', () => {
  const secrets = { diagnosis: z.string().optional() }
  const subjects = { patient: { onErasure: 'anonymise' as const } }
  const good = {
    name: 'visit',
    collection: 'visits',
    fields: { patient: objectId(), doctors: z.array(objectId()).default([]) },
    secrets,
    immutable: ['patient'],
    sealedFor: { diagnosis: 'patient' },
    personal: { subjects },
  }
  it.each([
    ['of what is not sealed', { sealedFor: { doctors: 'patient' } }, 'it is not a sealed field'],
    ['for nobody who is declared', { personal: {} }, 'does not have patient'],
    ['for somebody who may change', { immutable: [] }, 'patient has to be immutable'],
    [
      'for several people',
      { sealedFor: { diagnosis: 'doctors' }, personal: { subjects: { doctors: { onErasure: 'delete' } } } },
      'doctors is not one person',
    ],
    ['that cannot be deleted', { secrets: { diagnosis: z.string() } }, 'is not optional'],
    ['with a blind index', { blindIndexes: { diagnosis: {} } }, 'blind index'],
    [
      'whose words are searched',
      { personal: { subjects, mentions: { in: ['diagnosis'], onErasure: 'replace' } } },
      'words',
    ],
  ])('%s', (_, part, message) => {
    expect(() => defineEntity({ ...good, ...part } as never)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringContaining(message) }),
    )
  })
})

it('a new document has to say whom it is about', async () => {
  const entity = visit.extend({ fields: {}, personal: 'none' }).inCollection('others')
  const { volt } = await opened({ hostEntities: [entity] })
  await expect(volt.repository(entity).create({ diagnosis } as never)).rejects.toMatchObject({ code: 'VALIDATION' })
})
