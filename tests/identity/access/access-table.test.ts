import { createMongoAbility, type RawRuleOf, subject } from '@casl/ability'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { Reader } from '../../../src/core/repository/reader.js'
import { Repository } from '../../../src/core/repository/repository.js'
import { type AccessAction, accessActions } from '../../../src/identity/access/access-rule.js'
import { defaultAccessRules } from '../../../src/identity/access/default-rules.js'
import { anAlert, aPowerConsumption, powerSettings } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { activityIn, aPerson, changes, inputs, type Person } from './people.js'
import { expected, expectedServices, type Place, places, type Role } from './table.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

const roles = Object.keys(expected) as Role[]
/** The services of the handle, by name. */
const services = () => Object.entries(volt).filter(([name]) => name !== 'database') as [string, object][]
const readers = () => services().filter((one): one is [string, Reader<never>] => one[1] instanceof Reader)
const isAllowed = (role: Role, entity: string, action: AccessAction, place: Place) =>
  expected[role][entity]?.[action]?.includes(place) ?? false

/** The same call on what is bound, whatever entity it is. */
interface Bound {
  exists(filter: object): Promise<boolean>
  count(): Promise<number>
  create(input: object): Promise<{ _id: ObjectId }>
  update(id: ObjectId, changes: object): Promise<unknown>
  delete(id: ObjectId): Promise<void>
}
const boundOf = (person: Person, entity: string) => Reflect.get(volt.as(person.user), entity) as Bound
const repositoryOf = (entity: string) => Reflect.get(volt, entity) as Repository<never, never>

/** Places where there can be no document of an entity, each with the reason. All others are run for each role and action. */
const nowhere: Readonly<Record<string, string>> = {
  'activities own': 'nobody owns them',
  'alerts own': 'nobody owns them',
  'alertRules own': 'nobody owns them',
  'classrooms own': 'nobody owns them',
  'escalations assigned': 'they are not of the classrooms that somebody is assigned to, but of sites',
  'escalations own': 'nobody owns them',
  'maintenanceWindows own': 'nobody owns them',
  'notifications assigned': 'they are somebody’s, and in no classroom',
  'siteCalendars own': 'nobody owns them',
  'userPreferences assigned': 'they are somebody’s, and in no classroom',
}
/** Where nothing is created: a user is there already, and a new room is assigned to nobody. */
const notCreated = ['users own', 'classrooms assigned', ...Object.keys(nowhere)]
/** What the library itself writes, and no rule has another scope for than all: one document of each, made past the library. */
const ofNobody: readonly string[] = [
  'analyticsCache',
  'auditLog',
  'commands',
  'deviceLogs',
  'firmware',
  'firmwareInstalls',
  'firmwareRollouts',
  'intervals',
  'ledger',
  'notificationDeliveries',
  'powerConsumption',
  'powerSettings',
  'quarantine',
  'tariffs',
]

/** What would be right to write where nobody may. */
const denied: Readonly<Record<string, { readonly create: object; readonly update: object }>> = {
  powerConsumption: { create: aPowerConsumption(), update: { energyConsumed: 5 } },
  powerSettings: { create: powerSettings(), update: { electricityPrice: 8 } },
}

/** A document of which only the id is known, for those whom all are open to. */
async function strangeDocument(entity: string): Promise<ObjectId> {
  const { collection } = repositoryOf(entity).entity
  const documents = database.db.collection(collection)
  const found = await documents.findOne({ isStrange: true })
  if (found !== null) return found._id
  const strange = { deletedAt: null, isStrange: true }
  return (await documents.insertOne(strange, { bypassDocumentValidation: true })).insertedId
}

