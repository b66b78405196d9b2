import type { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { aUser } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const warnings: (readonly unknown[])[] = []
const nothing = () => undefined
const logger = { debug: nothing, info: nothing, error: nothing, warn: (...line: unknown[]) => void warnings.push(line) }
const otherHash = `$2b$10$${'a'.repeat(53)}`
let volt: AutoVolt
let _id: ObjectId

beforeAll(async () => {
  volt = await openVolt(database, { passwords: { rounds: 10 }, logger })
  await volt.setup()
})

beforeEach(async () => {
  warnings.length = 0
  const user = await volt.users.create(aUser({ role: 'faculty', authKeys: ['google:1'] }))
  _id = user._id
  return () => database.db.collection('users').deleteOne({ _id })
})

const stored = () => database.db.collection('users').findOne({ _id })
const model = () => volt.users.model
const refused = { code: 'REPOSITORY_ONLY' }

describe('the Mongoose model of users', () => {
  it.each([
    ['role', 'admin'],
    ['status', 'suspended'],
    ['email', 'other@example.org'],
    ['emailVerifiedAt', new Date(0)],
    ['authKeys', ['google:2']],
    ['password', otherHash],
    ['deletedAt', new Date(0)],
  ])(
    'does not change %s, by whatever call, as nothing would be audited and no session would end',
    async (field, value) => {
      const before = await stored()
      const change = { $set: { [field]: value } }
      const document = await volt.users.getDocument(_id)
      document.set(field, value)
      const calls = [
        () => document.save(),
        () => document.save({ validateBeforeSave: false }),
        () => model().bulkSave([document as never]),
        () => model().updateOne({ _id }, change),
        () => model().updateOne({ _id }, { [field]: value } as object),
        () => model().updateOne({ _id }, [change], { updatePipeline: true }),
        () => model().updateOne({ _id }, { $unset: { [field]: 1 } }),
        () => model().updateOne({ _id }, { $rename: { name: field } } as object),
        () => model().updateMany({ _id }, change),
        () => model().findByIdAndUpdate(_id, change),
        () => model().findOneAndUpdate({ _id }, change, { upsert: true }),
        () => model().bulkWrite([{ updateOne: { filter: { _id }, update: change } }] as never),
        () => model().bulkWrite([{ updateMany: { filter: { _id }, update: [change] } }] as never),
      ]
      for (const call of calls) await expect((async () => call())(), String(call)).rejects.toMatchObject(refused)
      expect(await stored()).toEqual(before)
    },
  )

  it('replaces and removes none', async () => {
    const before = await stored()
    const document = await volt.users.getDocument(_id)
    const calls = [
      () => document.deleteOne(),
      () => model().deleteOne({ _id }),
      () => model().deleteMany({ _id }),
      () => model().findByIdAndDelete(_id),
      () => model().replaceOne({ _id }, aUser() as never),
      () => model().findOneAndReplace({ _id }, aUser() as never),
      () => model().bulkWrite([{ deleteOne: { filter: { _id } } }] as never),
      () => model().bulkWrite([{ replaceOne: { filter: { _id }, replacement: aUser() } }] as never),
    ]
    for (const call of calls) await expect((async () => call())(), String(call)).rejects.toMatchObject(refused)
    expect(await stored()).toEqual(before)
  })

  it('changes everything else, and makes new users', async () => {
    const document = await volt.users.getDocument(_id)
    document.set('profile', { department: 'Physics' })
    await document.save()
    await model().updateOne({ _id }, { $set: { 'profile.phone': '+91 20 1' } })
    expect(await volt.users.get(_id)).toMatchObject({ profile: { department: 'Physics', phone: '+91 20 1' } })
    const created = await model().create(aUser({ role: 'admin' }) as never)
    expect(await volt.users.get((created as { _id: ObjectId })._id)).toMatchObject({ role: 'admin' })
  })

  it('gives a user from before roles none by saving it', async () => {
    await database.db.collection('users').updateOne({ _id }, { $unset: { role: 1 } })
    const document = await volt.users.getDocument(_id)
    document.set('name', 'Another Name')
    await document.save()
    expect(await stored()).toMatchObject({ name: 'Another Name' })
    expect(await stored()).not.toHaveProperty('role')
  })
})

describe('a user who is taken back', () => {
  it('is in the audit log', async () => {
    await volt.users.delete(_id)
    await volt.users.restore(_id)
    const records = await volt.auditLog.find({ entityId: _id }, { sort: { at: 1, _id: 1 } })
    expect(records.map(({ action }) => action)).toEqual(['removed', 'restored'])
  })
})

describe('a wallet’s address with a wrong checksum', () => {
  const wrong = '0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
  const right = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

  it.each([
    ['create', (walletAddress: string) => volt.users.create(aUser({ walletAddress }))],
    ['createMany', (walletAddress: string) => volt.users.createMany([aUser(), aUser({ walletAddress })])],
    ['update', (walletAddress: string) => volt.users.update(_id, { walletAddress })],
    ['upsert', (walletAddress: string) => upsert(walletAddress)],
    ['bulk, creating', (walletAddress: string) => volt.users.bulk([{ create: aUser({ walletAddress }) }])],
    ['bulk, changing', (walletAddress: string) => volt.users.bulk([{ update: _id, changes: { walletAddress } }])],
  ])('is stored by %s, and reported', async (_name, write) => {
    await write(wrong)
    expect(await volt.users.exists({ walletAddress: wrong })).toBe(true)
    expect(warnings).toEqual([[{ entity: 'user', field: 'walletAddress' }, expect.stringContaining('checksum')]])
    expect(JSON.stringify(warnings)).not.toContain(wrong.slice(2))
    await database.db.collection('users').deleteOne({ walletAddress: wrong.toLowerCase() })
  })

  it.each([right, right.toLowerCase()])('is not what %s has', async (walletAddress) => {
    await volt.users.update(_id, { walletAddress })
    expect(warnings).toEqual([])
  })

  function upsert(walletAddress: string) {
    const input = aUser({ walletAddress })
    return volt.users.upsert({ email: input.email }, input)
  }
})
