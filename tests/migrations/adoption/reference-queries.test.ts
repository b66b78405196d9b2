import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { AdoptionReport } from '../../../src/migrations/index.js'
import { testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { loadOrigin, loadSolchain } from './origin-data.js'

/** What the origin systems ask of their own databases, and what we answer after an adoption: requirements, A15. */
const origin = testDatabase()
const target = testDatabase()
let volt: AutoVolt
let report: AdoptionReport

beforeAll(async () => {
  await loadOrigin(origin.db, 'autovolt')
  volt = await openVolt(target)
  report = await volt.migrations.adopt({ from: origin.dbName, timeZone: 'Asia/Kolkata' })
  await volt.rollUps.update()
})

const kwhOf = async (classroom: string, day: string) => {
  const rows = await volt.analytics.dailyByClassroom({ from: day, to: day, classrooms: [classroom] })
  return rows.reduce((sum, { totalEnergyKwh }) => sum + totalEnergyKwh, 0)
}

describe('the queries of AutoVolt', () => {
  it('give by room and day what its own code gave where that was right', async () => {
    // What its service of daily consumption has stored, one document for each device and day.
    const own = origin.db.collection('dailyconsumptions')
    const groups = await own
      .aggregate([
        { $match: { date: new Date('2025-11-04T18:30:00Z') } },
        { $group: { _id: '$classroom', kwh: { $sum: '$energyConsumptionKwh' } } },
      ])
      .toArray()
    expect(groups).toHaveLength(3)
    for (const { _id, kwh } of groups) {
      // Back Lights have no activity logs, which its service reads, and Side Light is of another device of Room 101.
      const others = _id === 'Room 101' ? 0.06 + 0.06 : 0
      expect([_id, await kwhOf(_id, '2025-11-05')]).toEqual([_id, expect.closeTo(kwh + others, 6)])
    }
    const compared = report.days.find(({ collection }) => collection === 'dailyconsumptions')
    // It differs on the five days on which Back Lights were on.
    expect(compared).toMatchObject({ compared: 14, differing: 5 })
  })

  it('give the right value where it was wrong, and the report says so', async () => {
    const aggregate = await origin.db
      .collection('daily_aggregates')
      .findOne({ date_string: '2025-11-13', classroom: 'Physics_Lab', total_wh: 2259 })
    expect(aggregate).not.toBeNull()
    expect(await kwhOf('Physics_Lab', '2025-11-13')).toBeCloseTo(2.1335, 6)
    const line = report.days
      .flatMap(({ examples }) => examples)
      .find(
        ({ originCollection, period, originWh }) =>
          originCollection === 'daily_aggregates' && period === '2025-11-13' && originWh === 2259,
      )
    expect(line).toMatchObject({ energyWh: 2133.5 })
  })

  it('give each day its own part of what goes over midnight, which its code gives to the first', async () => {
    const dayOfStart = { $dateToString: { date: '$start_ts', format: '%Y-%m-%d', timezone: 'Asia/Kolkata' } }
    const own = await origin.db
      .collection('device_consumption_ledger')
      .aggregate([
        { $match: { switch_name: 'Side Light', start_ts: { $lt: new Date('2025-11-10T00:00:00Z') } } },
        { $group: { _id: dayOfStart, wh: { $sum: '$delta_wh' } } },
        { $sort: { _id: 1 } },
      ])
      .toArray()
    expect(own.map(({ _id, wh }) => [_id, wh]).at(-1)).toEqual(['2025-11-08', 60])
    const sideLight = '68da2060000003b10000002a'
    const days = await volt.energy.dailyBySwitch({ from: '2025-11-08', to: '2025-11-09' })
    const ours = days.filter(({ switchId }) => switchId.toHexString() === sideLight)
    expect(ours.map(({ day, energyKwh }) => [day, energyKwh])).toEqual([
      ['2025-11-08', 0.03],
      ['2025-11-09', 0.03],
    ])
    expect(report.remarks.join('\n')).toContain('is split at midnight in Asia/Kolkata')
  })

  it('can be asked by the names of rooms, and refuse one that is none', async () => {
    const asked = { from: '2025-11', to: '2025-11', classrooms: ['Library'] }
    expect((await volt.analytics.monthlyTrends(asked)).map(({ totalEnergyKwh }) => totalEnergyKwh)).toEqual([4.13])
    const hours = await volt.analytics.peakHours({ from: '2025-11-03', to: '2025-11-03', classrooms: ['Library'] })
    expect(hours.reduce((sum, { totalEnergyKwh }) => sum + totalEnergyKwh, 0)).toBeCloseTo(0.32, 6)
    const none = volt.analytics.dailyByClassroom({ from: '2025-11-03', to: '2025-11-03', classrooms: ['Attic'] })
    await expect(none).rejects.toMatchObject({ code: 'VALIDATION', issues: [{ path: 'classrooms.0' }] })
  })
})

describe('the queries of SolChain', () => {
  it('give the balance of each user, and the days of a device, as its SQL did on rows that are none too many', async () => {
    const [old, fresh] = [testDatabase(), testDatabase()]
    await loadSolchain(old.db)
    const here = await openVolt(fresh)
    await here.migrations.adopt({ from: old.dbName, timeZone: 'UTC', currency: 'EUR' })
    await here.rollUps.update()
    const balances = await old.db
      .collection('energy_data')
      .aggregate([
        { $match: { id: { $lte: 13 } } },
        { $group: { _id: '$user_id', consumed: { $sum: '$energy_consumed' }, produced: { $sum: '$energy_produced' } } },
        { $sort: { _id: 1 } },
      ])
      .toArray()
    const summaries = await here.analytics.userEnergySummaries({ from: '2025-08-01', to: '2025-08-31', limit: 50 })
    const byEmail = new Map(summaries.items.map((one) => [one.email, one]))
    for (const { _id, consumed, produced } of balances) {
      const user = await old.db.collection('users').findOne({ id: _id })
      expect([_id, byEmail.get(user?.email)]).toEqual([
        _id,
        expect.objectContaining({
          totalConsumptionKwh: expect.closeTo(consumed, 6),
          totalProductionKwh: expect.closeTo(produced, 6),
        }),
      ])
    }
    // Users without data are there, with nothing.
    expect(byEmail.get('check4@example.org')).toMatchObject({ totalConsumptionKwh: 0, totalProductionKwh: 0 })
  })
})
