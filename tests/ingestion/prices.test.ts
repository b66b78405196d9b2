import { beforeEach, expect, it } from 'vitest'
import { costVersionEntity } from '../../src/energy/tariffs/cost-version.js'
import { PriceBookReader } from '../../src/energy/tariffs/price-book.js'
import { DecoderSet } from '../../src/ingestion/decoder-set.js'
import { IngestionCounters } from '../../src/ingestion/pipeline.js'
import { SharedPipeline } from '../../src/ingestion/shared-pipeline.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'
import { openSite, type Site, v2Topic } from '../mqtt/support/site.js'
import { aCostVersion, powerSettings } from '../support/builders.js'
import { openVolt } from '../support/volt.js'

let site: Site
let now: Date

beforeEach(async () => {
  site = await openSite()
  now = new Date('2026-03-01T10:00:00Z')
})

const place = (tariff: string, timeZone = 'UTC') => ({ tariff, timeZone })
const march = Date.parse('2026-03-01T10:00:00Z')

async function priceBook(): Promise<PriceBookReader> {
  const volt = await openVolt(site.database, { clock: { now: () => now } })
  return new PriceBookReader(volt.database, costVersionEntity, volt.powerSettings)
}

it('entries carry the price in force at their time, by the tariff and the clocks of their classroom', async () => {
  const { volt } = site
  await volt.tariffs.set(aCostVersion({ pricePerKwh: 7 }))
  const bands = [{ from: '22:00', to: '06:00', pricePerKwh: 4 }]
  const taxes = [{ name: 'VAT', percent: 10 }]
  await volt.tariffs.set(aCostVersion({ tariff: 'night', pricePerKwh: 8, bands, taxes }))
  await volt.tariffs.set(aCostVersion({ tariff: 'night', startsAt: new Date('2026-03-02T00:00:00Z'), pricePerKwh: -1 }))
  const [room] = await volt.classrooms.find()
  const plain = await volt.classrooms.create({ name: 'Room 2' })
  await volt.classrooms.update(room!._id, { tariff: 'night', timeZone: 'Asia/Kolkata' })
  const devices = [await site.device(), await site.device({ classroom: plain._id })]
  const times = ['2026-03-01T15:00:00Z', '2026-03-01T17:00:00Z', '2026-03-02T01:00:00Z']
  const messages = devices.flatMap((device, number) =>
    times.map((time, index) => ({
      topic: v2Topic(device, 'switch'),
      payload: Buffer.from(
        JSON.stringify({
          id: `m-${number}-${index}`,
          boot: 'b1',
          seq: index,
          time: Date.parse(time),
          gpio: 16,
          state: true,
        }),
      ),
      receivedAt: new Date(time),
    })),
  )
  const pipeline = new SharedPipeline(volt.ingestion.parts(), new IngestionCounters())
  await pipeline.process(new DecoderSet([v2Decoder()]).decode(messages))
  const ratesOf = async (device: (typeof devices)[number] | undefined) => {
    const entries = await volt.ledger.find(
      { deviceId: device!._id, eventType: 'switch_on' },
      { sort: { timestamp: 1 } },
    )
    return times.map((time) => entries.find(({ timestamp }) => timestamp.getTime() === Date.parse(time))?.ratePerKwh)
  }
  expect(await ratesOf(devices[0])).toEqual([8.8, 4.4, -1])
  expect(await ratesOf(devices[1])).toEqual([7, 7, 7])
})

it('a change of a tariff is seen after ten seconds', async () => {
  await site.volt.tariffs.set(aCostVersion({ pricePerKwh: 7 }))
  const source = await priceBook()
  const price = async () => (await source.prices()).at(place('default'), march)
  expect(await price()).toBe(7)
  await site.volt.tariffs.set(aCostVersion({ pricePerKwh: 8 }))
  now = new Date(now.getTime() + 9_999)
  expect(await price()).toBe(7)
  now = new Date(now.getTime() + 1)
  expect(await price()).toBe(8)
})

it('the price of power settings holds as long as there is no tariff, and unknown energy costs nothing', async () => {
  await site.volt.powerSettings.create(powerSettings({ electricityPrice: 6 }))
  const { db } = site.database
  for (const name of ['cost_versions', 'tariffs']) await db.collection(name).deleteMany({})
  const prices = await (await priceBook()).prices()
  expect(prices.at(place('default'), march)).toBe(6)
  expect(prices.at(place('night'), march)).toBe(0)
  await site.volt.tariffs.set(aCostVersion({ startsAt: new Date('2027-01-01T00:00:00Z') }))
  const later = await (await priceBook()).prices()
  expect(later.at(place('default'), march)).toBe(0)
})
