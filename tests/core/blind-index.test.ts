import { inspect } from 'node:util'
import type { Document } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AutoVolt } from '../../src/autovolt.js'
import { defineEntity } from '../../src/core/entity.js'
import type { KeyRingOptions } from '../../src/core/key-ring.js'
import { change } from '../../src/core/repository/changes.js'
import { where } from '../../src/core/repository/conditions.js'
import { keyRing } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const member = defineEntity({
  name: 'member',
  collection: 'members',
  personal: 'none',
  fields: { name: z.string().min(1), team: z.string().default('red') },
  secrets: {
    insurance: z.string().min(3).optional(),
    email: z.string().min(3).optional(),
    pin: z.string().min(3).optional(),
  },
  blindIndexes: { insurance: { unique: true }, email: { normalise: 'caseless' } },
})
const database = setUpDatabase()
const raw = database.db.collection('members')
const insurance = 'unmistakable-A-123'
const email = 'Ada@Example.org'
const one: KeyRingOptions = keyRing('first')
const both = (active: string): KeyRingOptions => ({
  active,
  keys: { ...one.keys, second: Buffer.alloc(32, 'second') },
})
const second: KeyRingOptions = { active: 'second', keys: { second: Buffer.alloc(32, 'second') } }
const opened = async (keys: KeyRingOptions) => {
  const volt = await openVolt(database, { keys, hostEntities: [member] })
  return { volt, members: volt.repository(member) }
}
let volt: AutoVolt
let members: Awaited<ReturnType<typeof opened>>['members']

beforeAll(async () => {
  ;({ volt, members } = await opened(one))
  await volt.setup()
})
beforeEach(async () => {
  await raw.deleteMany({})
})