/** A document of the entity in the place, where there can be one; made past all rules. */
async function documentIn(person: Person, entity: string, place: Place): Promise<ObjectId | undefined> {
  if (entity === 'users' && place === 'own') return person.user._id
  if (entity === 'classrooms' && place === 'assigned') return person.assigned
  const room = place === 'assigned' ? person.assigned : person.elsewhere
  if (entity === 'activities' && place !== 'own') {
    const activity = activityIn(room)
    await database.db.collection('activity_logs').insertOne(activity)
    return activity._id
  }
  if (entity === 'cases') {
    const assignee = place === 'own' ? person.user._id : person.other._id
    return (await volt.cases.open({ title: 'A test', severity: 'low', assignee, classroom: room }))._id
  }
  if (entity === 'alerts' && place !== 'own') return (await volt.alerts.raise(anAlert({ classroom: room }))).alert._id
  if (entity === 'userPreferences' && place !== 'assigned')
    return (await volt.userPreferences.forUser(place === 'own' ? person.user._id : person.other._id))._id
  if (entity === 'notifications' && place !== 'assigned') {
    const { _id: user } = place === 'own' ? person.user : person.other
    return (await volt.notifications.send({ user, kind: 'a test', title: 'A test' }))?._id
  }
  if (ofNobody.includes(entity)) return place === 'elsewhere' ? strangeDocument(entity) : undefined
  const input = inputs[entity]?.(person, place)
  if (input === undefined) return undefined
  return (await (repositoryOf(entity) as unknown as Bound).create(input))._id
}

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: { code?: string }) => error.code ?? String(error),
  )
}

