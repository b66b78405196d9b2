import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { aClassroom, anAlert } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const startMs = Date.parse('2026-03-02T08:00:00Z')
const minuteMs = 60_000

async function openSetUp() {
  const database = setUpDatabase()
  const time = { nowMs: startMs }
  const volt = await openVolt(database, { clock: { now: () => new Date(time.nowMs) } })
  await volt.setup()
  const setMinutes = (minutes: number) => {
    time.nowMs = startMs + minutes * minuteMs
  }
  return { database, volt, time, setMinutes }
}

/** Seen by the server: keys and documents that the last aggregations have read. */
async function examined(work: () => Promise<unknown>, { database }: Awaited<ReturnType<typeof openSetUp>>) {
  await database.db.command({ profile: 2 })
  await work()
  await database.db.command({ profile: 0 })
  const seen = await database.db
    .collection('system.profile')
    .find({ ns: { $regex: /\.(cases|alerts)$/ } })
    .toArray()
  return {
    documents: seen.reduce((sum, { docsExamined = 0 }) => sum + Number(docsExamined), 0),
    plans: [...new Set(seen.map(({ planSummary }) => String(planSummary).split(' ')[0]))],
    hasSort: seen.some(({ hasSortStage, command }) => hasSortStage === true && 'find' in command),
  }
}

describe('the statistics of cases', () => {
  it('count by severity and status, the worst first, with mean and median of what it took', async () => {
    const set = await openSetUp()
    const { volt, setMinutes } = set
    const take = async (severity: 'low' | 'critical', startAfter: number | null, resolveAfter: number | null) => {
      setMinutes(0)
      const { _id } = await volt.cases.open({ title: 'A case', severity })
      if (startAfter !== null) setMinutes(startAfter)
      if (startAfter !== null) await volt.cases.move(_id, 'in_progress')
      if (resolveAfter !== null) setMinutes(resolveAfter)
      if (resolveAfter !== null) await volt.cases.move(_id, 'resolved')
    }
    for (const minutes of [10, 20, 60]) await take('critical', 5, minutes)
    for (const minutes of [10, 20]) await take('low', null, minutes)
    await take('low', 7, null)
    await take('critical', null, null)
    const none = { count: 0, meanMs: null, medianMs: null }
    const of = (count: number, mean: number, median: number) => ({
      count,
      meanMs: mean * minuteMs,
      medianMs: median * minuteMs,
    })
    expect(await volt.cases.statistics()).toEqual([
      { status: 'open', severity: 'critical', count: 1, toAcknowledge: none, toResolve: none },
      { status: 'resolved', severity: 'critical', count: 3, toAcknowledge: of(3, 5, 5), toResolve: of(3, 30, 20) },
      { status: 'in_progress', severity: 'low', count: 1, toAcknowledge: of(1, 7, 7), toResolve: none },
      { status: 'resolved', severity: 'low', count: 2, toAcknowledge: none, toResolve: of(2, 15, 15) },
    ])
    expect(await examined(() => volt.cases.statistics(), set)).toEqual({
      documents: 0,
      plans: ['IXSCAN'],
      hasSort: false,
    })
  })

  it('say who has what to do, from an index alone', async () => {
    const set = await openSetUp()
    const { volt } = set
    const [one, other] = [new ObjectId(), new ObjectId()]
    for (const [assignee, severity] of [
      [one, 'critical'],
      [one, 'low'],
      [other, 'critical'],
      [null, 'medium'],
      [null, 'medium'],
      [null, 'low'],
    ] as const)
      await volt.cases.open({ title: 'A case', severity, assignee })
    const { _id } = await volt.cases.open({ title: 'Done', severity: 'critical', assignee: other })
    await volt.cases.move(_id, 'closed')
    expect(await volt.cases.openByAssignee()).toEqual([
      { assignee: null, count: 3, critical: 0 },
      { assignee: one, count: 2, critical: 1 },
      { assignee: other, count: 1, critical: 1 },
    ])
    expect((await examined(() => volt.cases.openByAssignee(), set)).documents).toBe(0)
  })

  it('are empty without cases', async () => {
    const { volt } = await openSetUp()
    expect(await volt.cases.statistics()).toEqual([])
    expect(await volt.cases.openByAssignee()).toEqual([])
    expect(await volt.alerts.statistics()).toEqual([])
    expect(await volt.alerts.openBySeverity()).toEqual([])
    expect(await volt.alerts.trends()).toEqual([])
  })
})

