import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { powerSettings } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { emptyBeforeEach } from '../support/site.js'

const database = setUpDatabase()
const start = new Date('2026-03-01T10:00:00Z')
let now = start
const clock = { now: () => now }
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { clock })
  await volt.setup()
})
emptyBeforeEach(database)
beforeEach(() => {
  now = start
})

const versions = async () =>
  (await volt.tariffs.list()).map(({ startsAt, pricePerKwh, currency }) => [startsAt, pricePerKwh, currency])
const beginning = new Date(0)
const byName = { name: 'default' } as const

describe('the price of the power settings', () => {
  it('holds since 1970 if it is the first, and from now on if it is another', async () => {
    const { _id } = await volt.powerSettings.create(powerSettings({ electricityPrice: 7.5 }))
    expect(await versions()).toEqual([[beginning, 7.5, 'INR']])
    await volt.powerSettings.update(_id, { electricityPrice: 8 })
    const later = new Date('2026-04-01T00:00:00Z')
    now = later
    await volt.powerSettings.upsert(byName, powerSettings({ electricityPrice: 9 }))
    expect(await versions()).toEqual([
      [beginning, 7.5, 'INR'],
      [start, 8, 'INR'],
      [later, 9, 'INR'],
    ])
    expect(await volt.auditLog.count()).toBe(3)
    expect(await database.db.collection('recostings').countDocuments({ state: 'pending' })).toBe(3)
  })

  it('makes no version where it stays as it is', async () => {
    await volt.powerSettings.create(powerSettings())
    const fan = { type: 'fan', name: 'Ceiling fan', powerConsumption: 75 }
    const settings = await volt.powerSettings.upsert(byName, powerSettings({ deviceTypes: [fan] }))
    expect(settings.deviceTypes).toEqual([{ ...fan, unit: 'W' }])
    expect(await versions()).toHaveLength(1)
  })

  it('takes the place of bands and taxes, and keeps what else the tariff says', async () => {
    await volt.tariffs.set({
      startsAt: beginning,
      currency: 'INR',
      pricePerKwh: 7,
      bands: [{ from: '22:00', to: '06:00', pricePerKwh: 4 }],
      taxes: [{ name: 'VAT', percent: 18 }],
      feedInPricePerKwh: 3,
      carbonIntensityGPerKwh: 700,
    })
    await volt.powerSettings.create(powerSettings({ electricityPrice: 8 }))
    const [, version] = await volt.tariffs.list()
    expect(version).toMatchObject({
      startsAt: start,
      pricePerKwh: 8,
      feedInPricePerKwh: 3,
      carbonIntensityGPerKwh: 700,
    })
    expect(version).not.toHaveProperty('bands')
    expect(version).not.toHaveProperty('taxes')
  })

  it('that was set before there were tariffs holds until the next', async () => {
    await volt.powerSettings.create(powerSettings({ electricityPrice: 7 }))
    for (const name of ['cost_versions', 'tariffs']) await database.db.collection(name).deleteMany({})
    await volt.powerSettings.bulk([
      { update: (await volt.powerSettings.getSingleton())._id, changes: { electricityPrice: 8 } },
    ])
    expect(await versions()).toEqual([
      [beginning, 7, 'INR'],
      [start, 8, 'INR'],
    ])
  })

  it('stays in its currency, and nothing is stored of a change that would not', async () => {
    const { _id } = await volt.powerSettings.create(powerSettings({ currency: 'INR' }))
    const changed = volt.powerSettings.update(_id, { currency: 'EUR', electricityPrice: 1 })
    await expect(changed).rejects.toMatchObject({ code: 'CURRENCY_FIXED' })
    expect(await volt.powerSettings.get(_id)).toMatchObject({ currency: 'INR', electricityPrice: 7.5, version: 1 })
    expect(await versions()).toHaveLength(1)
  })
})

describe('the power settings', () => {
  it('count their changes', async () => {
    const { _id } = await volt.powerSettings.create(powerSettings())
    await volt.powerSettings.update(_id, { electricityPrice: 8 })
    await volt.powerSettings.bulk([{ update: _id, changes: { electricityPrice: 9 } }])
    expect(await volt.powerSettings.upsert(byName, powerSettings())).toMatchObject({ version: 4 })
  })

  it('are one document, whoever asks first', async () => {
    await expect(volt.powerSettings.getSingleton()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const asked = Array.from({ length: 4 }, () => volt.powerSettings.getSingleton(powerSettings()))
    const ids = (await Promise.all(asked)).map(({ _id }) => _id.toHexString())
    expect(new Set(ids).size).toBe(1)
    await expect(volt.powerSettings.createMany([powerSettings()])).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await versions()).toHaveLength(1)
  })

  it('count every change of several at once', async () => {
    await volt.powerSettings.getSingleton(powerSettings())
    const prices = [1, 2, 3]
    await Promise.all(
      prices.map((electricityPrice) => volt.powerSettings.upsert(byName, powerSettings({ electricityPrice }))),
    )
    const { electricityPrice, version } = await volt.powerSettings.getSingleton()
    expect(version).toBe(4)
    expect((await volt.tariffs.list()).at(-1)).toMatchObject({ pricePerKwh: electricityPrice })
  })
})
