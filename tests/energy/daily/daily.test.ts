import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { aClassroom, powerSettings } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { aSite, emptyBeforeEach, eventsOf } from '../support/site.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})
emptyBeforeEach(database)

const march = { from: '2026-03-01', to: '2026-03-31' }
const kwhByDay = (days: readonly { day: string; energyKwh: number }[]) =>
  days.map(({ day, energyKwh }) => [day, energyKwh])

describe('the energy of a day', () => {
  it('is what the classroom used, what it cost, and how well that is known', async () => {
    await volt.powerSettings.create(powerSettings({ electricityPrice: 7.5, currency: 'INR' }))
    const { room, event } = await aSite(volt)
    await volt.ledger.append([
      event.power('2026-03-02T10:00:00Z', 1000),
      event.power('2026-03-02T12:00:00Z', -500),
      event.power('2026-03-02T13:00:00Z', 0, { gapLimitMs: 1000 }),
      event.power('2026-03-02T14:00:00Z', 0),
    ])
    expect(await volt.energy.dailyByClassroom(march)).toEqual([
      {
        day: '2026-03-02',
        classroom: room,
        energyKwh: 2,
        productionKwh: 0.5,
        cost: 15,
        currency: 'INR',
        measuredSeconds: 3 * 3600,
        estimatedSeconds: 0,
        missingSeconds: 3600,
        qualityScore: 75,
        confidence: 'medium',
        isPending: false,
      },
    ])
  })

  it('is that of the classroom or of the switch, by day and then by id', async () => {
    const sites = [await aSite(volt), await aSite(volt)]
    for (const { event } of sites) {
      await volt.ledger.append([
        event.rated('2026-03-02T22:00:00Z', true),
        event.rated('2026-03-03T01:00:00Z', false),
        event.rated('2026-03-04T00:00:00Z', false),
      ])
    }
    const bySwitch = await volt.energy.dailyBySwitch(march)
    const ids = sites.map(({ switchId }) => switchId)
    expect(bySwitch.map(({ day, switchId, energyKwh }) => [day, switchId, energyKwh])).toEqual([
      ['2026-03-02', ids[0], 2],
      ['2026-03-02', ids[1], 2],
      ['2026-03-03', ids[0], 1],
      ['2026-03-03', ids[1], 1],
    ])
    const byClassroom = await volt.energy.dailyByClassroom(march)
    expect(byClassroom.map(({ classroom }) => classroom)).toEqual([0, 1, 0, 1].map((site) => sites[site]?.room))
  })

  it('is the civil day of the classroom, of 23 and of 25 hours', async () => {
    const { event } = await aSite(volt, { timeZone: 'Europe/Berlin' })
    await volt.ledger.append([
      event.rated('2026-03-27T23:00:00Z', true),
      event.rated('2026-03-30T22:00:00Z', false),
      event.rated('2026-10-23T22:00:00Z', true),
      event.rated('2026-10-26T23:00:00Z', false),
    ])
    expect(kwhByDay(await volt.energy.dailyByClassroom(march))).toEqual([
      ['2026-03-28', 24],
      ['2026-03-29', 23],
      ['2026-03-30', 24],
      ['2026-03-31', 0],
    ])
    const autumn = { from: '2026-10-24', to: '2026-10-26' }
    expect(kwhByDay(await volt.energy.dailyByClassroom(autumn))).toEqual([
      ['2026-10-24', 24],
      ['2026-10-25', 25],
      ['2026-10-26', 24],
    ])
  })

  it('begins where the zone has it, also at a quarter to', async () => {
    const { event } = await aSite(volt, { timeZone: 'Asia/Kathmandu' })
    await volt.ledger.append([event.rated('2026-03-02T17:15:00Z', true), event.rated('2026-03-02T19:15:00Z', false)])
    const days = { from: '2026-03-02', to: '2026-03-03' }
    expect(kwhByDay(await volt.energy.dailyByClassroom(days))).toEqual([
      ['2026-03-02', 1],
      ['2026-03-03', 1],
    ])
  })

  it('is computed in the zone of each classroom, whatever the others have', async () => {
    const [east, west] = [
      await aSite(volt, { timeZone: 'Pacific/Auckland' }),
      await aSite(volt, { timeZone: 'Pacific/Honolulu' }),
    ]
    for (const { event } of [east, west]) {
      await volt.ledger.append([event.rated('2026-03-02T11:30:00Z', true), event.rated('2026-03-02T12:30:00Z', false)])
    }
    const of = (day: string) => volt.energy.dailyByClassroom({ from: day, to: day })
    expect(await of('2026-03-01')).toEqual([])
    expect(await of('2026-03-02')).toMatchObject([{ classroom: west.room, energyKwh: 1 }])
    expect(await of('2026-03-03')).toMatchObject([{ classroom: east.room, energyKwh: 1 }])
  })

  it('is the same whether it is asked for alone or with others, to the milliwatt-second', async () => {
    const { event } = await aSite(volt, { timeZone: 'Asia/Kolkata' })
    await volt.ledger.append([
      event.counter('2026-03-02T10:00:00Z', 1),
      event.counter('2026-03-05T10:00:00Z', 1.000_001),
      event.counter('2026-03-09T10:00:00Z', 8),
    ])
    const together = await volt.energy.dailyBySwitch(march)
    const alone = []
    for (const { day } of together) alone.push(...(await volt.energy.dailyBySwitch({ from: day, to: day })))
    expect(alone).toEqual(together)
    const mws = together.map(({ energyKwh }) => Math.round(energyKwh * 3.6e9))
    expect(mws.reduce((sum, one) => sum + one)).toBe(7 * 3.6e9)
  })

  it('goes to the classroom that the device was in, and without a tariff to the rate of its entry', async () => {
    const { room, event } = await aSite(volt)
    const elsewhere = (await volt.classrooms.create(aClassroom({ timeZone: 'UTC' })))._id
    await volt.ledger.append([
      event.power('2026-03-02T10:00:00Z', 1000, { ratePerKwh: 0.3 }),
      event.power('2026-03-02T11:00:00Z', 1000, { ratePerKwh: 0.4 }),
      event.power('2026-03-02T13:00:00Z', 1000, { ratePerKwh: 0.4, classroom: elsewhere }),
      event.power('2026-03-02T14:00:00Z', 0, { ratePerKwh: 0.5, classroom: elsewhere }),
    ])
    const days = await volt.energy.dailyByClassroom(march)
    expect(days).toHaveLength(2)
    expect(days).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ classroom: room, energyKwh: 3, cost: 1.1 }),
        expect.objectContaining({ classroom: elsewhere, energyKwh: 1, cost: 0.4 }),
      ]),
    )
    expect(await volt.energy.dailyBySwitch(march)).toMatchObject([{ energyKwh: 4, cost: 1.5 }])
  })

  it('follows a counter through a change of price and classroom', async () => {
    const { room, event } = await aSite(volt)
    const elsewhere = (await volt.classrooms.create(aClassroom({ timeZone: 'UTC' })))._id
    await volt.ledger.append([
      event.counter('2026-03-02T10:00:00Z', 100, { ratePerKwh: 1 }),
      event.counter('2026-03-02T11:00:00Z', 101, { ratePerKwh: 2 }),
      event.counter('2026-03-02T12:00:00Z', 103, { ratePerKwh: 2, classroom: elsewhere }),
      event.counter('2026-03-02T13:00:00Z', 107, { ratePerKwh: 2, classroom: elsewhere }),
    ])
    const days = await volt.energy.dailyByClassroom(march)
    expect(new Map(days.map(({ classroom, energyKwh, cost }) => [String(classroom), [energyKwh, cost]]))).toEqual(
      new Map([
        [String(room), [3, 5]],
        [String(elsewhere), [4, 8]],
      ]),
    )
  })

  it.each([
    ['JPY', 1],
    ['EUR', 1.24],
    ['KWD', 1.235],
  ])('costs as many decimals as %s has', async (currency, cost) => {
    await volt.powerSettings.create(powerSettings({ currency, electricityPrice: 1.2351 }))
    const { event } = await aSite(volt)
    await volt.ledger.append([event.power('2026-03-02T10:00:00Z', 1000), event.power('2026-03-02T11:00:00Z', 0)])
    expect(await volt.energy.dailyByClassroom(march)).toMatchObject([{ cost, currency }])
  })

  it('costs by the tariff of each classroom as it is now, band by band, and is the same in the roll-ups', async () => {
    const start = { startsAt: new Date('2026-01-01') }
    const bands = [{ from: '22:00', to: '06:00', pricePerKwh: 0.1 }]
    await volt.tariffs.set({ ...start, tariff: 'home', currency: 'EUR', pricePerKwh: 0.3, bands })
    await volt.tariffs.set({ ...start, tariff: 'village', currency: 'JPY', pricePerKwh: 31 })
    const [home, village] = [await aSite(volt, { timeZone: 'Europe/Berlin' }), await aSite(volt)]
    await volt.classrooms.update(home.room, { tariff: 'home' })
    await volt.classrooms.update(village.room, { tariff: 'village' })
    for (const { event } of [home, village]) {
      await volt.ledger.append([
        event.power('2026-03-02T19:00:00Z', 1500, { ratePerKwh: 7 }),
        event.power('2026-03-02T22:00:00Z', 0),
      ])
    }
    const costs = async () =>
      (await volt.energy.dailyByClassroom(march)).map(({ classroom, cost, currency }) => [
        String(classroom),
        cost,
        currency,
      ])
    const expected = (cost: number) =>
      [
        [String(home.room), cost, 'EUR'],
        [String(village.room), 140, 'JPY'],
      ].sort()
    expect((await costs()).sort()).toEqual(expected(1.05))
    await volt.tariffs.set({ ...start, tariff: 'home', currency: 'EUR', pricePerKwh: 0.5, bands })
    expect((await costs()).sort()).toEqual(expected(1.65))
    await volt.rollUps.update()
    const asked = await volt.analytics.dailyByClassroom({ from: '2026-03-02', to: '2026-03-02' })
    expect(asked.map(({ classroom, totalCost, currency }) => [String(classroom), totalCost, currency]).sort()).toEqual(
      expected(1.65),
    )
  })

  it('has no currency where no price was ever set, and two decimals', async () => {
    const { event } = await aSite(volt)
    await volt.ledger.append([
      event.power('2026-03-02T10:00:00Z', 1000, { ratePerKwh: 1.2351 }),
      event.power('2026-03-02T11:00:00Z', 0),
    ])
    expect(await volt.energy.dailyByClassroom(march)).toMatchObject([{ cost: 1.24, currency: null }])
  })

  it('still counts what is no longer there: a device, a classroom, a switch of a device', async () => {
    const { room, device, switchId, event } = await aSite(volt, { timeZone: 'Asia/Kolkata' })
    await volt.ledger.append([event.rated('2026-03-02T20:00:00Z', true), event.rated('2026-03-02T21:00:00Z', false)])
    const before = await volt.energy.dailyByClassroom(march)
    expect(before).toMatchObject([{ day: '2026-03-03', classroom: room, energyKwh: 1 }])
    await volt.devices.update(device._id, { switches: [] })
    expect(await volt.energy.dailyByClassroom(march)).toEqual(before)
    await volt.devices.delete(device._id)
    await volt.classrooms.delete(room)
    expect(await volt.energy.dailyByClassroom(march)).toEqual(before)
    expect(await volt.energy.dailyBySwitch(march)).toMatchObject([{ switchId, energyKwh: 1 }])
  })

  it('is computed in UTC for a classroom that never was', async () => {
    const { device } = await aSite(volt)
    const event = eventsOf({ ...device, classroom: new ObjectId() })
    await volt.ledger.append([event.rated('2026-03-02T23:00:00Z', true), event.rated('2026-03-03T01:00:00Z', false)])
    expect(kwhByDay(await volt.energy.dailyByClassroom(march))).toEqual([
      ['2026-03-02', 1],
      ['2026-03-03', 1],
    ])
  })

  it('reaches to the last sign of life of a rated switch that is still on', async () => {
    const { event } = await aSite(volt, { lastSignOfLifeAt: new Date('2026-03-03T02:00:00Z') })
    await volt.ledger.append([event.rated('2026-03-02T23:00:00Z', true)])
    expect(kwhByDay(await volt.energy.dailyByClassroom(march))).toEqual([
      ['2026-03-02', 1],
      ['2026-03-03', 2],
    ])
  })

  it('holds for a load that is beyond all sense, of several switches together', async () => {
    const sites = [await aSite(volt), await aSite(volt), await aSite(volt)]
    for (const { event } of sites) {
      await volt.ledger.append([
        event.power('2026-03-02T10:00:00Z', 1e9),
        event.power('2026-03-02T12:12:00Z', 0),
        event.rated('2026-01-01T00:00:00Z', false, { powerRating: 1e6 }),
      ])
    }
    await volt.devices.update(sites[1]!.device._id, { classroom: sites[0]!.room })
    const days = await volt.energy.dailyByClassroom(march)
    expect(days.find(({ day }) => day === '2026-03-02')).toMatchObject({ energyKwh: 2.2e6, missingSeconds: 0 })
  })

  it('has what was adjusted by hand', async () => {
    const { event, device } = await aSite(volt)
    await volt.ledger.append([event.rated('2026-03-02T10:00:00Z', true), event.rated('2026-03-02T11:00:00Z', false)])
    const adjusted = { ...event.rated('2026-03-02T12:00:00Z', false), eventType: 'manual_adjustment' as const }
    const adjustment = { energyWs: -360_000, productionWs: 0, cost: -0.75 }
    await volt.ledger.append([{ ...adjusted, adjustment, notes: 'the lamp was changed' }])
    const [day] = await volt.energy.dailyBySwitch(march)
    expect(day).toMatchObject({ switchId: device.switches[0]?._id, energyKwh: 0.9 })
    const head = await volt.ledger.findOne({}, { sort: { sequence: -1 } })
    expect(head?.cumulativeEnergy).toBe(0.9 * 3.6e6)
  })

  it('says that the last readings of a counter wait for others', async () => {
    const { event } = await aSite(volt)
    const counter = (time: string, energyWh: number) => ({
      ...event.power(time, 0),
      energySource: 'counter' as const,
      reading: { energyWh, counterQuantumWh: 1 },
    })
    await volt.ledger.append([counter('2026-03-02T10:00:00Z', 100), counter('2026-03-02T10:01:00Z', 101)])
    expect((await volt.energy.dailyByClassroom(march))[0]?.isPending).toBe(false)
    await volt.ledger.append([counter('2026-03-02T10:02:00Z', 3)])
    expect((await volt.energy.dailyByClassroom(march))[0]).toMatchObject({ isPending: true, energyKwh: 0.001 })
  })

  it('is read in the transaction that asks for it', async () => {
    const { event } = await aSite(volt)
    await volt.transaction(async () => {
      await volt.ledger.append([event.rated('2026-03-02T20:00:00Z', true), event.rated('2026-03-02T21:00:00Z', false)])
      expect(kwhByDay(await volt.energy.dailyByClassroom(march))).toEqual([['2026-03-02', 1]])
      expect(await volt.energy.livePower()).toHaveLength(1)
    })
  })
})

