import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { DailyAggregate } from '../../../src/energy/roll-ups/daily-aggregate.js'
import type { MonthlyAggregate } from '../../../src/energy/roll-ups/monthly-aggregate.js'
import { setUpDatabase } from '../../support/database.js'
import { SettableClock } from '../../support/settable-clock.js'
import { openVolt } from '../../support/volt.js'
import { aSite } from '../support/site.js'

const database = setUpDatabase()
const clock = new SettableClock()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { clock })
  await volt.setup()
})

beforeEach(async () => {
  for (const { name } of await database.db.listCollections().toArray()) {
    if (!name.startsWith('system.')) await database.db.collection(name).deleteMany({})
  }
})

const days = () => database.db.collection<DailyAggregate>('daily_aggregates').find().sort({ date_string: 1 }).toArray()
const months = () => database.db.collection<MonthlyAggregate>('monthly_aggregates').find().sort({ month: 1 }).toArray()
const costs = async () => (await days()).map(({ cost_at_calc_time }) => cost_at_calc_time)
const spring = { from: '2026-03-01', to: '2026-04-30' }

/** A kWh an hour, for three days and a bit. */
async function threeDays() {
  const site = await aSite(volt)
  await volt.ledger.append([
    site.event.power('2026-03-02T00:00:00Z', 1000),
    site.event.power('2026-03-05T00:00:00Z', 0),
    site.event.power('2026-03-05T12:00:00Z', 0),
  ])
  return site
}

it('computes again exactly the days that a back-dated version touches, from their hours', async () => {
  await threeDays()
  await volt.tariffs.set({ startsAt: new Date('2026-01-01'), currency: 'EUR', pricePerKwh: 0.3 })
  await volt.rollUps.update()
  expect(await volt.rollUps.recost()).toEqual({ days: 0, settling: 1 })
  expect(await costs()).toEqual([7.2, 7.2, 7.2, 0])
  const before = await days()

  await volt.tariffs.set({ startsAt: new Date('2026-03-03T12:00:00Z'), currency: 'EUR', pricePerKwh: 0.4 })
  await volt.tariffs.set({ startsAt: new Date('2026-03-04T00:00:00Z'), currency: 'EUR', pricePerKwh: 0.5 })
  expect(await volt.rollUps.recost()).toMatchObject({ days: expect.any(Number), settling: 3 })
  expect(await costs()).toEqual([7.2, 8.4, 12, 0])
  expect((await months())[0]).toMatchObject({ cost_at_calc_time: 27.6, total_kwh: 72 })
  expect((await days())[0]).toEqual(before[0])
  expect(await volt.rollUps.verify(spring)).toMatchObject({ valid: true })
})

it('cuts the hours anew in which a price changes now', async () => {
  await threeDays()
  await volt.tariffs.set({ startsAt: new Date('2026-01-01'), currency: 'EUR', pricePerKwh: 0.3 })
  await volt.rollUps.update()
  await volt.rollUps.recost()
  const bands = [{ from: '06:30', to: '07:00', pricePerKwh: 0.1 }]
  await volt.tariffs.set({ startsAt: new Date('2026-03-03T00:00:00Z'), currency: 'EUR', pricePerKwh: 0.3, bands })
  await volt.rollUps.recost()
  expect(await costs()).toEqual([7.2, 7.1, 7.1, 0])
  const [first, second] = await days()
  expect(first?.price_cuts_ms).toBeUndefined()
  expect(second?.price_cuts_ms).toEqual([6.5 * 3.6e6])
  expect(await volt.rollUps.verify(spring)).toMatchObject({ valid: true })
})

it('looks once more at what was written meanwhile by somebody who did not know', async () => {
  await threeDays()
  await volt.tariffs.set({ startsAt: new Date('2026-01-01'), currency: 'EUR', pricePerKwh: 0.3 })
  await volt.rollUps.update()
  await volt.rollUps.recost()
  // As a worker would have written it that began before the version was there.
  await database.db.collection('daily_aggregates').updateMany({}, { $set: { currency: null, cost_versions: [] } })
  expect(await volt.rollUps.recost()).toEqual({ days: 0, settling: 1 })
  clock.advance(90_000)
  expect(await volt.rollUps.recost()).toEqual({ days: 4, settling: 0 })
  expect(await volt.rollUps.recost()).toEqual({ days: 0, settling: 0 })
  expect(await database.db.collection('recostings').distinct('state')).toEqual(['finished'])
})

