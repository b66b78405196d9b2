import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { DailyAggregate } from '../../../src/energy/roll-ups/daily-aggregate.js'
import type { MonthlyAggregate } from '../../../src/energy/roll-ups/monthly-aggregate.js'
import { costVersionEntity } from '../../../src/energy/tariffs/cost-version.js'
import type { HostEvent } from '../../ledger/support/events.js'
import { histories, rooms } from '../../ledger/support/histories.js'
import { aClassroom, aCostVersion } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { aSite, eventsOf } from '../support/site.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

beforeEach(async () => {
  const names = [
    'classrooms',
    'devices',
    'cost_versions',
    'power_consumption_ledger',
    'daily_aggregates',
    'monthly_aggregates',
    'rollup_cursors',
  ]
  for (const name of names) await database.db.collection(name).deleteMany({})
})

const derived = ['power_consumption_ledger', 'daily_aggregates', 'monthly_aggregates', 'rollup_cursors']
const days = () => database.db.collection<DailyAggregate>('daily_aggregates').find().sort({ date_string: 1 }).toArray()
const months = () => database.db.collection<MonthlyAggregate>('monthly_aggregates').find().sort({ month: 1 }).toArray()
const march = { from: '2026-02-25', to: '2026-04-05' }

describe('a daily document', () => {
  it('has what a device used in a day, by switch and hour, and what it cost', async () => {
    const version = await volt.repository(costVersionEntity).create(
      aCostVersion({
        startsAt: new Date('2020-01-01'),
        currency: 'INR',
        pricePerKwh: 7.5,
        feedInPricePerKwh: 2,
        carbonIntensityGPerKwh: 700,
      }),
    )
    const { room, device, switchId, event } = await aSite(volt)
    await volt.ledger.append([
      event.power('2026-03-02T10:30:00Z', 1000),
      event.power('2026-03-02T12:00:00Z', -500),
      event.power('2026-03-02T13:00:00Z', 0, { gapLimitMs: 1000 }),
      event.power('2026-03-02T14:00:00Z', 0),
    ])
    expect(await volt.rollUps.update()).toEqual({ entries: 4, days: 1, conflicts: 0 })
    const [day] = await days()
    expect(day).toMatchObject({
      device_id: device._id,
      esp32_name: device.name,
      classroom: room,
      time_zone: 'UTC',
      tariff: 'default',
      date_string: '2026-03-02',
      starts_at: new Date('2026-03-02'),
      ends_at: new Date('2026-03-03'),
      energy_mws: 1.5 * 3.6e9,
      production_mws: 0.5 * 3.6e9,
      on_ms: 2.5 * 3.6e6,
      measured_ms: 2.5 * 3.6e6,
      missing_ms: 3.6e6,
      total_kwh: 1.5,
      production_kwh: 0.5,
      on_time_sec: 9000,
      cost_at_calc_time: 11.25,
      cost_per_kwh_used: 7.5,
      currency: 'INR',
      cost_versions: [version._id],
      switch_count: 1,
      confidence: 'medium',
    })
    expect(String(day?.earnings_exact)).toBe(String(1e6 * 3.6e9))
    expect(String(day?.carbon_exact)).toBe(String(1050n * 1_000_000n * 3_600_000_000n))
    expect(day?.switch_breakdown).toMatchObject([
      {
        switch_id: switchId,
        switch_name: device.switches[0]?.name,
        energy_kwh: 1.5,
        on_time_sec: 9000,
        cost: 11.25,
        slots: {
          at_ms: [10, 11, 12, 13].map((hour) => hour * 3.6e6),
          energy_mws: [1.8e9, 3.6e9, 0, 0],
          production_mws: [0, 0, 1.8e9, 0],
          on_ms: [1.8e6, 3.6e6, 3.6e6, 0],
          measured_ms: [1.8e6, 3.6e6, 3.6e6, 0],
          missing_ms: [0, 0, 0, 3.6e6],
        },
      },
    ])
    const [month] = await months()
    expect(month).toMatchObject({
      month: '2026-03',
      energy_mws: 1.5 * 3.6e9,
      cost_at_calc_time: 11.25,
      days: { day: [2], energy_mws: [5.4e9], production_mws: [1.8e9] },
    })
    expect(month?.hours_mws.slice(10, 13)).toEqual([1.8e9, 3.6e9, 0])
    expect(month?.hours_switches.slice(9, 13)).toEqual([0, 1, 1, 0])
  })

  it('is that of the civil day, whose hours are cut where clocks change and where a price does', async () => {
    await volt.repository(costVersionEntity).create(
      aCostVersion({
        startsAt: new Date('2020-01-01'),
        currency: 'EUR',
        pricePerKwh: 0.4,
        bands: [{ from: '00:30', to: '05:30', pricePerKwh: 0.1 }],
      }),
    )
    const { event } = await aSite(volt, { timeZone: 'Europe/Berlin' })
    await volt.ledger.append([event.power('2026-03-28T23:00:00Z', 1000), event.power('2026-03-29T22:00:00Z', 0)])
    await volt.rollUps.update()
    const [day, ...others] = await days()
    expect(others).toEqual([])
    expect(day).toMatchObject({ date_string: '2026-03-29', total_kwh: 23, cost_at_calc_time: 0.4 * 19 + 0.1 * 4 })
    // 02:00 to 03:00 is skipped: 03:00 is two hours after the start of the day.
    expect(day?.price_cuts_ms).toEqual([0.5, 4.5].map((hours) => hours * 3.6e6))
    expect(day?.switch_breakdown[0]?.slots.at_ms).toHaveLength(25)
  })

  it('goes again when a late reading shows that nothing was', async () => {
    const { event } = await aSite(volt)
    await volt.ledger.append([event.counter('2026-03-02T10:00:00Z', 100), event.counter('2026-03-05T10:00:00Z', 101)])
    await volt.rollUps.update()
    expect(await days()).toHaveLength(4)
    expect((await months())[0]?.total_kwh).toBe(1)
    await volt.ledger.append([event.counter('2026-03-02T11:00:00Z', 101)])
    await volt.rollUps.update()
    expect((await days()).map(({ total_kwh }) => total_kwh)).toEqual([1, 0, 0, 0])
    expect(await volt.rollUps.verify(march)).toMatchObject({ valid: true, devices: 1 })
  })
})

