import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { where } from '../../../src/core/repository/conditions.js'
import type { Recosting } from '../../../src/energy/tariffs/recosting.js'
import { aCostVersion } from '../../support/builders.js'
import { startChild } from '../../support/child.js'
import { setUpDatabase } from '../../support/database.js'
import type { ChildMessage } from '../../support/inbox.js'
import { openVolt } from '../../support/volt.js'

const database = setUpDatabase()
const { db } = database
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})
beforeEach(async () => {
  for (const name of ['cost_versions', 'tariffs', 'recostings', 'audit_logs']) await db.collection(name).deleteMany({})
})

const day = (text: string) => new Date(`${text}T00:00:00Z`)
const recostings = async () => {
  const all = await db.collection<Recosting>('recostings').find().sort({ _id: 1 }).toArray()
  return all.map(({ tariff, from, until, state }) => ({ tariff, from, until, state }))
}

describe('a version of a tariff', () => {
  it('is made with one record of who did it and one order to compute again from its start to the next', async () => {
    const later = await volt.tariffs.set(aCostVersion({ startsAt: day('2026-06-01') }))
    const version = await volt.tariffs.set(aCostVersion({ startsAt: day('2026-01-01'), pricePerKwh: 7 }), {
      actor: 'asha',
    })
    expect(await volt.tariffs.list()).toEqual([version, later])
    const [record, ...others] = await volt.auditLog.find({ entityId: version._id })
    expect(others).toEqual([])
    expect(record).toMatchObject({ action: 'created', actor: 'asha', entity: 'cost version' })
    expect(record?.before).toBeUndefined()
    expect(record?.after).toEqual(version)
    expect(await recostings()).toEqual([
      { tariff: 'default', from: day('2026-06-01'), until: undefined, state: 'pending' },
      { tariff: 'default', from: day('2026-01-01'), until: day('2026-06-01'), state: 'pending' },
    ])
    expect(await db.collection('recostings').countDocuments({ audit: record?._id })).toBe(1)
  })

  it('is changed where it is set again, and what is left out is removed', async () => {
    const first = await volt.tariffs.set(aCostVersion({ taxes: [{ name: 'VAT', percent: 18 }], note: 'new' }))
    const second = await volt.tariffs.set(aCostVersion({ pricePerKwh: 8 }), { version: 0 })
    expect(second).toMatchObject({ _id: first._id, pricePerKwh: 8, __v: 1 })
    expect(second).not.toHaveProperty('taxes')
    expect(second).not.toHaveProperty('note')
    const [changed] = await volt.auditLog.find({ action: 'changed' })
    expect(changed).toMatchObject({ entityId: first._id, before: { pricePerKwh: 7.5 }, after: { pricePerKwh: 8 } })
    expect(await recostings()).toHaveLength(2)
  })

  it('stays as it is where it is set to what it is', async () => {
    const version = aCostVersion({ bands: [{ from: '22:00', to: '06:00', pricePerKwh: 4 }], note: 'night' })
    const first = await volt.tariffs.set(version)
    expect(await volt.tariffs.set(version)).toEqual(first)
    expect(await volt.auditLog.count()).toBe(1)
    expect(await recostings()).toHaveLength(1)
  })

  it('has nothing computed again where only its note changes', async () => {
    await volt.tariffs.set(aCostVersion())
    await volt.tariffs.set(aCostVersion({ note: 'as in the letter' }))
    expect(await volt.auditLog.count()).toBe(2)
    expect(await recostings()).toHaveLength(1)
  })

  it('is not changed by somebody who has not seen the last change', async () => {
    const { _id } = await volt.tariffs.set(aCostVersion())
    await volt.tariffs.set(aCostVersion({ pricePerKwh: 8 }))
    const late = volt.tariffs.set(aCostVersion({ pricePerKwh: 9 }), { version: 0 })
    await expect(late).rejects.toMatchObject({ code: 'STALE_VERSION' })
    await expect(volt.tariffs.remove(_id, { version: 0 })).rejects.toMatchObject({ code: 'STALE_VERSION' })
    const unseen = volt.tariffs.set(aCostVersion({ startsAt: day('2026-01-01') }), { version: 0 })
    await expect(unseen).rejects.toMatchObject({ code: 'STALE_VERSION' })
    expect(await volt.tariffs.list()).toMatchObject([{ pricePerKwh: 8 }])
    expect(await volt.auditLog.count()).toBe(2)
  })

  it('goes, and the one before it holds on', async () => {
    await volt.tariffs.set(aCostVersion())
    const wrong = await volt.tariffs.set(aCostVersion({ startsAt: day('2026-01-01'), pricePerKwh: 75 }))
    await volt.tariffs.remove(wrong._id, { actor: 'asha' })
    expect(await volt.tariffs.inForce('default', day('2026-02-01'))).toMatchObject({ pricePerKwh: 7.5 })
    const [removed] = await volt.auditLog.find({ action: 'removed' })
    expect(removed).toMatchObject({ entityId: wrong._id, actor: 'asha', before: wrong })
    expect((await recostings()).at(-1)).toMatchObject({ from: day('2026-01-01'), until: undefined })
    await expect(volt.tariffs.remove(wrong._id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is stored with its record and its order, or not at all', async () => {
    const failed = volt.transaction(async () => {
      await volt.tariffs.set(aCostVersion())
      throw new Error('the host thinks better of it')
    })
    await expect(failed).rejects.toThrow('the host thinks better of it')
    for (const name of ['cost_versions', 'tariffs', 'recostings', 'audit_logs']) {
      expect(await db.collection(name).countDocuments()).toBe(0)
    }
  })

  it.each([
    [
      'overlapping bands',
      {
        bands: [
          { from: '22:00', to: '06:00', pricePerKwh: 4 },
          { from: '05:00', to: '07:00', pricePerKwh: 5 },
        ],
      },
    ],
    ['a weekday 0', { bands: [{ days: [0], from: '22:00', to: '06:00', pricePerKwh: 4 }] }],
    ['a weekday 8', { bands: [{ days: [8], from: '22:00', to: '06:00', pricePerKwh: 4 }] }],
    ['a price of seven decimals', { pricePerKwh: 0.1234567 }],
  ])('is refused with %s', async (_, wrong) => {
    await expect(volt.tariffs.set(aCostVersion(wrong))).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(volt.tariffs.set(aCostVersion(), { actor: '' })).rejects.toMatchObject({ code: 'VALIDATION' })
  })
})

describe('the price', () => {
  it('is that of the version in force, by the clocks of the zone', async () => {
    const bands = [{ from: '22:00', to: '06:00', pricePerKwh: 4 }]
    const version = await volt.tariffs.set(
      aCostVersion({ tariff: 'night', startsAt: day('2026-01-01'), bands, taxes: [{ name: 'VAT', percent: 10 }] }),
    )
    const at = new Date('2026-03-01T17:00:00Z')
    expect(await volt.tariffs.priceAt('night', at, 'Asia/Kolkata')).toEqual({ version, pricePerKwh: 4.4 })
    expect(await volt.tariffs.priceAt('night', at, 'UTC')).toEqual({ version, pricePerKwh: 8.25 })
    expect(await volt.tariffs.priceAt('night', day('2025-12-31'), 'UTC')).toBeNull()
    expect(await volt.tariffs.priceAt('default', at, 'UTC')).toBeNull()
  })
})

describe('the currency of a tariff', () => {
  it('stays what it was first', async () => {
    const { _id } = await volt.tariffs.set(aCostVersion({ currency: 'INR' }))
    const other = aCostVersion({ currency: 'EUR', startsAt: day('2026-01-01') })
    await expect(volt.tariffs.set(other)).rejects.toMatchObject({ code: 'CURRENCY_FIXED' })
    await expect(volt.tariffs.set(aCostVersion({ currency: 'EUR' }))).rejects.toMatchObject({ code: 'CURRENCY_FIXED' })
    expect(await volt.tariffs.set({ ...other, tariff: 'island' })).toMatchObject({ currency: 'EUR' })
    await volt.tariffs.remove(_id)
    await expect(volt.tariffs.set(other)).rejects.toMatchObject({ code: 'CURRENCY_FIXED' })
  })

  it('is one, of two that several processes set at once, and no change is lost', async () => {
    const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName }
    const children = ['INR', 'EUR', 'INR'].map((currency, number) =>
      startChild(new URL('../processes/tariff-setter.ts', import.meta.url), { args: [currency, String(number)], env }),
    )
    await Promise.all(children.map((child) => child.next('ready')))
    for (let round = 0; round < 2; round += 1) {
      const tariff = `tariff ${round} ${new ObjectId().toHexString()}`
      for (const child of children) child.send({ type: 'set', tariff })
      const answers = await Promise.all(children.map((child) => child.next<Answer>('done')))
      const set = answers.flatMap(({ codes }) => codes.filter((code) => code === 'set')).length
      expect(
        answers.flatMap(({ codes }) => codes).filter((code) => code !== 'set' && code !== 'CURRENCY_FIXED'),
      ).toEqual([])
      const versions = await volt.tariffs.list(tariff)
      expect(new Set(versions.map(({ currency }) => currency)).size).toBe(1)
      expect(versions).toHaveLength(set)
      expect(await db.collection('tariffs').findOne({ name: tariff })).toMatchObject({ revision: set })
      expect(await db.collection('recostings').countDocuments({ tariff })).toBe(set)
      expect(await volt.auditLog.count({ entityId: where.in(versions.map(({ _id }) => _id)) })).toBe(set)
    }
  })
})

interface Answer extends ChildMessage {
  readonly type: 'done'
  readonly codes: readonly string[]
}
