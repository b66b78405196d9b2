import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { consumersPipeline, dailySummaryPipeline } from '../../../src/energy/analytics/daily-pipelines.js'
import { RollUpReader } from '../../../src/energy/analytics/roll-up-reader.js'
import { exactOf } from '../../../src/energy/exact-decimal.js'
import { dailyAggregateEntity } from '../../../src/energy/roll-ups/daily-aggregate.js'
import { monthlyAggregateEntity } from '../../../src/energy/roll-ups/monthly-aggregate.js'
import { analyticsDatabase } from './support/analytics.js'
import { aRollUpSite, kWh, type Use, writeRollUps } from './support/roll-ups.js'

const { database, volt, analytics } = await analyticsDatabase()
const reader = new RollUpReader(volt.database, { daily: dailyAggregateEntity, monthly: monthlyAggregateEntity })

const rooms = [new ObjectId(), new ObjectId()]
const zones = ['UTC', 'Asia/Kathmandu', 'America/St_Johns']
const sites = Array.from({ length: 5 }, (_, at) =>
  aRollUpSite({ classroom: rooms[at % 2]!, timeZone: zones[at % 3]!, pricePerKwh: [0.123457, 7.5, 0][at % 3]! }),
)
const startMs = Date.parse('2026-01-20T00:00:00Z')
const hours = 45 * 24
const uses = fc.uniqueArray(
  fc.record({
    site: fc.constantFrom(...sites),
    hour: fc.integer({ min: 0, max: hours - 1 }),
    energyMws: fc.integer({ min: 0, max: 10 * kWh }),
    productionMws: fc.integer({ min: 0, max: kWh }),
  }),
  { maxLength: 40, selector: ({ site, hour }) => `${site.device} ${hour}` },
)
const everything = { from: '2026-01-19', to: '2026-03-06' }
const scope = { ...everything, classrooms: undefined, devices: undefined }
const total = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0)
const mws = (kwh: number) => Math.round(kwh * kWh)

describe('sums of one set of roll-ups', () => {
  it('agree, whatever they are grouped by, to the milliwatt-second and the fraction of a cent', async () => {
    await fc.assert(
      fc.asyncProperty(uses, async (drawn) => {
        for (const name of ['daily_aggregates', 'monthly_aggregates']) await database.db.collection(name).deleteMany({})
        const written = drawn.map(
          ({ hour, ...use }): Use => ({ ...use, at: new Date(startMs + hour * 3_600_000).toISOString() }),
        )
        await writeRollUps(database, written)
        const whole = total(written.map(({ energyMws }) => energyMws))

        const sums = await Promise.all([
          reader.daily(dailySummaryPipeline(scope)),
          reader.daily(consumersPipeline(scope, 'device_id')),
          reader.daily(consumersPipeline(scope, 'classroom')),
        ])
        const costs = sums.map((rows) => rows.reduce((sum, row) => sum + exactOf(row.cost_exact), 0n))
        for (const rows of sums) expect(total(rows.map((row) => row.energy_mws))).toBe(whole)
        expect(new Set(costs).size).toBe(1)

        const [months, peaks, devices, curve, byMonth] = await Promise.all([
          analytics.monthlyTrends({ from: '2026-01', to: '2026-03' }),
          analytics.peakHours(everything),
          analytics.deviceEfficiency(everything),
          analytics.loadCurve(everything),
          analytics.costs({ ...everything, by: 'month' }),
        ])
        for (const rows of [months, peaks, devices, byMonth]) {
          expect(total(rows.map((row) => mws(row.totalEnergyKwh)))).toBe(whole)
        }
        expect(total(curve.map(({ energyKwh }) => mws(energyKwh)))).toBe(whole)
        const exact = Number((costs[0] ?? 0n) / 36_000_000_000_000n) / 100
        const rounded = total(byMonth.map(({ totalCost }) => totalCost ?? 0))
        expect(Math.abs(rounded - exact)).toBeLessThan(0.03)
      }),
      { numRuns: 12 },
    )
  })
})
