import { readFile } from 'node:fs/promises'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AutoVolt } from '../../../src/autovolt.js'
import { defineEntity } from '../../../src/core/entity.js'
import { objectId } from '../../../src/core/fields.js'
import { accessTableText } from '../../../src/identity/access/access-table.js'
import { defaultAccessRules, defaultAccessScopes } from '../../../src/identity/access/default-rules.js'
import { userEntityWithRoles } from '../../../src/identity/user.js'
import { aDevice, aUser } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

const database = setUpDatabase()

const inspection = defineEntity({
  name: 'inspection',
  collection: 'inspections',
  fields: { inspector: objectId(), department: z.string(), result: z.string().optional() },
  indexes: [{ key: { inspector: 1, _id: 1 }, serves: 'the inspections of somebody' }],
})

describe('rules of a host', () => {
  const users = userEntityWithRoles(['resident', 'installer', 'manager'])
  let volt: Awaited<ReturnType<typeof open>>
  const open = () =>
    openVolt(database, {
      entities: { users },
      hostEntities: [inspection],
      access: {
        scopes: {
          inspection: { mine: { inspector: '_id' }, department: { department: 'profile.department' } },
          devices: { produces: { energyRole: { anyOf: ['production', 'storage'] } } },
        },
        rules: [
          { role: 'installer', entity: 'inspection', action: 'read', scope: 'mine' },
          { role: 'installer', entity: 'inspection', action: 'read', scope: 'department' },
          { role: 'installer', entity: 'inspection', action: 'update', scope: 'mine', fields: ['result'] },
          { role: 'installer', entity: 'devices', action: 'read', scope: 'produces' },
          { role: 'manager', entity: 'inspection', action: 'create', scope: 'all' },
        ],
      },
    })

  beforeAll(async () => {
    volt = await open()
    await volt.setup()
  })

  it('are for its own roles, entities and scopes', async () => {
    const installer = await volt.users.create({
      ...aUser(),
      role: 'installer',
      profile: { department: 'Roofs' },
    } as never)
    const all = volt.repository(inspection)
    const mine = await all.create({ inspector: installer._id, department: 'Cellars' })
    const near = await all.create({ inspector: new ObjectId(), department: 'Roofs' })
    const far = await all.create({ inspector: new ObjectId(), department: 'Cellars' })
    const bound = volt.as(installer)
    const inspections = bound.repository(inspection)
    expect((await inspections.find()).map(({ _id }) => _id)).toEqual([mine._id, near._id])
    expect(await inspections.update(mine._id, { result: 'passed' })).toMatchObject({ result: 'passed' })
    await expect(inspections.update(near._id, { result: 'passed' })).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
    await expect(inspections.update(far._id, { result: 'passed' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(inspections.update(mine._id, { department: 'Roofs' })).rejects.toMatchObject({
      fields: ['department'],
    })
    expect(await bound.may('update', 'inspection', mine._id)).toBe(true)

    await volt.devices.create(aDevice({ energyRole: 'production' }))
    await volt.devices.create(aDevice({ energyRole: 'consumption' }))
    expect((await bound.devices.find()).map(({ energyRole }) => energyRole)).toEqual(['production'])
    expect(await bound.classrooms.find()).toEqual([])
  })

  it('give somebody who has nothing at a path no document', async () => {
    const installer = await volt.users.create({ ...aUser(), role: 'installer' } as never)
    await database.db.collection('inspections').insertOne({ _id: new ObjectId(), inspector: new ObjectId() } as never, {
      bypassDocumentValidation: true,
    })
    expect(await volt.as(installer).repository(inspection).find()).toEqual([])
  })

  it('are of entities that the handle has', () => {
    const other = defineEntity({ name: 'note', collection: 'notes', fields: {} })
    expect(() => volt.as(new ObjectId()).repository(other)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
  })
})

describe('rules that are none', () => {
  const rule = { role: 'student', entity: 'devices', action: 'read', scope: 'all' } as const
  it.each([
    ['an unknown role', { rules: [{ ...rule, role: 'root' }] }],
    ['an unknown entity', { rules: [{ ...rule, entity: 'machines' }] }],
    ['an unknown action', { rules: [{ ...rule, action: 'manage' }] }],
    ['an unknown scope', { rules: [{ ...rule, scope: 'mine' }] }],
    ['a scope of another entity', { rules: [{ ...rule, scope: 'people' }] }],
    ['fields of a reading', { rules: [{ ...rule, fields: ['name'] }] }],
    ['an unknown field', { rules: [{ ...rule, action: 'update', fields: ['colour'] }] }],
    ['the id as a field', { rules: [{ ...rule, action: 'create', fields: ['_id'] }] }],
    ['a service that is read', { rules: [{ ...rule, entity: 'analytics' }] }],
    ['documents that are used', { rules: [{ ...rule, action: 'use' }] }],
    ['a further property', { rules: [{ ...rule, cannot: true }] }],
    ['a function', { rules: [{ ...rule, scope: () => ({}) }] }],
    ['a scope of nothing', { scopes: { devices: { mine: {} } } }],
    ['a scope by an unknown path', { scopes: { devices: { mine: { ownr: '_id' } } } }],
    ['a scope by an unknown path of users', { scopes: { devices: { mine: { owner: 'id' } } } }],
    ['a scope by a secret', { scopes: { devices: { mine: { secret: 'name' } } } }],
    ['a scope by an operator', { scopes: { devices: { mine: { $where: 'name' } } } }],
    ['a scope of a service', { scopes: { analytics: { mine: { owner: '_id' } } } }],
    ['a scope called all', { scopes: { devices: { all: { owner: '_id' } } } }],
  ])('are refused when the handle is opened: %s', async (_, access) => {
    await expect(openVolt(database, { access: access as never })).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })

  it('are refused of an entity that is called as one of ours', async () => {
    const users = defineEntity({ name: 'users', collection: 'other_users', fields: {} })
    await expect(openVolt(database, { hostEntities: [users] })).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })
})

describe('the table', () => {
  it('has a row for each role, entity and action, with all scopes', async () => {
    const volt: AutoVolt = await openVolt(database)
    const rows = volt.accessTable()
    expect(rows).toContainEqual({ role: 'student', entity: 'devices', action: 'read', scopes: ['classroom', 'own'] })
    expect(rows.flatMap(({ scopes }) => scopes)).toHaveLength(defaultAccessRules.length)
    const text = accessTableText(rows)
    expect(text).toContain('| entity | action | student | faculty | user | admin | super-admin |')
    expect(text).toContain('| devices | control |  | classroom, own | own | all | all |')
  })

  it('is that of the guide', async () => {
    const volt: AutoVolt = await openVolt(database)
    const guide = await readFile(new URL('../../../docs/access.md', import.meta.url), 'utf8')
    const cellsOf = (text: string) =>
      text
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .map((line) => line.split('|').map((cell) => cell.trim()))
    const [, table = ''] = guide.split('<!-- access table -->')
    const [, ruled] = cellsOf(table)
    const wanted = cellsOf(accessTableText(volt.accessTable()))
    expect(ruled?.length).toBe(wanted[1]?.length)
    expect(cellsOf(table).slice(0, wanted.length).toSpliced(1, 1)).toEqual(wanted.toSpliced(1, 1))
  })

  it('has an index for each scope of the default rules', async () => {
    const volt = await openVolt(database)
    for (const [entity, scopes] of Object.entries(defaultAccessScopes)) {
      const { indexes } = volt.entityOf(entity === 'sessions' ? 'userSessions' : (entity as 'users'))
      const leading = new Set(['_id', ...indexes.map(({ key }) => Object.keys(key)[0])])
      for (const path of Object.values(scopes).flatMap((scope) => Object.keys(scope))) expect(leading).toContain(path)
    }
  })
})
