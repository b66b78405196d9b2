import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AutoVolt } from '../../src/autovolt.js'
import { defineEntity } from '../../src/core/entity.js'
import { objectId } from '../../src/core/fields.js'
import { personHash } from '../../src/core/person-hash.js'
import { aUser } from '../support/builders.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const invoice = defineEntity({
  name: 'invoice',
  collection: 'invoices',
  personal: {
    subjects: {
      customer: {
        onErasure: 'delete document',
        keep: { reason: 'invoices are kept for ten years', since: 'issuedAt', days: 3650 },
      },
    },
  },
  fields: { customer: objectId(), issuedAt: z.date() },
  indexes: [{ key: { customer: 1 }, serves: 'the invoices of somebody' }],
})
const letter = defineEntity({ name: 'letter', collection: 'letters', fields: { to: objectId() } })
const survey = defineEntity({
  name: 'survey',
  collection: 'surveys',
  personal: { subjects: { answeredBy: { onErasure: 'delete' } } },
  fields: { answeredBy: z.array(objectId()), places: z.string().optional() },
})

const database = testDatabase()
const start = new Date('2026-11-30T10:00:00Z')
let now = start
const clock = { now: () => now }
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { clock, hostEntities: [invoice, letter, survey] })
  await volt.setup()
})

const reason = 'a request'

describe('an erasure', () => {
  it('says what it found, what nobody declared, and what it did not search for', async () => {
    const { _id } = await volt.users.create(aUser({ name: 'Bo' }))
    await volt.userPreferences.changeForUser(_id, { theme: 'dark' })
    await volt.repository(survey).create({ answeredBy: [new ObjectId(), _id] })
    await volt.repository(survey).create({ answeredBy: [new ObjectId()], places: 'Bo ate there' })
    const report = await volt.privacy.erase(_id, { reason })
    expect(report).toMatchObject({
      state: 'done',
      reason,
      notDeclared: ['letters', 'surveys.places'],
      notSearched: ['name'],
    })
    const by = Object.fromEntries(report.collections.map(({ collection, ...rest }) => [collection, rest]))
    expect(by.users).toMatchObject({ deleted: 1, anonymised: 0, isDone: true })
    expect(by.user_preferences).toMatchObject({ deleted: 1 })
    expect(by.surveys).toMatchObject({ entity: 'survey', deleted: 0, anonymised: 1 })
    expect((await volt.repository(survey).find({})).map(({ answeredBy }) => answeredBy.length)).toEqual([1, 1])
  })

  it('is audited without saying whom', async () => {
    const { _id } = await volt.users.create(aUser())
    const { id } = await volt.auditLog.withActor({ actor: 'officer' }, () => volt.privacy.erase(_id, { reason }))
    const records = await volt.auditLog.find({ entityId: id })
    expect(records.map(({ action, actor }) => [action, actor]).toSorted()).toEqual([
      ['erased', 'privacy'],
      ['erasure_started', 'officer'],
    ])
    const stored = await database.db.collection('privacy_erasures').findOne({ _id: id })
    expect(stored).toMatchObject({ subject: personHash(_id), state: 'done' })
    expect(JSON.stringify(stored)).not.toContain(String(_id))
  })

  it('of who asks for it leaves no trace of the one who asked', async () => {
    const { _id } = await volt.users.create(aUser())
    await volt.auditLog.withActor({ actor: String(_id), ip: '192.0.2.9' }, () => volt.privacy.erase(_id, { reason }))
    expect(await volt.auditLog.count({ actor: String(_id) })).toBe(0)
    expect(JSON.stringify(await database.db.collection('audit_logs').find().toArray())).not.toContain('192.0.2.9')
  })

  it('keeps what has to be kept, says so, and takes it up when its time is over', async () => {
    const { _id } = await volt.users.create(aUser())
    const issue = (issuedAt: string) => volt.repository(invoice).create({ customer: _id, issuedAt: new Date(issuedAt) })
    await issue('2010-01-01T00:00:00Z')
    await issue('2020-01-01T00:00:00Z')
    await issue('2026-01-01T00:00:00Z')
    const report = await volt.privacy.erase(_id, { reason })
    expect(report).toMatchObject({
      state: 'waiting',
      collections: expect.arrayContaining([
        expect.objectContaining({
          collection: 'invoices',
          deleted: 1,
          kept: 2,
          keptFor: ['invoices are kept for ten years'],
          keptUntil: new Date(Date.parse('2026-01-01T00:00:00Z') + 3650 * 86_400_000),
        }),
      ]),
    })
    expect(await volt.privacy.resume()).toEqual([])
    now = new Date('2036-06-01T00:00:00Z')
    const [taken] = await volt.privacy.resume()
    expect(taken).toMatchObject({ id: report.id, state: 'done' })
    expect(taken?.collections).toEqual(
      expect.arrayContaining([expect.objectContaining({ collection: 'invoices', deleted: 3, kept: 0 })]),
    )
    expect(await volt.repository(invoice).count({ customer: _id })).toBe(0)
    now = start
  })

  it('is refused for nobody, for bad options, and while another process erases', async () => {
    await expect(volt.privacy.erase(new ObjectId(), { reason })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(volt.privacy.erase('somebody', { reason })).rejects.toMatchObject({ code: 'VALIDATION' })
    const { _id } = await volt.users.create(aUser())
    await expect(volt.privacy.erase(_id, { reason: ' ' })).rejects.toMatchObject({ code: 'VALIDATION' })
    const second = await openVolt(database, { hostEntities: [invoice, letter, survey] })
    const ends = await Promise.allSettled([volt.privacy.erase(_id, { reason }), second.privacy.erase(_id, { reason })])
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason.code] : []))
    expect(refused.every((code) => code === 'LEASE_LOST' || code === 'NOT_FOUND')).toBe(true)
    expect(await volt.users.findOne({ _id })).toBeNull()
  })

  it('waits until open orders are cancelled, and changes nothing before', async () => {
    const { _id } = await volt.users.create(aUser())
    const order = { user: _id, isOpen: true }
    await database.db.collection('market_orders').insertOne(order, { bypassDocumentValidation: true })
    await expect(volt.privacy.erase(_id, { reason })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('open orders'),
    })
    expect(await volt.users.get(_id)).toMatchObject({ status: 'active' })
    await database.db
      .collection('market_orders')
      .updateOne({ user: _id }, { $set: { isOpen: false } }, { bypassDocumentValidation: true })
    expect(await volt.privacy.erase(_id, { reason })).toMatchObject({ state: 'done' })
  })
})