describe('a sealed field with a blind index', () => {
  it('is found by equality and `in`, in every call that takes a filter, along its index', async () => {
    const ada = await members.create({ name: 'Ada', insurance, email })
    await members.createMany([{ name: 'Bob', insurance: 'B-1' }, { name: 'Eve' }])
    expect(await members.findOne({ insurance })).toEqual(ada)
    expect(await members.find({ email: '  ada@EXAMPLE.org ', name: 'Ada' })).toEqual([ada])
    expect(await members.count({ insurance: where.in([insurance, 'B-1', 'nobody']) })).toBe(2)
    expect(await members.exists({ insurance: 'nobody' })).toBe(false)
    expect(await members.count({ insurance: where.in<string>([]) })).toBe(0)
    expect((await members.page(where.or({ insurance: 'B-1' }, { name: 'Eve' }))).total).toBe(2)
    expect((await members.after({ insurance })).items).toEqual([ada])
    expect(await members.findOne({ insurance: insurance.toLowerCase() })).toBeNull()
    const stored = await raw.findOne({ _id: ada._id })
    const plan = await raw.find({ insuranceBlind: { $in: stored?.insuranceBlind } }).explain('queryPlanner')
    expect(JSON.stringify(plan.queryPlanner.winningPlan)).toContain('"indexName":"insuranceBlind_1"')
  })

  it('follows changes, removals, upserts and bulk writes', async () => {
    const { _id } = await members.create({ name: 'Ada', insurance, email })
    await members.update(_id, { insurance: 'new-1' })
    expect(await members.findOne({ insurance })).toBeNull()
    expect(await members.findOne({ insurance: 'new-1' })).toMatchObject({ _id })
    await members.update(_id, { insurance: change.unset() })
    expect(await members.findOne({ insurance: 'new-1' })).toBeNull()
    expect(Object.keys((await raw.findOne({ _id })) ?? {}).filter((name) => name.startsWith('insurance'))).toEqual([])
    await members.upsert({ _id } as never, { _id, name: 'Ada', insurance: 'new-2' })
    expect(await members.findOne({ insurance: 'new-2' })).toMatchObject({ _id })
    await members.bulk([
      { update: _id, changes: { insurance: 'new-3' } },
      { create: { name: 'Bob', insurance: 'B-1' } },
    ])
    expect(await members.count({ insurance: where.in(['new-3', 'B-1']) })).toBe(2)
  })

  it('is unique where that is declared, and the error has no value', async () => {
    await members.create({ name: 'Ada', insurance, email })
    await members.create({ name: 'Eve', email })
    await members.create({ name: 'Bob' })
    const error: unknown = await members.create({ name: 'Mallory', insurance }).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'CONFLICT', fields: ['insurance'], values: {} })
    const many: unknown = await members.createMany([{ name: 'Mallory', insurance }]).catch((caught: unknown) => caught)
    expect(many).toMatchObject({ code: 'CONFLICT', fields: ['insurance'] })
    for (const caught of [error, many]) {
      const shown = `${inspect(caught, { depth: 9 })}${JSON.stringify(caught)}`
      expect(shown).not.toMatch(/unmistakable|bi1\./)
    }
  })

  it('is in nothing that is read', async () => {
    const created = await members.create({ name: 'Ada', insurance, email })
    const watched = await members.watch({ insurance })
    const next = watched.next()
    const updated = await members.update(created._id, { team: 'blue' })
    const documents = await members.findDocuments({ insurance })
    const lean = await members.model.find({}).lean()
    const aggregated = await members.model.aggregate([{ $match: { name: 'Ada' } }])
    const selected = await members.model.findById(created._id).select('+insuranceBlind')
    const shown = JSON.stringify([
      created,
      updated,
      documents,
      lean,
      aggregated,
      selected,
      (await next).value,
      await members.get(created._id),
    ])
    expect(documents).toHaveLength(1)
    expect(shown).not.toMatch(/Blind|bi1\.|av1\.|unmistakable/)
    await watched.return()
  })

  it('can be asked for nothing else', async () => {
    const odd: readonly [object, string][] = [
      [{ insurance: where.ne('x') }, 'equality and where.in() alone'],
      [{ insurance: where.gt('x') }, 'equality and where.in() alone'],
      [{ insurance: where.nin(['x']) }, 'equality and where.in() alone'],
      [{ insurance: where.exists() }, 'equality and where.in() alone'],
      [{ insurance: where.startsWith('x') }, 'equality and where.in() alone'],
      [{ insurance: null }, 'expected the text that it is equal to'],
      [{ insurance: /x/ }, 'expected the text that it is equal to'],
      [{ insurance: { $ne: 'x' } }, 'expected the text that it is equal to'],
      [{ insurance: where.in([5 as never]) }, 'expected the text that it is equal to'],
      [{ pin: '123' }, 'has no blind index'],
      [{ insuranceBlind: 'x' }, 'is not a field that can be asked for'],
    ]
    for (const [filter, message] of odd) {
      const refused = expect.objectContaining({
        code: 'VALIDATION',
        issues: [expect.objectContaining({ message: expect.stringContaining(message) })],
      })
      await expect(members.find(filter as never)).rejects.toEqual(refused)
    }
    await expect(members.find({}, { sort: { insurance: 1 } as never })).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(members.find({}, { select: ['insuranceBlind' as never] })).rejects.toMatchObject({
      code: 'VALIDATION',
    })
    await expect(members.create({ name: 'x', insuranceBlind: [] } as never)).rejects.toMatchObject({
      code: 'VALIDATION',
    })
    const { _id } = await members.create({ name: 'x' })
    await expect(members.update(_id, { insuranceBlind: [] } as never)).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(members.upsert({ insurance } as never, { name: 'x', insurance })).rejects.toMatchObject({
      code: 'VALIDATION',
    })
  })

  it('has hashes of its own for each field and entity', async () => {
    const other = defineEntity({
      name: 'guest',
      collection: 'guests',
      personal: 'none',
      fields: {},
      secrets: { email: z.string() },
      blindIndexes: { email: { normalise: 'caseless' } },
    })
    const guests = (await openVolt(database, { hostEntities: [other] })).repository(other)
    const { _id } = await members.create({ name: 'Ada', insurance: email, email })
    const guest = await guests.create({ email })
    const stored = await raw.findOne({ _id })
    const hashes = [
      stored?.insuranceBlind,
      stored?.emailBlind,
      (await database.db.collection('guests').findOne({ _id: guest._id }))?.emailBlind,
    ]
    expect(new Set(hashes.flat()).size).toBe(3)
    await database.db.collection('guests').drop()
  })
})

