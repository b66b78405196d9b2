import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { analyticsDatabase } from './support/analytics.js'
import { aRollUpSite, used, writeRollUps } from './support/roll-ups.js'

const { database, analytics } = await analyticsDatabase()
const march = { from: '2026-03-01', to: '2026-03-31' }

describe('daily consumption by classroom', () => {
  it('is energy, cost, switches and their mean, by day and then by energy', async () => {
    const [small, large] = [aRollUpSite(), aRollUpSite()]
    const beside = aRollUpSite({ classroom: large.classroom })
    await writeRollUps(database, [
      used(small, '2026-03-02T10:00:00Z', 1),
      used(large, '2026-03-02T10:00:00Z', 2),
      used(large, '2026-03-02T11:00:00Z', 1),
      used(beside, '2026-03-02T10:00:00Z', 5),
      used(small, '2026-03-03T10:00:00Z', 0.5),
    ])
    const rows = await analytics.dailyByClassroom(march)
    expect(rows).toEqual([
      {
        day: '2026-03-02',
        classroom: large.classroom,
        totalEnergyKwh: 8,
        totalCost: 2.4,
        currency: 'EUR',
        costs: [{ currency: 'EUR', amount: 2.4 }],
        uniqueSwitches: 2,
        recordCount: 2,
        averageEnergyPerSwitchKwh: 4,
      },
      expect.objectContaining({ classroom: small.classroom, totalEnergyKwh: 1, totalCost: 0.3 }),
      expect.objectContaining({ day: '2026-03-03', totalEnergyKwh: 0.5, totalCost: 0.15 }),
    ])
    const ofSmall = await analytics.dailyByClassroom({ ...march, classrooms: [small.classroom.toHexString()] })
    expect(ofSmall.map(({ day }) => day)).toEqual(['2026-03-02', '2026-03-03'])
    expect(await analytics.dailyByClassroom({ ...march, devices: [beside.device] })).toMatchObject([
      { totalEnergyKwh: 5 },
    ])
  })

  it('never adds up two currencies, and knows what had no price', async () => {
    const classroom = new ObjectId()
    const euro = aRollUpSite({ classroom })
    const rupee = aRollUpSite({ classroom, currency: 'INR', pricePerKwh: 7.5 })
    const free = aRollUpSite({ currency: null })
    await writeRollUps(
      database,
      [euro, rupee, free].map((site) => used(site, '2026-03-02T10:00:00Z', 2)),
    )
    expect(await analytics.dailyByClassroom(march)).toMatchObject([
      {
        totalEnergyKwh: 4,
        totalCost: null,
        currency: null,
        costs: [
          { currency: 'EUR', amount: 0.6 },
          { currency: 'INR', amount: 15 },
        ],
      },
      { totalEnergyKwh: 2, totalCost: 0, currency: null, costs: [] },
    ])
  })

  it('is of the civil day of each classroom', async () => {
    const east = aRollUpSite({ timeZone: 'Pacific/Auckland' })
    const west = aRollUpSite({ timeZone: 'Pacific/Honolulu' })
    await writeRollUps(database, [used(east, '2026-03-02T11:00:00Z', 1), used(west, '2026-03-02T11:00:00Z', 1)])
    const days = (await analytics.dailyByClassroom(march)).map(({ day, classroom }) => [day, classroom])
    expect(days).toEqual([
      ['2026-03-02', west.classroom],
      ['2026-03-03', east.classroom],
    ])
  })

  it('is empty where there is nothing, and divides nothing by zero', async () => {
    expect(await analytics.dailyByClassroom(march)).toEqual([])
    await writeRollUps(database, [used(aRollUpSite(), '2026-03-02T11:00:00Z', 0)])
    expect(await analytics.dailyByClassroom(march)).toMatchObject([
      { totalEnergyKwh: 0, totalCost: 0, uniqueSwitches: 0, recordCount: 1, averageEnergyPerSwitchKwh: null },
    ])
  })

  it.each([
    [{ from: '2026-03-02', to: '2026-03-01' }, 'to'],
    [{ from: '2024-01-01', to: '2026-03-01' }, 'to'],
    [{ from: '2026-02-30', to: '2026-03-01' }, 'from'],
    [{ ...march, classrooms: [] }, 'classrooms'],
    [{ ...march, classrooms: ['x'] }, 'classrooms.0'],
    [{ ...march, $where: '1' }, '$where'],
  ])('refuses %j', async (question, path) => {
    await expect(async () => analytics.dailyByClassroom(question)).rejects.toMatchObject({
      code: 'VALIDATION',
      issues: [expect.objectContaining({ path })],
    })
  })
})

