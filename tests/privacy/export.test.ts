import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { aDevice, aUser } from '../support/builders.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'
import { adaFields, plantEverywhere } from './support/ada.js'

interface Exported {
  readonly person: string
  readonly notDeclared: readonly string[]
  readonly documents: readonly {
    collection: string
    entity: string
    because: string
    document: Record<string, unknown>
  }[]
}

const database = testDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}

const exported = async (user: Parameters<AutoVolt['privacy']['export']>[0]): Promise<Exported> =>
  JSON.parse(await textOf(volt.privacy.export(user)))

describe('an export', () => {
  it('has what is held about a person from every collection, and nobody else', async () => {
    const ada = await volt.users.create({ ...adaFields, password: 'analytical engine 1843' })
    const other = await volt.users.create(aUser({ name: 'Charles Babbage' }))
    await volt.devices.create(aDevice({ owner: ada._id, assignedUsers: [other._id], wifiPassword: 'long enough' }))
    await volt.devices.create(aDevice({ owner: other._id, name: 'the other device' }))
    await volt.notifications.send({
      user: other._id,
      kind: 'met',
      title: `You met ${adaFields.name}`,
      body: 'of Charles Babbage',
    })
    const { person, documents } = await exported(ada._id)
    expect(person).toBe(String(ada._id))
    expect(documents[0]).toMatchObject({
      collection: 'users',
      entity: 'user',
      because: '_id',
      document: { email: adaFields.email },
    })
    const device = documents.find(({ collection }) => collection === 'devices')
    expect(device).toMatchObject({
      because: 'owner',
      document: { owner: String(ada._id), assignedUsers: ['another person'] },
    })
    const told = documents.find(({ collection }) => collection === 'notifications')
    expect(told).toMatchObject({ because: 'texts', document: { title: `You met ${adaFields.name}` } })
    const text = JSON.stringify(documents)
    for (const foreign of ['Charles Babbage', other.email, String(other._id), 'the other device', '$2b$', 'av1.'])
      expect(text).not.toContain(foreign)
    expect(await volt.auditLog.find({ action: 'exported' })).toMatchObject([{ entityId: ada._id }])
  })

  it('has each document once, whatever names the person in it', async () => {
    const ada = await volt.users.create(aUser({ name: 'Ada Byron' }))
    await volt.devices.create(aDevice({ name: 'of Ada Byron', owner: ada._id, assignedUsers: [ada._id] }))
    const { documents } = await exported(ada._id)
    expect(documents.map(({ collection }) => collection).toSorted()).toEqual(['audit_logs', 'devices', 'users'])
  })

  it('is a page in which nothing that people have written is code', async () => {
    const bold = '<b onclick="x()">Ada & \'co\'</b>'
    const { _id } = await volt.users.create(aUser({ name: bold }))
    const page = await textOf(volt.privacy.exportHtml(_id))
    expect(page).toMatch(/^<!doctype html>/)
    expect(page).toContain('&lt;b onclick=&quot;x()&quot;&gt;Ada &amp; &#39;co&#39;&lt;/b&gt;')
    expect(page).not.toContain('<b ')
    expect(page).toMatch(/<th>email<\/th><td>user-[0-9a-f]+@example.org<\/td>/)
    expect(page.trim().endsWith('</html>')).toBe(true)
  })

  it('finds all that an erasure would', async () => {
    const other = testDatabase()
    const planting = await openVolt(other)
    await planting.setup()
    const { _id } = await planting.users.create(adaFields)
    const planted = await plantEverywhere(planting, other.db, _id)
    const { documents } = JSON.parse(await textOf(planting.privacy.export(_id))) as Exported
    const found = new Set(documents.map(({ collection }) => collection))
    expect(planted.filter((name) => !found.has(name))).toEqual([])
  })

  it('is refused of nobody', async () => {
    await expect(textOf(volt.privacy.export('nobody'))).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(textOf(volt.privacy.exportHtml('0123456789abcdef01234567'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})
