import type { Document } from 'mongodb'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  activeDaysPipeline,
  consumersPipeline,
  dailyByClassroomPipeline,
  dailySummaryPipeline,
  switchConsumersPipeline,
} from '../../../src/energy/analytics/daily-pipelines.js'
import { dayHoursPipeline } from '../../../src/energy/analytics/day-hours.js'
import {
  deviceEfficiencyOfDaysPipeline,
  deviceEfficiencyPipeline,
  monthlyTrendPipeline,
  peakHoursPipeline,
} from '../../../src/energy/analytics/monthly-pipelines.js'
import { openAnalytics } from './support/analytics.js'
import { aRollUpSite, type Use, used, writeRollUps } from './support/roll-ups.js'

const { database, volt } = await openAnalytics()
const classrooms = Array.from({ length: 4 }, () => new ObjectId())
const sites = Array.from({ length: 12 }, (_, at) => aRollUpSite({ classroom: classrooms[at % 4]! }))
const devices = sites.slice(0, 2).map(({ device }) => device)
const rooms = classrooms.slice(0, 1)
const everything = { classrooms: undefined, devices: undefined }
const days = { from: '2026-02-03', to: '2026-02-09' }
const months = { from: '2026-01', to: '2026-03' }
const month = '2026-02'

beforeAll(async () => {
  const uses: Use[] = []
  for (const site of sites) {
    for (let day = 0; day < 60; day += 1) {
      const at = new Date(Date.parse('2026-01-15T10:00:00Z') + day * 86_400_000).toISOString()
      uses.push(used(site, at, 1))
    }
  }
  await writeRollUps(database, uses)
})

/** The names of the stages in which the server reads, and whether a stage sorts in memory. */
async function planOf(collection: 'dailyAggregates' | 'monthlyAggregates', pipeline: readonly Document[]) {
  const { db } = database
  const explained = await db
    .collection(volt.entityOf(collection).collection)
    .aggregate([...pipeline])
    .explain('executionStats')
  const winning: Document = (explained.stages?.[0].$cursor ?? explained).queryPlanner.winningPlan
  const stages = [...JSON.stringify(winning).matchAll(/"stage":"(\w+)"/g)].map(([, stage]) => stage ?? '')
  const statistics = (explained.stages?.[0].$cursor ?? explained).executionStats
  return { stages, keys: statistics.totalKeysExamined as number, documents: statistics.totalDocsExamined as number }
}

describe('the plans of queries', () => {
  it.each([
    ['daily by classroom', dailyByClassroomPipeline({ ...days, ...everything })],
    [
      'daily by some classrooms',
      dailyByClassroomPipeline({ ...days, ...everything, classrooms: classrooms.slice(0, 3) }),
    ],
    ['daily summaries', dailySummaryPipeline({ ...days, ...everything })],
    ['consumers by device', consumersPipeline({ ...days, ...everything }, 'device_id')],
    ['consumers by classroom', consumersPipeline({ ...days, ...everything }, 'classroom')],
  ])('%s read index keys of those days alone, and no document', async (_, pipeline) => {
    const { stages, keys, documents } = await planOf('dailyAggregates', pipeline)
    expect(stages).toContain('IXSCAN')
    expect(stages).not.toContain('COLLSCAN')
    expect(documents).toBe(0)
    expect(keys).toBeLessThanOrEqual(12 * 7 + 12 * 7)
  })

  it('active days are skipped through, a key or two for each day', async () => {
    const { stages, keys, documents } = await planOf('dailyAggregates', activeDaysPipeline({ ...days, ...everything }))
    expect(stages).toContain('DISTINCT_SCAN')
    expect(documents).toBe(0)
    expect(keys).toBeLessThanOrEqual(2 * 7 + 2)
  })

  it.each([
    ['switches', switchConsumersPipeline({ ...days, ...everything })],
    ['hours', dayHoursPipeline({ ...days, ...everything })],
    ['efficiency', deviceEfficiencyOfDaysPipeline({ ...days, ...everything })],
  ])('%s of some days read the documents of those days alone', async (_, pipeline) => {
    const { stages, documents } = await planOf('dailyAggregates', pipeline)
    expect(stages).not.toContain('COLLSCAN')
    expect(documents).toBe(12 * 7)
  })

  it.each([
    ['a classroom', { classrooms: rooms, devices: undefined }, 3 * 7],
    ['devices', { classrooms: undefined, devices }, 2 * 7],
  ])('hours of %s read their documents alone', async (_, scope, count) => {
    const { stages, documents } = await planOf('dailyAggregates', dayHoursPipeline({ ...days, ...scope }))
    expect(stages).not.toContain('COLLSCAN')
    expect(documents).toBe(count)
  })

  it('monthly trends read an index alone', async () => {
    const { stages, keys, documents } = await planOf(
      'monthlyAggregates',
      monthlyTrendPipeline({ ...months, ...everything }),
    )
    expect(stages).toContain('IXSCAN')
    expect(documents).toBe(0)
    expect(keys).toBeLessThanOrEqual(12 * 3)
  })

  it('peak hours read a document for each device', async () => {
    const { stages, documents } = await planOf('monthlyAggregates', peakHoursPipeline({ ...everything, month }))
    expect(stages).not.toContain('COLLSCAN')
    expect(documents).toBe(12)
  })

  it('device efficiency walks along an index that is in order, as far as the page ends', async () => {
    const pipeline = deviceEfficiencyPipeline({ ...everything, month }, { skip: 5, limit: 5 })
    const { stages, keys, documents } = await planOf('monthlyAggregates', pipeline)
    expect(stages).toContain('IXSCAN')
    expect(stages).not.toContain('SORT')
    expect(documents).toBe(0)
    expect(keys).toBeLessThanOrEqual(11)
    const whole = await planOf('monthlyAggregates', deviceEfficiencyPipeline({ ...everything, month }))
    expect(whole.stages).not.toContain('SORT')
    expect(whole.documents).toBe(0)
  })

  it('are those of the Mongoose models too', async () => {
    const pipeline = dailyByClassroomPipeline({ ...days, ...everything, classrooms: rooms })
    const model = volt.database.models.of(volt.entityOf('dailyAggregates'))
    const rows = await model.aggregate<NonNullable<(typeof pipeline)['row']>>(pipeline)
    expect(rows).toHaveLength(7)
    expect(rows[0]).toMatchObject({
      day: '2026-02-03',
      classroom: rooms[0],
      switches: 3,
      documents: 3,
      currency: 'EUR',
    })
  })
})