describe('daily summaries', () => {
  it('add up each day, with what was given and CO2', async () => {
    const [one, other] = [aRollUpSite(), aRollUpSite()]
    await writeRollUps(database, [
      used(one, '2026-03-02T10:00:00Z', 1),
      used(other, '2026-03-02T10:00:00Z', 2, { productionMws: 3_600_000_000 }),
      used(one, '2026-03-01T10:00:00Z', 1),
    ])
    expect(await analytics.dailySummaries(march)).toEqual([
      expect.objectContaining({ day: '2026-03-01', totalEnergyKwh: 1 }),
      {
        day: '2026-03-02',
        totalEnergyKwh: 3,
        totalProductionKwh: 1,
        totalCost: 0.9,
        currency: 'EUR',
        costs: [{ currency: 'EUR', amount: 0.9 }],
        earnings: [{ currency: 'EUR', amount: 0.08 }],
        carbonGrams: 1200,
        uniqueSwitches: 2,
        recordCount: 2,
      },
    ])
  })
})

describe('the comparison with the period before', () => {
  it('takes as many days, just before', async () => {
    const site = aRollUpSite()
    await writeRollUps(database, [
      used(site, '2026-03-07T10:00:00Z', 9),
      used(site, '2026-03-08T10:00:00Z', 2),
      used(site, '2026-03-14T10:00:00Z', 2),
      used(site, '2026-03-15T10:00:00Z', 5),
      used(site, '2026-03-21T10:00:00Z', 1),
    ])
    const compared = await analytics.compareWithPrevious({ from: '2026-03-15', to: '2026-03-21' })
    expect(compared).toMatchObject({
      current: { from: '2026-03-15', to: '2026-03-21', totalEnergyKwh: 6, totalCost: 1.8 },
      previous: { from: '2026-03-08', to: '2026-03-14', totalEnergyKwh: 4, totalCost: 1.2 },
      energyChangeKwh: 2,
      energyChangePercent: 50,
    })
  })

  it('has no percentage of nothing', async () => {
    await writeRollUps(database, [used(aRollUpSite(), '2026-03-15T10:00:00Z', 5)])
    expect(await analytics.compareWithPrevious({ from: '2026-03-15', to: '2026-03-21' })).toMatchObject({
      previous: { totalEnergyKwh: 0, totalCost: 0, costs: [] },
      energyChangeKwh: 5,
      energyChangePercent: null,
    })
  })
})

describe('top consumers', () => {
  it('are devices, classrooms or switches, with their shares', async () => {
    const classroom = new ObjectId()
    const sites = [1, 2, 5].map((_, at) => aRollUpSite(at < 2 ? { classroom } : {}))
    const second = { ...sites[2]!, switchId: new ObjectId() }
    await writeRollUps(database, [
      used(sites[0]!, '2026-03-02T10:00:00Z', 3),
      used(sites[1]!, '2026-03-02T10:00:00Z', 3),
      used(sites[2]!, '2026-03-02T10:00:00Z', 2),
      used(second, '2026-03-02T10:00:00Z', 2),
      used(second, '2026-03-03T10:00:00Z', 0),
    ])
    const top = async (by: 'device' | 'classroom' | 'switch') =>
      (await analytics.topConsumers({ ...march, by, limit: 2 })).map((one) => [
        one.id.toHexString(),
        one.totalEnergyKwh,
        one.totalCost,
        one.sharePercent,
      ])
    expect(await top('classroom')).toEqual([
      [classroom.toHexString(), 6, 1.8, 60],
      [second.classroom.toHexString(), 4, 1.2, 40],
    ])
    expect((await top('device'))[0]).toEqual([second.device.toHexString(), 4, 1.2, 40])
    expect((await top('switch')).map(([, energy]) => energy)).toEqual([3, 3])
    expect(await analytics.topConsumers(march)).toHaveLength(3)
  })
})

it.each([
  ['loadCurve', { from: '9999-12-31', to: '9999-12-31' }, 'to'],
  ['peakHours', { from: '9999-12-02', to: '9999-12-31' }, 'to'],
  ['compareWithPrevious', { from: '9999-01-01', to: '9999-01-01' }, 'to'],
  ['forecast', { knownTo: '9999-12-31' }, 'knownTo'],
] as const)('%s is not asked of %j, after which no day can be written', async (name, question, path) => {
  const ask: (question: never) => Promise<unknown> = analytics[name].bind(analytics)
  await expect(ask(question as never)).rejects.toMatchObject({ code: 'VALIDATION', issues: [{ path }] })
})

it('the last days before the year 9999 can be asked for', async () => {
  const last = { from: '9998-12-31', to: '9998-12-31' }
  expect(await analytics.loadCurve(last)).toHaveLength(24)
  expect((await analytics.forecast({ days: 28, knownTo: last.to })).days.at(-1)?.day).toBe('9999-01-28')
})
