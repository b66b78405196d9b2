import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { anAlert } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const at = (time: string) => new Date(`2026-03-02T${time}:00Z`)

async function openSetUp() {
  const database = setUpDatabase()
  const volt = await openVolt(database)
  await volt.setup()
  return { database, volt }
}

describe('an alert', () => {
  it('is opened once, and counts what happens again until it is resolved', async () => {
    const { volt } = await openSetUp()
    const key = 'door:north'
    const first = await volt.alerts.raise(anAlert({ key, timestamp: at('08:00') }))
    expect(first).toMatchObject({ outcome: 'opened', alert: { sequence: 1, occurrences: 1, resolved: false } })
    const again = await volt.alerts.raise(
      anAlert({ key, timestamp: at('08:05'), severity: 'critical', message: '$message', value: 2 }),
    )
    expect(again).toMatchObject({
      outcome: 'repeated',
      alert: { _id: first.alert._id, occurrences: 2, severity: 'critical', severityRank: 4, message: '$message' },
    })
    expect(again.alert.timestamp).toEqual(at('08:00'))
    expect(again.alert.lastAt).toEqual(at('08:05'))
    // The severity only rises; what was noticed late is no news.
    const milder = await volt.alerts.raise(anAlert({ key, timestamp: at('08:06'), severity: 'low' }))
    expect(milder.alert).toMatchObject({ severity: 'critical', occurrences: 3 })
    const late = await volt.alerts.raise(anAlert({ key, timestamp: at('08:02') }))
    expect(late).toMatchObject({ outcome: 'known', alert: { occurrences: 3 } })
    const cleared = await volt.alerts.clear({ key, at: at('08:10'), resolution: 'It was closed' })
    expect(cleared).toMatchObject({ resolved: true, resolution: 'It was closed', resolveMs: 600_000 })
    expect(await volt.alerts.clear({ key, at: at('08:11') })).toBeNull()
    expect(await volt.alerts.raise(anAlert({ key, timestamp: at('08:09') }))).toMatchObject({ outcome: 'known' })
    const next = await volt.alerts.raise(anAlert({ key, timestamp: at('09:00') }))
    expect(next).toMatchObject({ outcome: 'opened', alert: { sequence: 2 } })
    expect(await volt.alerts.count({ key })).toBe(2)
  })

  it('stays open where it happened again after it was over', async () => {
    const { volt } = await openSetUp()
    const key = 'door:north'
    await volt.alerts.raise(anAlert({ key, timestamp: at('08:00') }))
    await volt.alerts.raise(anAlert({ key, timestamp: at('09:00') }))
    expect(await volt.alerts.clear({ key, at: at('08:30') })).toBeNull()
    expect(await volt.alerts.count({ key, resolved: false })).toBe(1)
  })

  it('is resolved by hand once, and what happens after that is another one', async () => {
    const { volt } = await openSetUp()
    const by = new ObjectId()
    const { alert } = await volt.alerts.raise(anAlert({ key: 'door:north' }))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, () => volt.alerts.resolve(alert._id, { by, resolution: 'Closed it' })),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await volt.alerts.get(alert._id)).toMatchObject({ resolved: true, resolvedBy: by, resolution: 'Closed it' })
    await expect(volt.alerts.acknowledge(alert._id)).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(volt.alerts.silence(alert._id, at('23:00'))).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(volt.alerts.resolve(new ObjectId())).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const timestamp = new Date(alert.timestamp.getTime() + 1)
    expect(await volt.alerts.raise(anAlert({ key: 'door:north', timestamp }))).toMatchObject({ outcome: 'opened' })
  })

  it('is acknowledged by the first who does, silenced, and put to a case', async () => {
    const { volt } = await openSetUp()
    const [first, second] = [new ObjectId(), new ObjectId()]
    const { alert } = await volt.alerts.raise(anAlert())
    const acknowledged = await volt.alerts.acknowledge(alert._id, { by: first })
    expect(await volt.alerts.acknowledge(alert._id, { by: second })).toEqual(acknowledged)
    expect(acknowledged).toMatchObject({ acknowledgedBy: first })
    expect(acknowledged.acknowledgeMs).toBeGreaterThanOrEqual(0)
    expect(await volt.alerts.silence(alert._id, at('23:00'), { by: first })).toMatchObject({
      silencedUntil: at('23:00'),
      silencedBy: first,
    })
    expect(await volt.alerts.silence(alert._id, null)).not.toHaveProperty('silencedUntil')
    const { _id } = await volt.cases.open({ title: 'Doors', severity: 'low' })
    expect(await volt.alerts.assignToCase(alert._id, _id)).toMatchObject({ case: _id })
    expect(await volt.alerts.find({ case: _id, resolved: false })).toHaveLength(1)
    await expect(volt.alerts.assignToCase(alert._id, new ObjectId())).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(volt.alerts.raise(anAlert({ case: new ObjectId() }))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('has a partial index on the unresolved ones of a case beside the plain one, each under its own name', async () => {
    const { volt, database } = await openSetUp()
    const indexes = await database.db.collection('alerts').indexes()
    const ofCases = indexes.filter(({ key }) => JSON.stringify(key) === '{"case":1}')
    expect(ofCases.map(({ name, partialFilterExpression }) => [name, partialFilterExpression])).toEqual([
      ['case_1', undefined],
      ['case_1_unresolved', { resolved: false }],
    ])
    const { collections } = await volt.setup({ dryRun: true })
    const { indexes: report } = collections.find(({ collection }) => collection === 'alerts') ?? {}
    expect(report).toMatchObject({ missing: [], different: [], superseded: [], extra: [] })
    await database.db.collection('alerts').dropIndex('case_1')
    await volt.setup()
    expect((await database.db.collection('alerts').indexes()).map(({ name }) => name)).toContain('case_1')
  })

  it('is refused by the server where a key has an unresolved one already', async () => {
    const { volt, database } = await openSetUp()
    const { alert } = await volt.alerts.raise(anAlert())
    const { _id, ...copy } = (await database.db.collection('alerts').findOne({ _id: alert._id })) ?? {}
    const second = database.db.collection('alerts').insertOne({ ...copy, sequence: 2 })
    await expect(second).rejects.toMatchObject({ code: 11000 })
  })
})