describe('the statistics of alerts', () => {
  it('count the unresolved ones by severity, with the hint that the origin system asked for in vain', async () => {
    const set = await openSetUp()
    const { volt } = set
    for (const severity of ['medium', 'critical', 'low', 'critical'] as const)
      await volt.alerts.raise(anAlert({ severity }))
    const { alert } = await volt.alerts.raise(anAlert({ severity: 'high' }))
    await volt.alerts.resolve(alert._id)
    expect(await volt.alerts.openBySeverity()).toEqual([
      { severity: 'critical', count: 2 },
      { severity: 'medium', count: 1 },
      { severity: 'low', count: 1 },
    ])
    expect((await examined(() => volt.alerts.openBySeverity(), set)).documents).toBe(0)
  })

  it('have mean and median of what it took', async () => {
    const set = await openSetUp()
    const { volt, setMinutes } = set
    for (const minutes of [10, 20, 60]) {
      setMinutes(0)
      const { alert } = await volt.alerts.raise(anAlert())
      setMinutes(minutes / 2)
      await volt.alerts.acknowledge(alert._id)
      setMinutes(minutes)
      await volt.alerts.resolve(alert._id)
    }
    expect(await volt.alerts.statistics()).toEqual([
      {
        severity: 'medium',
        resolved: true,
        count: 3,
        toAcknowledge: { count: 3, meanMs: 15 * minuteMs, medianMs: 10 * minuteMs },
        toResolve: { count: 3, meanMs: 30 * minuteMs, medianMs: 20 * minuteMs },
      },
    ])
    expect((await examined(() => volt.alerts.statistics(), set)).documents).toBe(0)
  })

  it('follow types by civil day of the site', async () => {
    const set = await openSetUp()
    const { volt, time } = set
    const { _id: classroom } = await volt.classrooms.create(aClassroom({ timeZone: 'Asia/Kolkata' }))
    const raise = (timestamp: string, type: string, room?: ObjectId) =>
      volt.alerts.raise(anAlert({ type, timestamp: new Date(timestamp), ...(room ? { classroom: room } : {}) }))
    // Kolkata is half past five ahead: 18:30 is the next day there.
    await raise('2026-03-01T18:29:00Z', 'door_open', classroom)
    await raise('2026-03-01T18:31:00Z', 'door_open', classroom)
    await raise('2026-03-02T07:00:00Z', 'door_open', classroom)
    await raise('2026-03-02T07:00:00Z', 'device_offline', classroom)
    await raise('2026-02-28T18:29:00Z', 'door_open', classroom)
    await raise('2026-03-02T07:00:00Z', 'door_open')
    time.nowMs = Date.parse('2026-03-02T12:00:00Z')
    expect(await volt.alerts.trends({ days: 2, classroom })).toEqual([
      { day: '2026-03-01', type: 'door_open', count: 1 },
      { day: '2026-03-02', type: 'device_offline', count: 1 },
      { day: '2026-03-02', type: 'door_open', count: 2 },
    ])
    expect(await volt.alerts.trends({ days: 1 })).toEqual([
      { day: '2026-03-02', type: 'device_offline', count: 1 },
      { day: '2026-03-02', type: 'door_open', count: 2 },
    ])
    expect((await volt.alerts.trends({ days: 3, timeZone: 'Asia/Kolkata' })).map(({ day }) => day)).toEqual([
      '2026-02-28',
      '2026-03-01',
      '2026-03-02',
      '2026-03-02',
    ])
    expect((await examined(() => volt.alerts.trends(), set)).documents).toBe(0)
    await expect(volt.alerts.trends({ classroom: new ObjectId() })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(volt.alerts.trends({ timeZone: 'Mars' })).rejects.toMatchObject({ code: 'VALIDATION' })
  })
})

describe('the archive of cases', () => {
  const policy = {
    name: 'closed cases',
    collection: 'cases',
    field: 'closedAt',
    olderThanDays: 90,
    filter: { status: 'closed' },
    archiveTo: 'archived_cases',
  }

  it('takes what was closed long ago, adds to what is there, and gives it back', async () => {
    const { volt, database, setMinutes } = await openSetUp()
    const open = await volt.cases.open({ title: 'Open', severity: 'low' })
    const close = async (title: string) => {
      const { _id } = await volt.cases.open({ title, severity: 'low' })
      return volt.cases.move(_id, 'closed')
    }
    const first = await close('The first')
    setMinutes(100 * 24 * 60)
    expect(await volt.retention.run([policy])).toMatchObject([{ archived: 1, deleted: 1, isComplete: true }])
    const second = await close('The second')
    setMinutes(200 * 24 * 60)
    expect(await volt.retention.run([policy])).toMatchObject([{ archived: 1 }])
    const archived = await database.db.collection('archived_cases').find().sort({ _id: 1 }).toArray()
    // What was archived before is still there.
    expect(archived.map(({ title }) => title)).toEqual(['The first', 'The second'])
    expect((await volt.cases.find()).map(({ _id }) => _id)).toEqual([open._id])
    expect(await volt.retention.bringBack({ from: 'archived_cases', collection: 'cases' })).toBe(2)
    expect(await volt.cases.get(first._id)).toEqual(first)
    expect(await volt.cases.get(second._id)).toEqual(second)
  })

  it('has cases that nobody can change meanwhile: what is closed stays as it is', async () => {
    const { volt } = await openSetUp()
    const { _id } = await volt.cases.open({ title: 'A case', severity: 'low' })
    await volt.cases.move(_id, 'closed')
    const isRefused = { code: 'CONFLICT' }
    await expect(volt.cases.comment(_id, { text: 'Late' })).rejects.toMatchObject(isRefused)
    await expect(volt.cases.change(_id, { title: 'Late' })).rejects.toMatchObject(isRefused)
    await expect(volt.cases.addWatcher(_id, new ObjectId())).rejects.toMatchObject(isRefused)
  })
})
