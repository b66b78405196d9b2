import { expect, it } from 'vitest'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { aSite } from '../support/site.js'

const database = setUpDatabase()
const volt = await openVolt(database, { cacheReports: true })
await volt.setup()

it('reports come from the cache until their roll-ups change', async () => {
  const { event, room } = await aSite(volt)
  const march = { from: '2026-03-01', to: '2026-03-31' }
  const months = { from: '2026-03', to: '2026-03', classrooms: [room] }
  await volt.ledger.append([event.rated('2026-03-02T10:00:00Z', true), event.rated('2026-03-02T12:00:00Z', false)])
  await volt.rollUps.update()
  const ask = async () => [
    await volt.analytics.dailyByClassroom(march),
    await volt.analytics.monthlyTrends(months),
    await volt.analytics.peakHours(march),
    await volt.analytics.deviceEfficiency(march),
    await volt.analytics.topConsumers(march),
    await volt.analytics.idleUse({ ...march, classrooms: [room.toHexString()] }),
  ]
  const first = await ask()
  expect(first[0]).toMatchObject([{ totalEnergyKwh: 2 }])
  await database.db.collection('daily_aggregates').updateMany({}, { $set: { energy_mws: 1 } })
  expect(await ask()).toEqual(first)
  const types = (await volt.analyticsCache.find()).map(({ cacheType }) => cacheType).sort()
  expect(types).toEqual([
    'daily_consumption',
    'efficiency_report',
    'idle_use',
    'monthly_trends',
    'peak_hours',
    'top_consumers',
  ])

  await volt.rollUps.rebuild(march)
  await volt.ledger.append([event.rated('2026-03-03T10:00:00Z', true), event.rated('2026-03-03T11:00:00Z', false)])
  await volt.rollUps.update()
  const after = await ask()
  expect(after[0]).toMatchObject([{ totalEnergyKwh: 2 }, { totalEnergyKwh: 1 }])
  expect(after[1]).toMatchObject([{ totalEnergyKwh: 3 }])
  await expect(volt.analytics.peakHours({ from: '2026-03-02', to: 'x' })).rejects.toMatchObject({
    message: expect.stringMatching(/^The question/),
  })
})
