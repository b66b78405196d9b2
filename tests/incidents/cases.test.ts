import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { caseStatuses } from '../../src/incidents/cases/case.js'
import { aClassroom } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { SettableClock } from '../support/settable-clock.js'
import { openVolt } from '../support/volt.js'

async function openSetUp() {
  const database = setUpDatabase()
  const clock = new SettableClock()
  const volt = await openVolt(database, { clock })
  await volt.setup()
  return { database, volt, clock }
}

const aCase = (overrides: object = {}) => ({ title: 'The projector stays on', severity: 'high' as const, ...overrides })

describe('a case', () => {
  it('is opened with what it says, medium in priority, and nobody who works on it', async () => {
    const { volt } = await openSetUp()
    const by = new ObjectId()
    const stored = await volt.cases.open(aCase({ openedBy: by, tags: ['projector'], metadata: { room: 7 } }))
    expect(stored).toMatchObject({
      status: 'open',
      priority: 'medium',
      assignee: null,
      severity: 'high',
      tags: ['projector'],
      metadata: { room: 7 },
    })
    expect(await volt.cases.get(stored._id)).toEqual(stored)
    await expect(volt.cases.open(aCase({ title: 'x'.repeat(201) }))).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(volt.cases.open(aCase({ metadata: { a: { $gt: 1 } } }))).rejects.toMatchObject({ code: 'VALIDATION' })
  })

  it('is sorted by how bad it is, and not by the word for that', async () => {
    const { volt } = await openSetUp()
    for (const severity of ['medium', 'critical', 'low', 'high'] as const) await volt.cases.open(aCase({ severity }))
    const sorted = await volt.cases.find({ status: 'open' }, { sort: { severityRank: -1 } })
    expect(sorted.map(({ severity }) => severity)).toEqual(['critical', 'high', 'medium', 'low'])
    for (const priority of ['urgent', 'low', 'high'] as const) await volt.cases.open(aCase({ priority }))
    const urgent = await volt.cases.find({ isOpen: true }, { sort: { priorityRank: -1, createdAt: 1 } })
    expect(urgent.map(({ priority }) => priority)).toEqual([
      'urgent',
      'high',
      'medium',
      'medium',
      'medium',
      'medium',
      'low',
    ])
  })

  it('goes where it may go, and nowhere else', async () => {
    const { volt } = await openSetUp()
    const allowed: Readonly<Record<string, readonly string[]>> = {
      open: ['in_progress', 'resolved', 'closed'],
      in_progress: ['open', 'resolved', 'closed'],
      resolved: ['in_progress', 'closed'],
      closed: [],
    }
    const path: Readonly<Record<string, (typeof caseStatuses)[number][]>> = {
      open: [],
      in_progress: ['in_progress'],
      resolved: ['resolved'],
      closed: ['closed'],
    }
    for (const from of caseStatuses) {
      for (const to of caseStatuses) {
        const { _id } = await volt.cases.open(aCase())
        for (const step of path[from] ?? []) await volt.cases.move(_id, step)
        const outcome = await volt.cases.move(_id, to).then(
          ({ status }) => status,
          (error: { code?: string }) => error.code,
        )
        expect(outcome, `${from} to ${to}`).toBe(from === to || allowed[from]?.includes(to) ? to : 'CONFLICT')
      }
    }
  })

  it('has the times of its moves, of which opening it again takes the last back', async () => {
    const { volt, clock } = await openSetUp()
    const by = new ObjectId()
    const { _id, createdAt } = await volt.cases.open(aCase())
    clock.advance(60_000)
    const started = await volt.cases.move(_id, 'in_progress', { by })
    expect(started.acknowledgeMs).toBeGreaterThanOrEqual(60_000)
    clock.advance(60_000)
    const resolved = await volt.cases.move(_id, 'resolved', { by, resolution: 'A new relay' })
    expect(resolved.resolveMs).toBe((resolved.resolvedAt?.getTime() ?? 0) - createdAt.getTime())
    expect(resolved).toMatchObject({ isOpen: false, resolution: 'A new relay' })
    expect(resolved.history).toMatchObject([
      { by, field: 'status', from: 'open', to: 'in_progress' },
      { by, field: 'status', from: 'in_progress', to: 'resolved' },
    ])
    expect(volt.cases.originTimes(resolved)).toEqual({
      created_at: createdAt,
      updated_at: resolved.updatedAt,
      resolved_at: resolved.resolvedAt,
    })
    const again = await volt.cases.move(_id, 'in_progress')
    expect(again).not.toHaveProperty('resolvedAt')
    expect(again).not.toHaveProperty('resolveMs')
    expect(again.startedAt).toEqual(started.startedAt)
    expect(await volt.cases.move(_id, 'closed')).toMatchObject({ status: 'closed', isOpen: false })
  })

  it('is moved once by sixteen at a time, and keeps every comment and watcher', async () => {
    const { volt, database } = await openSetUp()
    const handles = await Promise.all([1, 2, 3].map(() => openVolt(database)))
    const { _id } = await volt.cases.open(aCase())
    const each = Array.from({ length: 16 }, (_, at) => handles[at % 3] ?? volt)
    await Promise.all(
      each.map(async (one, at) => {
        await one.cases.comment(_id, { text: `comment ${at}` })
        await one.cases.addWatcher(_id, new ObjectId())
        await one.cases.move(_id, 'in_progress')
      }),
    )
    const found = await volt.cases.get(_id)
    expect(found.history).toHaveLength(1)
    expect(new Set(found.comments.map(({ text }) => text)).size).toBe(16)
    expect(found.watchers).toHaveLength(16)
  })

  it('says who changed what, and refuses a change that was made for an older version', async () => {
    const { volt } = await openSetUp()
    const [by, assignee] = [new ObjectId(), new ObjectId()]
    const stored = await volt.cases.open(aCase({ description: 'x'.repeat(1_000) }))
    const changed = await volt.cases.change(
      stored._id,
      { severity: 'critical', assignee, description: null, tags: ['night'], title: stored.title },
      { by, version: stored.__v },
    )
    expect(changed).toMatchObject({ severity: 'critical', severityRank: 4, assignee, tags: ['night'] })
    expect(changed).not.toHaveProperty('description')
    expect(changed.history.map(({ field }) => field)).toEqual(['description', 'severity', 'assignee', 'tags'])
    expect(changed.history[1]).toMatchObject({ by, from: 'high', to: 'critical' })
    expect(changed.history[0]?.from).toHaveLength(201)
    const late = volt.cases.change(stored._id, { title: 'Late' }, { version: stored.__v })
    await expect(late).rejects.toMatchObject({ code: 'STALE_VERSION' })
    expect((await volt.cases.change(stored._id, { title: stored.title })).__v).toBe(changed.__v)
    const status = volt.cases.change(stored._id, { status: 'closed' } as object)
    await expect(status).rejects.toMatchObject({ code: 'VALIDATION' })
  })

  it('keeps the last 500 changes, and takes 1,000 comments and 200 watchers', async () => {
    const { volt, database } = await openSetUp()
    const { _id, createdAt } = await volt.cases.open(aCase())
    const at = createdAt
    await database.db.collection('cases').updateOne(
      { _id },
      {
        $set: {
          history: Array.from({ length: 500 }, () => ({ at, field: 'title', to: 'Old' })),
          comments: Array.from({ length: 999 }, () => ({ at, text: 'Old' })),
          watchers: Array.from({ length: 199 }, () => new ObjectId()),
        },
      },
    )
    const { history } = await volt.cases.change(_id, { title: 'New' })
    expect(history).toHaveLength(500)
    expect(history.at(-1)).toMatchObject({ to: 'New' })
    expect((await volt.cases.comment(_id, { text: 'The last' })).comments).toHaveLength(1_000)
    await expect(volt.cases.comment(_id, { text: 'One more' })).rejects.toMatchObject({ code: 'CONFLICT' })
    const last = new ObjectId()
    expect((await volt.cases.addWatcher(_id, last)).watchers).toHaveLength(200)
    expect((await volt.cases.addWatcher(_id, last)).watchers).toHaveLength(200)
    await expect(volt.cases.addWatcher(_id, new ObjectId())).rejects.toMatchObject({ code: 'CONFLICT' })
    expect((await volt.cases.removeWatcher(_id, last)).watchers).toHaveLength(199)
    await expect(volt.cases.comment(new ObjectId(), { text: 'Where' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is due by its priority and the working hours of its site', async () => {
    const { volt } = await openSetUp()
    const { _id: classroom } = await volt.classrooms.create(aClassroom({ timeZone: 'Asia/Kolkata' }))
    await volt.siteCalendars.create({
      classroom,
      workingHours: [{ weekdays: [1, 2, 3, 4, 5], from: '09:00', until: '17:00' }],
    })
    const { _id, dueAt, createdAt } = await volt.cases.open(aCase({ classroom, priority: 'low' }))
    // 80 working hours are ten working days.
    const days = ((dueAt?.getTime() ?? 0) - createdAt.getTime()) / 86_400_000
    expect(days).toBeGreaterThan(11)
    expect(days).toBeLessThan(15)
    const urgent = await volt.cases.change(_id, { priority: 'urgent' })
    expect(urgent.dueAt?.getTime()).toBeLessThan(dueAt?.getTime() ?? 0)
    const anywhere = await volt.cases.open(aCase({ priority: 'urgent' }))
    expect(Math.abs((anywhere.dueAt?.getTime() ?? 0) - anywhere.createdAt.getTime() - 240 * 60_000)).toBeLessThan(5_000)
  })

  it('is found by words of its title, description and tags, the best first', async () => {
    const { volt } = await openSetUp()
    const both = await volt.cases.open(aCase({ title: 'Projector of room 7', description: 'The projector hums' }))
    const one = await volt.cases.open(aCase({ title: 'A lamp', tags: ['projector'] }))
    await volt.cases.open(aCase({ title: 'A door' }))
    await volt.cases.move(one._id, 'closed')
    const found = await volt.cases.search({ words: 'projectors' })
    expect(found.map((each) => each.case._id)).toEqual([both._id, one._id])
    expect(found[0]?.score).toBeGreaterThan(found[1]?.score ?? 0)
    expect(found[0]?.case).toEqual(both)
    expect(await volt.cases.search({ words: 'projector', status: 'open' })).toHaveLength(1)
    await expect(volt.cases.search({ words: '' })).rejects.toMatchObject({ code: 'VALIDATION' })
  })

  it('refuses due times that are none', async () => {
    const database = setUpDatabase()
    const opened = openVolt(database, { incidents: { dueAfterMinutes: { low: 0 } } })
    await expect(opened).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })
})