it('goes on where a killed worker has stopped', async () => {
  const sites = [await threeDays(), await threeDays()]
  await volt.tariffs.set({ startsAt: new Date('2026-01-01'), currency: 'EUR', pricePerKwh: 0.3 })
  await volt.rollUps.update()
  await volt.rollUps.recost()
  await volt.tariffs.set({ startsAt: new Date('2026-01-02'), currency: 'EUR', pricePerKwh: 0.6 })
  const [one = new ObjectId()] = sites.map(({ device }) => device._id).sort((a, b) => (String(a) < String(b) ? -1 : 1))
  await database.db.collection('recostings').updateMany({ state: 'pending' }, { $set: { through_device: one } })
  await volt.rollUps.recost()
  const done = (await days()).filter(({ cost_at_calc_time }) => cost_at_calc_time === 14.4)
  expect(done.map(({ device_id }) => device_id.equals(one))).toEqual([false, false, false])
})

it('writes what the days would be if they were made anew, and only what has changed of them', async () => {
  const site = await aSite(volt)
  await volt.ledger.append([
    site.event.power('2026-03-02T00:00:00Z', 1000),
    site.event.power('2026-03-02T09:00:00Z', -2000),
    site.event.power('2026-03-02T15:30:00Z', 300),
    site.event.power('2026-03-03T03:00:00Z', 0),
    site.event.adjustment('2026-03-03T20:00:00Z', { energyWs: 3600, productionWs: 0, cost: 1.25 }),
    site.event.power('2026-03-03T21:00:00Z', 0),
  ])
  const bands = [{ from: '06:00', to: '20:00', pricePerKwh: 0.35 }]
  const version = { currency: 'EUR', pricePerKwh: 0.2, bands, feedInPricePerKwh: 0.08, carbonIntensityGPerKwh: 400 }
  await volt.tariffs.set({ ...version, startsAt: new Date('2026-01-01') })
  await volt.rollUps.update()
  await volt.rollUps.recost()
  const [before] = await days()
  const dearer = { ...version, pricePerKwh: 0.3, feedInPricePerKwh: 0.1, carbonIntensityGPerKwh: 500 }
  await volt.tariffs.set({ ...dearer, startsAt: new Date('2026-03-02T10:00:00Z') })
  expect(await volt.rollUps.recost()).toMatchObject({ days: 2 })

  const [after] = await days()
  expect(after?.switch_breakdown[0]?.slots).toEqual(before?.switch_breakdown[0]?.slots)
  expect(after?.cost_versions).toHaveLength(2)
  expect(after?.__v).toBe(1)
  expect(await volt.rollUps.verify(spring)).toMatchObject({ valid: true })
  const [recosted, ofMonths] = [await days(), await months()]
  expect(await volt.rollUps.rebuild(spring)).toEqual({ days: 0, months: 0 })
  expect([await days(), await months()]).toEqual([recosted, ofMonths])
})

it('takes the cost of an adjustment from the adjustment, whatever the tariff', async () => {
  const { event } = await aSite(volt)
  await volt.tariffs.set({
    startsAt: new Date('2026-01-01'),
    currency: 'EUR',
    pricePerKwh: 8,
    feedInPricePerKwh: 2,
    carbonIntensityGPerKwh: 100,
  })
  await volt.ledger.append([
    event.power('2026-03-02T10:00:00Z', 1000),
    event.power('2026-03-02T11:00:00Z', 0),
    event.adjustment('2026-03-02T12:00:00Z', { energyWs: 9e6, productionWs: 3.6e6, cost: 20 }),
    event.adjustment('2026-03-03T12:00:00Z', { energyWs: -3.6e6, productionWs: 0, cost: 0 }),
  ])
  await volt.rollUps.update()
  expect(await costs()).toEqual([28, 0])
  const [day] = await days()
  expect(day).toMatchObject({ total_kwh: 3.5, production_kwh: 1 })
  expect([String(day?.earnings_exact), String(day?.carbon_exact)]).toEqual(['0', String(350n * 3_600_000_000_000_000n)])
  expect((await months())[0]).toMatchObject({ total_kwh: 2.5, cost_at_calc_time: 28 })

  await volt.tariffs.set({ startsAt: new Date('2026-02-01'), currency: 'EUR', pricePerKwh: 10 })
  await volt.rollUps.recost()
  expect(await costs()).toEqual([30, 0])
  expect(await volt.rollUps.verify(spring)).toMatchObject({ valid: true })
  expect(await volt.rollUps.rebuild(spring)).toEqual({ days: 0, months: 0 })
})