describe('the days that are asked for', () => {
  it.each([
    ['from', { from: '2026-3-1', to: '2026-03-02' }],
    ['from', { from: '2026-02-30', to: '2026-03-02' }],
    ['to', { from: '2026-03-02', to: '2026-03-01' }],
    ['to', { from: '2026-01-01', to: '2027-01-02' }],
    ['to', { from: '9999-12-31', to: '9999-12-31' }],
    ['to', { from: '2026-01-01' }],
    ['by', { from: '2026-01-01', to: '2026-01-01', by: 'hour' }],
  ])('are refused for their %s: %o', async (path, range) => {
    const refusal = { code: 'VALIDATION', issues: expect.arrayContaining([expect.objectContaining({ path })]) }
    await expect(volt.energy.dailyByClassroom(range as never)).rejects.toMatchObject(refusal)
    await expect(volt.energy.dailyBySwitch(range as never)).rejects.toMatchObject(refusal)
  })

  it('may be 366, of a ledger that is empty', async () => {
    expect(await volt.energy.dailyByClassroom({ from: '2026-01-01', to: '2027-01-01' })).toEqual([])
  })

  it('are refused by a handle that is closed, as such', async () => {
    const other = await openVolt(database)
    await other.close()
    await expect(other.energy.dailyByClassroom(march)).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(other.energy.livePower()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