describe('when keys are changed', () => {
  const valuesOf = (documents: readonly Document[]) => documents.flatMap(({ insuranceBlind }) => insuranceBlind)

  it('values under older keys are found, and unique, before and after they are sealed anew', async () => {
    await members.create({ name: 'Ada', insurance, email })
    const before = await opened(both('first'))
    const after = await opened(both('second'))
    await after.members.create({ name: 'Bob', insurance: 'B-1', email: 'bob@example.org' })
    for (const { members: repository } of [before, after]) {
      expect(await repository.count({ insurance: where.in([insurance, 'B-1']) })).toBe(2)
      await expect(repository.create({ name: 'x', insurance })).rejects.toMatchObject({ code: 'CONFLICT' })
      await expect(repository.create({ name: 'x', insurance: 'B-1' })).rejects.toMatchObject({ code: 'CONFLICT' })
    }
    expect(await after.volt.resealSecrets()).toBe(2)
    expect(await after.volt.resealSecrets()).toBe(0)
    const only = await opened(second)
    expect(await only.members.findOne({ insurance })).toMatchObject({ name: 'Ada' })
    expect(await only.members.findOne({ email: 'ada@example.ORG' })).toMatchObject({ name: 'Ada' })
    await expect(only.members.create({ name: 'x', insurance })).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(String(valuesOf(await raw.find().toArray()))).toContain('bi1.first.')
    await only.volt.resealSecrets()
    expect(String(valuesOf(await raw.find().toArray()))).not.toContain('bi1.first.')
  })

  it('fields that had no index before get their hashes, and two of one value are named', async () => {
    const ada = await members.create({ name: 'Ada', insurance, email })
    await raw.updateMany({}, { $unset: { insuranceBlind: '', emailBlind: '' } })
    expect(await members.findOne({ insurance })).toBeNull()
    expect(await members.resealSecrets()).toBe(2)
    expect(await members.findOne({ insurance })).toEqual(ada)
    await raw.updateMany({}, { $unset: { insuranceBlind: '' } })
    await members.create({ name: 'Bob', insurance })
    await expect(members.resealSecrets()).rejects.toMatchObject({ code: 'CONFLICT', fields: ['insurance'] })
  })
})

describe('a blind index is refused', () => {
  const entityWith = (blindIndexes: object, secrets: object = { pin: z.string() }) =>
    defineEntity({
      name: 'x',
      collection: 'xs',
      fields: { name: z.string() },
      secrets: secrets as { pin: z.ZodString },
      hashes: 'hash' in secrets ? { hash: /^x$/ } : {},
      blindIndexes,
    } as never)

  it.each([
    ['on what is not sealed', { name: {} }, undefined, 'name: it is not a sealed field'],
    ['on what is kept as a hash', { hash: {} }, { hash: z.string() }, 'hash: it is not a sealed field'],
    ['on one of few values', { pin: {} }, { pin: z.enum(['yes', 'no']).optional() }, 'pin: who counts equal hashes'],
    ['with an option that there is not', { pin: { truncate: 4 } }, undefined, 'truncate'],
  ])('%s', (_, indexes, secrets, message) => {
    expect(() => entityWith(indexes, secrets)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringContaining(message) }),
    )
  })
})

it('an extension brings blind indexes of its own', async () => {
  const extended = member.extend({
    fields: {},
    secrets: { badge: z.string().optional() },
    blindIndexes: { badge: {} },
    personal: 'none',
  })
  const repository = (await openVolt(database, { hostEntities: [extended.inCollection('badges')] })).repository(
    extended.inCollection('badges'),
  )
  const { _id } = await repository.create({ name: 'Ada', badge: 'b-17', insurance })
  expect(await repository.findOne({ badge: 'b-17' })).toMatchObject({ _id })
  expect(await repository.findOne({ insurance } as never)).toMatchObject({ _id })
  await database.db.collection('badges').drop()
})
