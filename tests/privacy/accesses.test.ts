import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineEntity } from '../../src/core/entity.js'
import { objectId } from '../../src/core/fields.js'
import { defaultAccessRules } from '../../src/identity/access/default-rules.js'
import { aDevice, aUser } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const visit = defineEntity({
  name: 'visit',
  collection: 'visits',
  fields: { patient: objectId(), doctors: z.array(objectId()).default([]), note: z.string(), room: z.string() },
  secrets: { diagnosis: z.string().optional() },
  personal: {
    subjects: { patient: { onErasure: 'delete document' }, doctors: { onErasure: 'delete' } },
    notPersonal: ['room'],
  },
})

async function opened(options: object = { dataAccessLog: {} }) {
  const volt = await openVolt(database, { hostEntities: [visit], ...options })
  await volt.setup()
  await database.db.collection('data_accesses').deleteMany({})
  const admin = await volt.users.create(aUser({ role: 'super-admin' }))
  const ada = await volt.users.create(aUser())
  return { volt, admin, ada, mine: volt.as(admin) }
}

describe('the log of data accesses', () => {
  it('is off by default', async () => {
    const { volt, ada, mine } = await opened({})
    await mine.users.get(ada._id)
    await volt.close()
    expect(await database.db.collection('data_accesses').countDocuments()).toBe(0)
  })

  it('says who has read what of whom, how often, and never a value', async () => {
    const { volt, admin, ada, mine } = await opened()
    await mine.users.get(ada._id)
    await mine.users.find({ _id: ada._id }, { select: ['name'] })
    await volt.devices.createMany([aDevice({ owner: ada._id }), aDevice({ owner: ada._id }), aDevice()])
    expect((await mine.devices.find({}, { select: ['name', 'owner'] })).length).toBeGreaterThan(2)
    const device = { reader: admin._id, subject: ada._id, entity: 'device', documents: 2 }
    await expect
      .poll(() => volt.privacy.accesses(ada._id), { timeout: 10_000 })
      .toMatchObject([device, { reader: admin._id, subject: ada._id, entity: 'user', documents: 1 }])
    const [of, user] = await volt.privacy.accesses(ada._id)
    expect(of?.fields).toContain('owner')
    expect(user?.fields).toEqual(expect.arrayContaining(['name', 'email']))
    expect(user?.hour.getTime()).toBeLessThanOrEqual(user?.lastAt.getTime() ?? 0)
    const stored = JSON.stringify(await database.db.collection('data_accesses').find().toArray())
    expect(stored).not.toContain(ada.email)
    expect(stored).not.toContain(ada.name)
  })

  it('is there for reads that leave out whose it is, streams and updates; not for what is personal to nobody', async () => {
    const { volt, admin, ada } = await opened({
      dataAccessLog: {},
      access: {
        rules: [...defaultAccessRules, { role: 'super-admin', entity: 'visit', action: 'read', scope: 'all' }],
      },
    })
    const doctor = await volt.users.create(aUser())
    const visits = volt.repository(visit)
    const { _id } = await visits.create({ patient: ada._id, doctors: [doctor._id], note: 'n', room: 'r' })
    const mine = volt.as(admin).repository(visit)
    await mine.find({}, { select: ['room'] })
    await mine.count()
    await mine.exists({ _id })
    await mine.find({}, { select: ['note'] })
    for await (const one of mine.stream()) expect(one._id).toEqual(_id)
    const expected = [{ entity: 'visit', documents: 1, fields: expect.arrayContaining(['note']) }]
    await expect.poll(() => volt.privacy.accesses(ada._id), { timeout: 10_000 }).toMatchObject(expected)
    expect(await volt.privacy.accesses(doctor._id)).toMatchObject(expected)
    expect(JSON.stringify(await volt.privacy.accesses(ada._id))).not.toMatch(/room|diagnosis/)
  })

  it('leaves out what people read of themselves, and adds up what is read again in the hour', async () => {
    const { volt, admin, ada, mine } = await opened()
    await mine.users.get(admin._id)
    await mine.users.get(ada._id)
    await expect.poll(() => volt.privacy.accesses(ada._id), { timeout: 10_000 }).toHaveLength(1)
    await mine.users.get(ada._id)
    await volt.close()
    const stored = await database.db.collection('data_accesses').find().toArray()
    expect(stored.every(({ subject }) => ada._id.equals(subject))).toBe(true)
    expect(stored.reduce((sum, { documents }) => sum + Number(documents), 0)).toBe(2)
  })

  it('is in the export of a person, and goes with the person', async () => {
    const { volt, admin, ada, mine } = await opened()
    await mine.users.get(ada._id)
    await expect.poll(() => volt.privacy.accesses(ada._id), { timeout: 10_000 }).toHaveLength(1)
    let json = ''
    for await (const piece of volt.privacy.export(ada._id)) json += piece
    const held = (JSON.parse(json) as { documents: { collection: string; document: object }[] }).documents
    const [access] = held.filter(({ collection }) => collection === 'data_accesses')
    expect(access?.document).toMatchObject({ reader: 'another person', entity: 'user', documents: 1 })
    await volt.privacy.erase(ada._id, { reason: 'a request' })
    const left = await database.db.collection('data_accesses').find({ subject: ada._id }).toArray()
    expect(left).toEqual([])
    await mine.users.get(admin._id)
  })

  it('is bounded, and fails no read', async () => {
    const logged: string[] = []
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: (_: object, message: string) => void logged.push(message),
      error: () => undefined,
    }
    const { volt, ada, mine } = await opened({ dataAccessLog: { maximumRecords: 1 }, logger })
    const other = await volt.users.create(aUser())
    await mine.users.get(ada._id)
    await expect.poll(() => volt.privacy.accesses(ada._id), { timeout: 10_000 }).toHaveLength(1)
    await mine.users.get(other._id)
    await expect.poll(() => logged, { timeout: 10_000 }).toContain('the log of data accesses is full')
    expect(await volt.privacy.accesses(other._id)).toEqual([])
    await database.db.collection('data_accesses').drop()
    await database.db.createCollection('data_accesses', { validator: { never: true } })
    expect((await mine.users.get(other._id))._id).toEqual(other._id)
    await expect.poll(() => logged.join(), { timeout: 10_000 }).toContain('could not be recorded')
    await database.db.collection('data_accesses').drop()
  })

  it('is asked for by hours, and by who may', async () => {
    const { volt, admin, ada, mine } = await opened()
    await mine.users.get(ada._id)
    await expect.poll(() => mine.privacy.accesses(ada._id), { timeout: 10_000 }).toHaveLength(1)
    const now = Date.now()
    expect(await volt.privacy.accesses(ada._id, { from: new Date(now + 7_200_000) })).toEqual([])
    expect(await volt.privacy.accesses(ada._id, { to: new Date(now - 7_200_000) })).toEqual([])
    await expect(volt.privacy.accesses(ada._id, { limit: 0 })).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(volt.as(ada).privacy.accesses(admin._id)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
    await expect(openVolt(database, { dataAccessLog: { maximumRecords: 0 } })).rejects.toMatchObject({
      code: 'CONFIGURATION',
    })
  })
})
