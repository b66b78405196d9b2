import { expect, it } from 'vitest'
import { aClassroom, aDevice, aSwitch } from '../../support/builders.js'
import { eventsOf } from '../support/site.js'
import { analyticsDatabase } from './support/analytics.js'

const { volt, analytics } = await analyticsDatabase()
const days = { from: '2026-03-02', to: '2026-03-04' }

/** A meter in Kolkata, with ten hours of uneven load over a change of band, and a version that begins within an hour. */
async function aPricedMeter() {
  const tariff = { tariff: 'school', currency: 'INR', feedInPricePerKwh: 3, carbonIntensityGPerKwh: 700 }
  const night = { from: '22:20', to: '06:10', pricePerKwh: 4.123457 }
  await volt.tariffs.set({ ...tariff, startsAt: '2026-01-01T00:00:00Z', pricePerKwh: 8.1, bands: [night] })
  await volt.tariffs.set({ ...tariff, startsAt: '2026-03-02T19:40:00Z', pricePerKwh: 9, carbonIntensityGPerKwh: 650 })
  const room = await volt.classrooms.create(aClassroom({ timeZone: 'Asia/Kolkata', tariff: 'school' }))
  const device = await volt.devices.create(
    aDevice({ classroom: room._id, switches: [aSwitch({ energySource: 'power' })] }),
  )
  const { power } = eventsOf(device)
  const startMs = Date.parse('2026-03-02T12:00:00Z')
  const loads = Array.from({ length: 90 }, (_, at) => {
    const watts = at === 89 ? 0 : at % 3 === 0 ? -(at * 11 + 7) : at * 17 + 3
    return power(new Date(startMs + at * 7 * 60_000).toISOString(), watts)
  })
  return { loads, power }
}

it('costs under the tariff that is in force are what was computed, where prices change within an hour too', async () => {
  const { loads, power } = await aPricedMeter()
  await volt.ledger.append(loads)
  await volt.ledger.append([
    power('2026-03-02T17:10:00Z', 0, {
      eventType: 'manual_adjustment',
      reading: undefined,
      adjustment: { energyWs: -1_800_000, productionWs: 0, cost: -2.5 },
    }),
  ])
  await volt.rollUps.update()
  const computed = await analytics.costs(days)
  expect(computed).toHaveLength(2)
  expect(computed.every(({ totalCost, carbonGrams }) => totalCost !== 0 && carbonGrams !== 0)).toBe(true)
  expect(await analytics.costs({ ...days, tariff: 'school' })).toEqual(computed)
})

it('what was adjusted by hand keeps its cost under another tariff', async () => {
  const { power } = await aPricedMeter()
  await volt.tariffs.set({ tariff: 'flat', startsAt: '2026-01-01T00:00:00Z', currency: 'INR', pricePerKwh: 1 })
  const adjustment = { energyWs: 3_600_000, productionWs: 0, cost: 20 }
  await volt.ledger.append([
    power('2026-03-03T10:00:00Z', 1000),
    power('2026-03-03T11:00:00Z', 0),
    power('2026-03-03T12:00:00Z', 0, { eventType: 'manual_adjustment', reading: undefined, adjustment }),
  ])
  await volt.rollUps.update()
  expect(await analytics.costs({ ...days, tariff: 'flat' })).toMatchObject([{ totalEnergyKwh: 2, totalCost: 21 }])
})
