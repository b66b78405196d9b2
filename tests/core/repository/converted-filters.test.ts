import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineEntity } from '../../../src/core/entity.js'
import { instant, objectId } from '../../../src/core/fields.js'
import { where } from '../../../src/core/repository/conditions.js'
import type { Repository } from '../../../src/core/repository/repository.js'
import { macAddress } from '../../../src/devices/mac-address.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

const linkEntity = defineEntity({
  name: 'link',
  collection: 'links',
  fields: {
    owner: objectId().nullish(),
    members: z.array(objectId()).default([]),
    parts: z.array(z.strictObject({ _id: objectId() })).default([]),
    at: instant().optional(),
    macAddress: macAddress().optional(),
    name: z.string().optional(),
  },
})

const database = setUpDatabase()
let links: Repository<never, never>
const id = new ObjectId()
const hex = id.toHexString()
const found = (filter: object) => links.count(filter as never)

beforeAll(async () => {
  const volt = await openVolt(database, { hostEntities: [linkEntity] })
  await volt.setup()
  links = volt.repository(linkEntity) as never
  const document = { _id: hex, owner: hex, members: [hex], parts: [{ _id: hex }] }
  await links.create({ ...document, at: '2026-01-01T00:00:00Z', macAddress: 'AABBCCDDEEFF', name: hex } as never)
})

describe('a filter', () => {
  it.each<[string, object]>([
    ['an id in digits', { _id: hex }],
    ['an id in a nullable field', { owner: hex.toUpperCase() }],
    ['an id among several', { owner: where.in([hex, new ObjectId()]) }],
    ['an id to compare with', { _id: where.gte(hex) }],
    ['an item of a list', { members: hex }],
    ['a whole list', { members: [hex] }],
    ['a field of the items of a list', { 'parts._id': hex }],
    ['an instant as text', { at: '2026-01-01T05:30:00+05:30' }],
    ['instants between texts', { at: where.between('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z') }],
    ['a MAC address in another spelling', { macAddress: 'aa-bb-cc-dd-ee-ff' }],
    ['digits that are no id', { name: hex }],
    ['a combination', where.and({ _id: hex }, where.or({ owner: hex }, { owner: null }))],
  ])('takes %s as inputs do', async (_, filter) => {
    expect(await found(filter)).toBe(1)
  })

  it('takes null as it is', async () => {
    expect(await found({ owner: null })).toBe(0)
    expect(await found({ owner: where.ne(null) })).toBe(1)
  })

  it.each<[string, object]>([
    ['_id', { _id: 'abc' }],
    ['owner', { owner: 5 }],
    ['owner', { owner: where.nin([hex, 'abc']) }],
    ['members', { members: 'abc' }],
    ['parts._id', { 'parts._id': 'abc' }],
    ['at', { at: 'yesterday' }],
    ['macAddress', { macAddress: 'aa-bb' }],
    ['owner', { owner: where.exists('yes' as never) }],
  ])('refuses for %s what could never be there: %j', async (path, filter) => {
    await expect(found(filter)).rejects.toMatchObject({ name: 'ValidationError', issues: [{ path }] })
  })
})

describe('a filter of the Mongoose model', () => {
  it.each<[string, object]>([
    ['in another spelling', { macAddress: 'aa-bb-cc-dd-ee-ff' }],
    ['among several', { macAddress: { $in: ['aabb.ccdd.eeff', 'nonsense'] } }],
    ['unlike another', { macAddress: { $ne: 'aabbccddee00' } }],
    ['in a combination', { $and: [{ macAddress: 'aabbccddeeff' }] }],
  ])('takes a MAC address %s', async (_, filter) => {
    expect(await links.model.countDocuments(filter)).toBe(1)
  })

  it.each<[string, object]>([
    ['none', { macAddress: 'aa-bb' }],
    ['another', { macAddress: 'aa-bb-cc-dd-ee-00' }],
  ])('finds nothing by %s', async (_, filter) => {
    expect(await links.model.countDocuments(filter)).toBe(0)
  })

  it('is of what an update sets, too', async () => {
    await links.model.updateOne({ _id: hex } as never, { $set: { macAddress: '00-11-22-33-44-55' } } as never)
    expect(await found({ macAddress: '001122334455' })).toBe(1)
    await links.model.updateOne(
      { macAddress: '001122334455' } as never,
      { $set: { macAddress: 'AABBCCDDEEFF' } } as never,
    )
    expect(await found({ macAddress: 'aabbccddeeff' })).toBe(1)
  })
})