it('computes all days of a classroom again that has another tariff now, in its currency', async () => {
  const { room, event } = await threeDays()
  const start = { startsAt: new Date('2026-01-01') }
  await volt.tariffs.set({ ...start, currency: 'EUR', pricePerKwh: 0.3 })
  const bands = [{ from: '06:30', to: '18:00', pricePerKwh: 9 }]
  await volt.tariffs.set({ ...start, tariff: 'village', currency: 'INR', pricePerKwh: 8, bands })
  await volt.rollUps.update()
  await volt.rollUps.recost()
  expect(await costs()).toEqual([7.2, 7.2, 7.2, 0])

  await volt.classrooms.update(room, { tariff: 'village' })
  await volt.ledger.append([event.power('2026-03-05T14:00:00Z', 1000), event.power('2026-03-05T16:00:00Z', 0)])
  await volt.rollUps.update()
  expect((await volt.rollUps.verify(spring)).differences[0]).toMatchObject({
    expectedKwh: 24,
    foundKwh: 24,
    expectedCost: 203.5,
    foundCost: 7.2,
  })
  expect(await volt.rollUps.recost()).toMatchObject({ days: 4 })
  expect(
    (await days()).map(({ cost_at_calc_time, currency, tariff }) => [cost_at_calc_time, currency, tariff]),
  ).toEqual([203.5, 203.5, 203.5, 18].map((cost) => [cost, 'INR', 'village']))
  expect((await months())[0]).toMatchObject({ cost_at_calc_time: 628.5, currency: 'INR', tariff: 'village' })
  expect(await volt.rollUps.verify(spring)).toMatchObject({ valid: true })
  expect(await volt.analytics.monthlyTrends({ from: '2026-03', to: '2026-03' })).toMatchObject([
    { month: '2026-03', currency: 'INR', totalCost: 628.5 },
  ])
  expect(await volt.rollUps.recost()).toMatchObject({ days: 0 })
})

it('notices that a classroom got another tariff before anything was ever re-costed', async () => {
  const { room } = await threeDays()
  await volt.tariffs.set({ startsAt: new Date('2026-01-01'), currency: 'EUR', pricePerKwh: 0.3 })
  await volt.tariffs.set({ startsAt: new Date('2026-01-01'), tariff: 'other', currency: 'EUR', pricePerKwh: 0.5 })
  await volt.rollUps.update()
  await volt.classrooms.update(room, { tariff: 'other' })
  await volt.rollUps.recost()
  expect(await costs()).toEqual([12, 12, 12, 0])
  await volt.classrooms.update(room, { tariff: 'default' })
  await volt.rollUps.recost()
  expect(await costs()).toEqual([7.2, 7.2, 7.2, 0])
})

it('cuts hours anew also in a day that was written after the change and before the re-costing', async () => {
  const { event } = await threeDays()
  await volt.tariffs.set({ startsAt: new Date('2026-01-01'), currency: 'EUR', pricePerKwh: 0.3 })
  await volt.rollUps.update()
  await volt.rollUps.recost()
  const version = { currency: 'EUR', pricePerKwh: 0.3 }
  const bands = [{ from: '06:30', to: '07:00', pricePerKwh: 1.3 }]
  await volt.tariffs.set({ ...version, startsAt: new Date('2026-03-03'), bands })
  await volt.tariffs.set({ ...version, startsAt: new Date('2026-03-04') })
  await volt.ledger.append([event.power('2026-03-03T10:00:00Z', 2000), event.power('2026-03-03T11:00:00Z', 1000)])
  await volt.rollUps.update()
  await volt.rollUps.recost()
  expect(await costs()).toEqual([7.2, 8, 7.2, 0])
  expect(await volt.rollUps.verify(spring)).toMatchObject({ valid: true })
})