describe('whatever the order in which facts come', () => {
  it.each([['rated', 'power', 'counter'] as const, ['counter'] as const, ['power'] as const])(
    'the roll-ups are what the ledger says (%s)',
    { timeout: 600_000 },
    async (...sources) => {
      await volt.classrooms.createMany([
        { ...aClassroom({ timeZone: 'Asia/Kathmandu' }), _id: rooms[0] },
        { ...aClassroom({ timeZone: 'Australia/Lord_Howe' }), _id: rooms[1] },
      ])
      await volt.repository(costVersionEntity).create(
        aCostVersion({
          startsAt: new Date('2020-01-01'),
          currency: 'EUR',
          pricePerKwh: 0.31,
          bands: [{ from: '16:07', to: '18:30', pricePerKwh: 0.123456 }],
        }),
      )
      await fc.assert(
        fc.asyncProperty(histories(...sources), fc.infiniteStream(fc.nat()), async (history, stream) => {
          for (const name of derived) await database.db.collection(name).deleteMany({})
          const draws = stream[Symbol.iterator]()
          const draw = (below: number) => (draws.next().value as number) % below
          const deviceId = new ObjectId()
          const left: HostEvent[] = history.map((event) => ({ ...event, deviceId }))
          while (left.length > 0) {
            const batch = Array.from({ length: 1 + draw(6) }, () => left.splice(draw(left.length), 1)).flat()
            await volt.ledger.append(draw(3) === 0 ? [...batch, ...batch.slice(0, 1)] : batch)
            if (draw(2) === 0) await volt.rollUps.update()
          }
          await volt.rollUps.update()
          const report = await volt.rollUps.verify(march)
          expect(report.differences).toEqual([])
          expect(await volt.rollUps.rebuild(march)).toEqual({ days: 0, months: 0 })
          const last = await volt.ledger.findOne({ deviceId }, { sort: { sequence: -1 } })
          const ofDevice = (await days()).filter(({ device_id }) => device_id.equals(deviceId))
          const sum = ofDevice.reduce((total, { energy_mws }) => total + energy_mws, 0)
          expect(sum).toBe(Math.round((last?.cumulativeEnergy ?? 0) * 1000))
        }),
        { numRuns: 4 },
      )
    },
  )
})

it('rebuilds what was changed, and names it', async () => {
  const { device, event } = await aSite(volt)
  await volt.ledger.append([
    event.power('2026-03-02T10:00:00Z', 1000),
    event.power('2026-03-02T12:00:00Z', 0),
    event.power('2026-03-03T10:00:00Z', 1000),
    event.power('2026-03-03T12:00:00Z', 0),
  ])
  await volt.rollUps.update()
  const before = [await days(), await months()]
  await database.db
    .collection('daily_aggregates')
    .updateOne({ date_string: '2026-03-02' }, { $set: { 'switch_breakdown.0.slots.energy_mws.0': 1, energy_mws: 1 } })
  await database.db.collection('daily_aggregates').deleteOne({ date_string: '2026-03-03' })
  const found = await volt.rollUps.verify({ from: '2026-03-02', to: '2026-03-03' })
  expect(found).toMatchObject({ valid: false, devices: 1 })
  expect(found.differences.map(({ kind, date, deviceId }) => [kind, date, deviceId])).toEqual([
    ['day', '2026-03-02', String(device._id)],
    ['day', '2026-03-03', String(device._id)],
  ])
  expect(await volt.rollUps.rebuild(march)).toEqual({ days: 2, months: 0 })
  const strip = (documents: object[]) =>
    documents.map((one) => ({ ...one, _id: 0, __v: 0, createdAt: 0, updatedAt: 0 }))
  expect([strip(await days()), strip(await months())]).toEqual(before.map(strip))
})