describe.each(roles)('a %s', (role) => {
  it('reads, changes, deletes and controls what the table says, and nothing else', async () => {
    const skipped: string[] = []
    for (const [entity, reader] of readers()) {
      for (const place of places) {
        const person = await aPerson(volt, role)
        const id = await documentIn(person, entity, place)
        if (id === undefined) {
          skipped.push(`${entity} ${place}`)
          continue
        }
        const what = `${role} ${entity} ${place}`
        const bound = boundOf(person, entity)
        const mayRead = isAllowed(role, entity, 'read', place)
        expect(await bound.exists({ _id: id }), `${what} read`).toBe(mayRead)
        expect(await volt.as(person.user).may('control', entity, id), `${what} control`).toBe(
          isAllowed(role, entity, 'control', place),
        )
        if (!(reader instanceof Repository)) {
          expect(Object.keys(bound).filter((name) => /create|update|delete|bulk|upsert|restore/.test(name))).toEqual([])
          continue
        }
        const refusal = mayRead ? 'ACCESS_DENIED' : 'NOT_FOUND'
        // Without any rule for the action it is denied before anything is looked for.
        const refusalOf = (action: AccessAction) =>
          expected[role][entity]?.[action] === undefined ? 'ACCESS_DENIED' : refusal
        const change = denied[entity]?.update ?? changes[entity] ?? { name: 'x' }
        expect(await outcomeOf(bound.update(id, change)), `${what} update`).toBe(
          isAllowed(role, entity, 'update', place) ? 'done' : refusalOf('update'),
        )
        expect(await outcomeOf(bound.delete(id)), `${what} delete`).toBe(
          isAllowed(role, entity, 'delete', place) ? 'done' : refusalOf('delete'),
        )
      }
    }
    const inNoPlace = ofNobody.flatMap((entity) => [`${entity} own`, `${entity} assigned`])
    expect(skipped.toSorted()).toEqual([...Object.keys(nowhere), ...inNoPlace].toSorted())
  }, 600_000)

  it('creates what the table says, and nothing else', async () => {
    const skipped: string[] = []
    const repositories = readers().filter(([, reader]) => reader instanceof Repository)
    for (const [entity, reader] of repositories) {
      for (const place of places) {
        const person = await aPerson(volt, role)
        const input = denied[entity]?.create ?? inputs[entity]?.(person, place)
        if (input === undefined) {
          skipped.push(`${entity} ${place}`)
          continue
        }
        const before = await reader.count()
        const outcome = await outcomeOf(boundOf(person, entity).create(input))
        const mayCreate = isAllowed(role, entity, 'create', place)
        expect(outcome, `${role} ${entity} ${place} create`).toBe(mayCreate ? 'done' : 'ACCESS_DENIED')
        expect(await reader.count()).toBe(before + (mayCreate ? 1 : 0))
      }
    }
    const names = repositories.map(([name]) => name)
    const listed = notCreated.filter((cell) => names.includes(cell.split(' ', 1)[0] ?? ''))
    expect(skipped.toSorted()).toEqual(listed.toSorted())
  }, 600_000)

  it('uses the services that the list says', async () => {
    const { user } = await aPerson(volt, role)
    const bound = volt.as(user)
    for (const [name, service] of services()) {
      if (service instanceof Reader) continue
      expect(await bound.may('use', name), name).toBe(expectedServices[role].includes(name))
    }
    const listed = outcomeOf(bound.migrations.validate())
    expect(await listed).toBe(role === 'super-admin' ? 'done' : 'ACCESS_DENIED')
  })

  it('is judged alike by another engine', async () => {
    const person = await aPerson(volt, role)
    const me = String(person.user._id)
    const conditions: Readonly<Record<string, object>> = {
      'users own': { _id: me },
      'users people': { role: { $in: ['student', 'faculty', 'user'] } },
      'userPreferences own': { user: me },
      'notifications own': { user: me },
      'schedules own': { owner: me },
      'schedules classroom': { classroom: { $in: [String(person.assigned)] } },
      'siteCalendars assigned': { classroom: { $in: [String(person.assigned)] } },
      'classrooms assigned': { _id: { $in: [String(person.assigned)] } },
      'devices own': { owner: me },
      'devices classroom': { classroom: { $in: [String(person.assigned)] } },
      'cases own': { assignee: me },
      'cases classroom': { classroom: { $in: [String(person.assigned)] } },
      'alerts classroom': { classroom: { $in: [String(person.assigned)] } },
      'alertRules classroom': { classroom: { $in: [String(person.assigned)] } },
      'maintenanceWindows classroom': { classroom: { $in: [String(person.assigned)] } },
      'activities classroom': { classroom: { $in: [String(person.assigned)] } },
    }
    const rules = defaultAccessRules
      .filter((rule) => rule.role === role)
      .map(({ action, entity, scope }) => ({
        action,
        subject: entity,
        ...(scope === 'all' ? {} : { conditions: conditions[`${entity} ${scope}`] ?? { _id: 'no such scope' } }),
      })) as RawRuleOf<ReturnType<typeof createMongoAbility>>[]
    const ability = createMongoAbility(rules)
    let compared = 0
    for (const [entity] of readers()) {
      for (const place of places) {
        const id = await documentIn(person, entity, place).catch(() => undefined)
        if (id === undefined) continue
        const { collection } = repositoryOf(entity).entity
        const document = await database.db.collection(collection).findOne({ _id: id })
        const plain = Object.fromEntries(
          Object.entries(document ?? {}).map(([name, value]) => [
            name,
            value instanceof ObjectId ? String(value) : value,
          ]),
        )
        for (const action of accessActions.filter((one) => one !== 'create' && one !== 'use')) {
          expect(await volt.as(person.user).may(action, entity, id), `${entity} ${action} ${place}`).toBe(
            ability.can(action, subject(entity, { ...plain })),
          )
          compared += 1
        }
      }
    }
    expect(compared).toBeGreaterThan(20)
  }, 600_000)
})

describe('nobody in particular', () => {
  it.each(['inactive', 'suspended', 'pending'] as const)('may do nothing while %s', async (status) => {
    const { user } = await aPerson(volt, 'super-admin')
    await volt.users.update(user._id, { status })
    const bound = volt.as(user)
    expect(await bound.users.find()).toEqual([])
    expect(await bound.devices.count()).toBe(0)
    expect(await outcomeOf(bound.classrooms.create({ name: `Room ${user._id}` }))).toBe('ACCESS_DENIED')
    expect(await outcomeOf(bound.analytics.costs({} as never))).toBe('ACCESS_DENIED')
  })

  it('is a user who is not there, or was deleted', async () => {
    expect(await volt.as(new ObjectId()).devices.count()).toBe(0)
    const { user } = await aPerson(volt, 'admin')
    await volt.users.delete(user._id)
    expect(await volt.as(user).devices.count()).toBe(0)
  })

  it('may do what no rule is about', () => {
    const known = new Set(defaultAccessRules.map(({ entity }) => entity))
    const unknown = services().filter(([name]) => !known.has(name))
    expect(unknown.map(([name]) => name).toSorted()).toEqual(['analyticsCache', 'ingestion'])
  })
})
