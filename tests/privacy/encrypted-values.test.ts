import { Binary } from 'mongodb'
import mongoose from 'mongoose'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { AutoVolt } from '../../src/autovolt.js'
import { defineEntity } from '../../src/core/entity.js'
import { binary } from '../../src/core/fields.js'
import { where } from '../../src/core/repository/conditions.js'
import { MemoryStorage } from '../backup/support/memory-storage.js'
import { startBackupServer } from '../backup/support/server.js'
import { aUser, keyRing } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'

const server = await startBackupServer()
/** The subtype of what MongoDB's drivers encrypt. */
const encrypted = (text: string) => new Binary(Buffer.from(text), 6)
const patient = defineEntity({
  name: 'patient',
  collection: 'patients',
  personal: 'none',
  fields: { name: z.string(), insurance: binary() },
  indexes: [{ key: { insurance: 1 }, unique: true, serves: 'a patient by the encrypted number' }],
})

it('values that a host’s client has encrypted are stored, found by equality, and backed up as they are', async () => {
  const dbName = server.newName()
  const connection = await mongoose.createConnection(server.uri, { dbName }).asPromise()
  cleanUpLater(() => connection.destroy())
  const volt = AutoVolt.attach(connection, { hostEntities: [patient], keys: keyRing('first') })
  cleanUpLater(() => volt.close())
  await volt.setup()
  const patients = volt.repository(patient)
  const ada = await patients.create({ name: 'Ada', insurance: encrypted('ciphertext') })
  expect(await patients.findOne({ insurance: encrypted('ciphertext') })).toEqual(ada)
  expect(await patients.count({ insurance: where.in([encrypted('ciphertext'), encrypted('other')]) })).toBe(1)
  await expect(patients.create({ name: 'Eve', insurance: encrypted('ciphertext') })).rejects.toMatchObject({
    code: 'CONFLICT',
  })
  const storage = new MemoryStorage()
  await volt.backup.create({ storage })
  const into = server.newName()
  await volt.backup.restore({ storage, target: { into } })
  const restored = await server.db(into).collection('patients').findOne({ _id: ada._id })
  expect(restored?.insurance).toEqual(encrypted('ciphertext'))
  await expect(volt.users.create(aUser({ name: encrypted('Ada') as never }))).rejects.toMatchObject({
    code: 'VALIDATION',
    issues: [{ path: 'name' }],
  })
  const past = connection.collection('users').insertOne({ name: encrypted('Ada') } as never)
  await expect(past).rejects.toMatchObject({ code: 121 })
}, 300_000)