describe('what retention has archived', () => {
  it('is erased and exported as what it was', async () => {
    const { _id } = await volt.users.create(aUser())
    const other = new ObjectId()
    const records = [_id, other].map((entityId) => ({
      entityId,
      entity: 'user',
      action: 'changed',
      at: new Date(0),
      after: { a: 1 },
    }))
    await database.db.collection('audit_logs').insertMany(records)
    await volt.retention.run([
      { name: 'old', collection: 'audit_logs', field: 'at', olderThanDays: 100, archiveTo: 'old_audit' },
    ])
    let text = ''
    for await (const piece of volt.privacy.export(_id)) text += piece
    expect(text).toContain('old_audit')
    const { collections } = await volt.privacy.erase(_id, { reason })
    expect(collections).toContainEqual(expect.objectContaining({ collection: 'old_audit', anonymised: 1 }))
    const left = await database.db.collection('old_audit').find().toArray()
    expect(left.map(({ entityId, after }) => [String(entityId) === String(other), after])).toEqual(
      expect.arrayContaining([
        [true, { a: 1 }],
        [false, undefined],
      ]),
    )
    expect(left.map(({ entityId }) => String(entityId))).not.toContain(String(_id))
  })
})

describe('a hold', () => {
  it('stops an erasure with its reason, until it is released or over', async () => {
    const { _id } = await volt.users.create(aUser())
    const hold = await volt.privacy.hold(_id, { reason: 'dispute 12' })
    const over = { reason: 'an old dispute', until: new Date('2026-11-01T00:00:00Z') }
    await volt.privacy.hold(_id, over)
    expect(await volt.privacy.holds(_id)).toMatchObject([{ reason: 'dispute 12' }, over])
    await expect(volt.privacy.erase(_id, { reason })).rejects.toMatchObject({
      code: 'ERASURE_HELD',
      message: 'The person may not be erased: dispute 12',
    })
    expect(await volt.users.get(_id)).toMatchObject({ status: 'active' })
    await volt.privacy.release(hold._id)
    expect(await volt.privacy.erase(_id, { reason })).toMatchObject({ state: 'done' })
    expect(await database.db.collection('privacy_holds').countDocuments({ user: _id })).toBe(0)
    await expect(volt.privacy.release(hold._id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(volt.privacy.hold(_id, { reason })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('stops one that was cut off, and lets it go on', async () => {
    const { _id } = await volt.users.create(aUser())
    const signal = AbortSignal.abort()
    expect(await volt.privacy.erase(_id, { reason, signal })).toMatchObject({ state: 'running' })
    await volt.privacy.hold(_id, { reason: 'dispute 13' })
    expect(await volt.privacy.resume()).toEqual([])
    const [hold] = await volt.privacy.holds(_id)
    await volt.privacy.release(hold?._id ?? '')
    expect(await volt.privacy.resume()).toMatchObject([{ state: 'done', reason }])
    expect(await volt.users.findOne({ _id })).toBeNull()
  })
})

describe('who was erased', () => {
  it('is erased again when back, and known by no more than a hash', async () => {
    const user = await volt.users.create(aUser())
    await volt.privacy.erase(user._id, { reason })
    const list = []
    for await (const one of volt.privacy.erased()) list.push(one)
    expect(list).toContainEqual({ subject: personHash(user._id), requestedAt: start })
    expect(JSON.stringify(list)).not.toContain(String(user._id))
    expect(await volt.privacy.repeat()).toEqual([])
    const { _id } = await volt.users.create({ ...aUser(), _id: user._id })
    expect(await volt.privacy.repeat()).toMatchObject([{ state: 'done', reason: 'repeated: the person was back' }])
    expect(await volt.users.findOne({ _id })).toBeNull()
  })

  it('is erased by a list from elsewhere', async () => {
    const { _id } = await volt.users.create(aUser())
    const { _id: other } = await volt.users.create(aUser())
    const erased = [{ subject: personHash(_id), requestedAt: new Date(0) }]
    expect(await volt.privacy.repeat(erased)).toHaveLength(1)
    expect(await volt.users.findOne({ _id })).toBeNull()
    expect(await volt.users.findOne({ _id: other })).not.toBeNull()
    const bad = [{ subject: 'x', requestedAt: new Date(0) }]
    await expect(volt.privacy.repeat(bad)).rejects.toMatchObject({ code: 'VALIDATION' })
  })
})
