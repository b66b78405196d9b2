import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { Repository } from '../../../src/core/repository/repository.js'
import { costVersionEntity } from '../../../src/energy/tariffs/cost-version.js'
import { aClassroom, aDevice, aSwitch } from '../../support/builders.js'
import { analyticsDatabase } from './support/analytics.js'
import { aRollUpSite, kWh, type Site, used, writeRollUps } from './support/roll-ups.js'

const { database, volt, analytics } = await analyticsDatabase()
const march = { from: '2026-03-01', to: '2026-03-31' }

/** A device that is registered, in a classroom of its own. */
async function aRegisteredSite({
  owner,
  timeZone = 'UTC',
}: {
  owner?: ObjectId
  timeZone?: string
} = {}): Promise<Site> {
  const room = await volt.classrooms.create(aClassroom({ timeZone }))
  const device = await volt.devices.create(
    aDevice({ classroom: room._id, switches: [aSwitch()], ...(owner && { owner }) }),
  )
  return aRollUpSite({ device: device._id, classroom: room._id, switchId: device.switches[0]!._id, timeZone })
}

const aUser = (name: string, userType: 'consumer' | 'prosumer' = 'consumer') =>
  volt.users.create({ name, email: `${name}@example.org`, userType })

describe('the performance of a device', () => {
  it('is each of the last seven days, their mean, and the highest mean power of an hour', async () => {
    const site = await aRegisteredSite()
    const second = { ...site, switchId: new ObjectId() }
    await writeRollUps(database, [
      used(site, '2026-03-24T10:00:00Z', 9),
      used(site, '2026-03-25T10:00:00Z', 1),
      used(second, '2026-03-25T10:00:00Z', 0.5),
      used(site, '2026-03-25T11:00:00Z', 1.2),
      used(site, '2026-03-31T10:00:00Z', 0.3),
    ])
    expect(await analytics.devicePerformance({ device: site.device })).toEqual({
      deviceId: site.device,
      from: '2026-03-25',
      to: '2026-03-31',
      days: [
        { day: '2026-03-25', totalEnergyKwh: 2.7, peakPowerW: 1500 },
        { day: '2026-03-31', totalEnergyKwh: 0.3, peakPowerW: 300 },
      ],
      totalEnergyKwh: 3,
      averageDailyEnergyKwh: 1.5,
      peakPowerW: 1500,
      peakAt: new Date('2026-03-25T10:00:00Z'),
      completeUntil: null,
    })
    const earlier = { device: site.device.toHexString(), days: 2, to: '2026-03-24' }
    expect(await analytics.devicePerformance(earlier)).toMatchObject({ from: '2026-03-23', totalEnergyKwh: 9 })
  })

  it('is of nothing where there is nothing', async () => {
    const { device } = await aRegisteredSite()
    const nothing = { days: [], totalEnergyKwh: 0, averageDailyEnergyKwh: null, peakPowerW: null, peakAt: null }
    expect(await analytics.devicePerformance({ device })).toMatchObject(nothing)
  })

  it('ends with the civil day that it is at the device', async () => {
    const { device } = await aRegisteredSite({ timeZone: 'Pacific/Auckland' })
    expect(await analytics.devicePerformance({ device })).toMatchObject({ from: '2026-03-26', to: '2026-04-01' })
  })

  it('is that of a device that exists', async () => {
    await expect(analytics.devicePerformance({ device: new ObjectId() })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(analytics.devicePerformance({ device: new ObjectId(), days: 0 })).rejects.toMatchObject({
      code: 'VALIDATION',
    })
  })
})

describe('the energy balance of a user', () => {
  it('nets what is used and given, and knows how much of the use was met in the same hour', async () => {
    const user = await aUser('asha', 'prosumer')
    const [load, solar] = [await aRegisteredSite({ owner: user._id }), await aRegisteredSite({ owner: user._id })]
    const stranger = await aRegisteredSite()
    await writeRollUps(database, [
      used(load, '2026-03-30T10:00:00Z', 2),
      used(load, '2026-03-30T20:00:00Z', 2),
      used(solar, '2026-03-30T10:00:00Z', 0, { productionMws: kWh }),
      used(solar, '2026-03-30T12:00:00Z', 0, { productionMws: 4 * kWh }),
      used(load, '2026-03-01T10:00:00Z', 7),
      used(stranger, '2026-03-30T10:00:00Z', 50),
    ])
    expect(await analytics.energyBalance({ user: user._id })).toEqual({
      userId: user._id,
      from: '2026-03-02',
      to: '2026-03-31',
      consumptionKwh: 4,
      productionKwh: 5,
      netKwh: 1,
      selfSufficiencyPercent: 25,
      completeUntil: null,
    })
  })

  it('is zero for who has no devices, or no data', async () => {
    const [without, idle] = [await aUser('without'), await aUser('idle')]
    await aRegisteredSite({ owner: idle._id })
    for (const { _id } of [without, idle]) {
      expect(await analytics.energyBalance({ user: _id })).toMatchObject({
        consumptionKwh: 0,
        productionKwh: 0,
        netKwh: 0,
        selfSufficiencyPercent: null,
      })
    }
  })
})

describe('the energy of users', () => {
  it('has totals, cost and net of each, and zeros where there is nothing', async () => {
    const [asha, ravi] = [await aUser('asha', 'prosumer'), await aUser('ravi')]
    const sites = [await aRegisteredSite({ owner: asha._id }), await aRegisteredSite({ owner: asha._id })]
    await writeRollUps(database, [
      used(sites[0]!, '2026-03-02T10:00:00Z', 2),
      used(sites[1]!, '2026-03-03T10:00:00Z', 1, { productionMws: 5 * kWh }),
    ])
    const page = await analytics.userEnergySummaries(march)
    expect(page).toMatchObject({ total: 2, page: 1, limit: 50, hasNext: false })
    expect(page.items).toEqual([
      {
        userId: asha._id,
        email: 'asha@example.org',
        name: 'asha',
        userType: 'prosumer',
        devices: 2,
        totalConsumptionKwh: 3,
        totalProductionKwh: 5,
        netKwh: 2,
        totalCost: 0.9,
        currency: 'EUR',
        costs: [{ currency: 'EUR', amount: 0.9 }],
      },
      {
        userId: ravi._id,
        email: 'ravi@example.org',
        name: 'ravi',
        userType: 'consumer',
        devices: 0,
        totalConsumptionKwh: 0,
        totalProductionKwh: 0,
        netKwh: 0,
        totalCost: 0,
        currency: null,
        costs: [],
      },
    ])
    // What a deleted device used stays, but nobody has it any more.
    await volt.devices.delete(sites[0]!.device)
    expect((await analytics.userEnergySummaries(march)).items[0]).toMatchObject({ devices: 1, totalConsumptionKwh: 3 })
    const ofRavi = await analytics.userEnergySummaries({ ...march, users: [ravi._id] })
    expect(ofRavi.items.map(({ name }) => name)).toEqual(['ravi'])
    await expect(analytics.userEnergySummaries({ from: march.to, to: march.from })).rejects.toMatchObject({
      issues: [{ path: 'to' }],
    })
  })
})

describe('costs', () => {
  it('are energy, money and CO2 by day or month', async () => {
    const site = aRollUpSite()
    await writeRollUps(database, [
      used(site, '2026-01-31T10:00:00Z', 4),
      used(site, '2026-02-02T10:00:00Z', 1),
      used(site, '2026-02-03T10:00:00Z', 2),
      used(site, '2026-03-01T10:00:00Z', 8),
      used(site, '2026-03-02T10:00:00Z', 99),
    ])
    const range = { from: '2026-01-31', to: '2026-03-01' }
    const byMonth = await analytics.costs({ ...range, by: 'month' })
    expect(byMonth.map((one) => [one.period, one.totalEnergyKwh, one.totalCost, one.carbonGrams])).toEqual([
      ['2026-01', 4, 1.2, 1600],
      ['2026-02', 3, 0.9, 1200],
      ['2026-03', 8, 2.4, 3200],
    ])
    const byDay = await analytics.costs(range)
    expect(byDay.map(({ period, totalCost }) => [period, totalCost])).toEqual([
      ['2026-01-31', 1.2],
      ['2026-02-02', 0.3],
      ['2026-02-03', 0.6],
      ['2026-03-01', 2.4],
    ])
  })

  it('are rounded half-even, once', async () => {
    const sites = [aRollUpSite({ pricePerKwh: 0.005 }), aRollUpSite({ pricePerKwh: 0.005 })]
    await writeRollUps(database, [
      used(sites[0]!, '2026-03-02T10:00:00Z', 1),
      used(sites[1]!, '2026-03-02T10:00:00Z', 1),
    ])
    expect(await analytics.costs(march)).toMatchObject([{ totalCost: 0.01 }])
    expect(await analytics.costs({ ...march, devices: [sites[0]!.device] })).toMatchObject([{ totalCost: 0 }])
  })

  it('can be those of another tariff, with its bands, versions, feed-in price and CO2', async () => {
    const site = aRollUpSite({ timeZone: 'Asia/Kolkata' })
    const versions = new Repository(volt.database, costVersionEntity)
    const night = { from: '22:30', to: '06:00', pricePerKwh: 4 }
    const version = { tariff: 'solar', currency: 'INR', feedInPricePerKwh: 3, carbonIntensityGPerKwh: 700 }
    const at = (time: string) => new Date(`${time}:00+05:30`).toISOString()
    await versions.create({ ...version, startsAt: at('2026-03-02T00:00'), pricePerKwh: 8, bands: [night] })
    await versions.create({ ...version, startsAt: at('2026-03-03T12:00'), pricePerKwh: 10 })
    await writeRollUps(database, [
      used(site, at('2026-03-01T12:00'), 1),
      used(site, at('2026-03-02T12:00'), 1, { productionMws: 2 * kWh }),
      used(site, at('2026-03-02T22:00'), 1),
      used(site, at('2026-03-03T05:00'), 1),
      used(site, at('2026-03-03T12:00'), 1),
    ])
    const costs = await analytics.costs({ ...march, tariff: 'solar' })
    expect(costs).toMatchObject([
      { period: '2026-03-01', totalEnergyKwh: 1, totalCost: 0, currency: null, carbonGrams: 0 },
      {
        period: '2026-03-02',
        totalEnergyKwh: 2,
        totalProductionKwh: 2,
        totalCost: 14,
        currency: 'INR',
        carbonGrams: 1400,
      },
      { period: '2026-03-03', totalEnergyKwh: 2, totalCost: 14 },
    ])
    expect(costs[1]?.earnings).toEqual([{ currency: 'INR', amount: 6 }])
    expect(await analytics.costs({ ...march, by: 'month', tariff: 'solar' })).toMatchObject([
      { period: '2026-03', totalEnergyKwh: 5, totalCost: 28 },
    ])
    await expect(analytics.costs({ ...march, tariff: 'none' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