it('counts what was adjusted by hand', async () => {
  const { event } = await aSite(volt)
  const adjustment = { energyWs: 7.2e6, productionWs: 0, cost: 3.25 }
  const adjusted = event.adjustment('2026-03-03T10:00:00Z', adjustment)
  await volt.ledger.append([event.power('2026-03-02T10:00:00Z', 0), adjusted])
  await volt.rollUps.update()
  const day = (await days()).find(({ date_string }) => date_string === '2026-03-03')
  expect(day).toMatchObject({ total_kwh: 2, cost_at_calc_time: 3.25 })
  expect(await volt.rollUps.verify(march)).toMatchObject({ valid: true })
})

it('counts what a solar inverter gives as production, and what it brings', async () => {
  const { event } = await aSite(volt)
  await volt.tariffs.set({
    startsAt: new Date('2026-01-01'),
    currency: 'EUR',
    pricePerKwh: 0.3,
    feedInPricePerKwh: 0.08,
  })
  const inverter = { energyDirection: 'production' } as const
  await volt.ledger.append([
    event.counter('2026-03-02T10:00:00Z', 100, inverter),
    event.counter('2026-03-02T11:30:00Z', 110, inverter),
  ])
  await volt.rollUps.update()
  const [day] = await days()
  expect(day).toMatchObject({ total_kwh: 0, production_kwh: 10, cost_at_calc_time: 0, on_time_sec: 5400 })
  expect(String(day?.earnings_exact)).toBe(String((8n * 3_600_000_000_000_000n) / 10n))
  expect(await volt.rollUps.verify(march)).toMatchObject({ valid: true })
})

it('keeps the days of two devices, and of a classroom that one has left', async () => {
  const one = await aSite(volt)
  const two = await aSite(volt)
  const other = eventsOf({ ...one.device, classroom: two.room })
  await volt.ledger.append([
    one.event.power('2026-03-02T10:00:00Z', 100),
    other.power('2026-03-02T11:00:00Z', 100),
    other.power('2026-03-02T12:00:00Z', 100),
    two.event.power('2026-03-02T10:00:00Z', 300),
    two.event.power('2026-03-02T11:00:00Z', 0),
  ])
  await volt.rollUps.update()
  const found = (await days()).map(({ device_id, classroom, total_kwh }) => [
    String(device_id),
    String(classroom),
    total_kwh,
  ])
  const [a, b] = [String(one.device._id), String(two.device._id)]
  expect(found.sort()).toEqual(
    [
      [a, String(one.room), 0.1],
      [a, String(two.room), 0.1],
      [b, String(two.room), 0.3],
    ].sort(),
  )
})

it('goes on after what another worker has written, and after everything was emptied', async () => {
  const { event } = await aSite(volt)
  const other = await openVolt(database)
  let hour = 0
  const append = () => volt.ledger.append([event.power(new Date(Date.UTC(2026, 2, 2, hour++)).toISOString(), 1000)])
  for (const worker of [volt, volt, volt, other, volt, volt, other, other, volt]) {
    await append()
    expect(await worker.rollUps.update()).toMatchObject({ entries: 1 })
  }
  expect((await days())[0]?.total_kwh).toBe(8)
  expect(await volt.rollUps.verify(march)).toMatchObject({ valid: true })

  await volt.tariffs.set({ startsAt: new Date('2026-01-01'), currency: 'EUR', pricePerKwh: 0.5 })
  await other.rollUps.recost()
  await append()
  expect(await volt.rollUps.update()).toMatchObject({ entries: 1 })
  expect((await days())[0]).toMatchObject({ total_kwh: 9, cost_at_calc_time: 4.5 })
  expect((await months())[0]).toMatchObject({ total_kwh: 9, cost_at_calc_time: 4.5 })

  for (const name of derived.slice(1)) await database.db.collection(name).deleteMany({})
  expect(await volt.rollUps.update()).toMatchObject({ entries: 10 })
  expect(await volt.rollUps.verify(march)).toMatchObject({ valid: true })
})

it.each(['update', 'recost', 'rebuild'] as const)('refuses to %s inside a transaction', async (name) => {
  await expect(volt.transaction(async () => void (await volt.rollUps[name](march)))).rejects.toMatchObject({
    code: 'TRANSACTION',
  })
})
