import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { where } from '../../../src/core/repository/conditions.js'
import type { DeviceConsumption } from '../../../src/energy/consumption/device-consumption.js'
import type { TariffBand } from '../../../src/metering/index.js'
import { aClassroom } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { aSite, emptyBeforeEach } from '../support/site.js'

const database = setUpDatabase()
const stored = () => database.db.collection('device_consumption_ledger')
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})
emptyBeforeEach(database)
beforeEach(async () => {
  await stored().deleteMany({})
  const derivedToo = ['cost_versions', 'daily_aggregates', 'monthly_aggregates', 'rollup_cursors']
  for (const name of derivedToo) await database.db.collection(name).deleteMany({})
})

const march = { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z' }
const all = () => volt.intervals.find({}, { sort: { switch_id: 1, start_ts: 1 } })
const spansOf = (intervals: readonly DeviceConsumption[]) =>
  intervals.map(({ start_ts, end_ts, delta_wh }) => [
    start_ts.toISOString().slice(5, 16),
    end_ts.toISOString().slice(5, 16),
    delta_wh,
  ])

const setTariff = (pricePerKwh: number, startsAt = '2020-01-01T00:00:00Z', bands: Omit<TariffBand, 'days'>[] = []) =>
  volt.tariffs.set({ startsAt, currency: 'INR', pricePerKwh, bands })

describe('derived intervals', () => {
  it('say what was used, for how long, what it cost, how that is known, and which entries tell of it', async () => {
    const version = await setTariff(7.5)
    const { room, device, switchId, event } = await aSite(volt)
    await volt.ledger.append([event.rated('2026-03-02T10:00:00Z', true), event.rated('2026-03-02T10:30:00Z', false)])
    expect(await volt.intervals.derive(march)).toEqual({ switches: 1, created: 1, changed: 0, removed: 0 })
    const [{ _id, createdAt, updatedAt, __v, ...interval }] = (await all()) as [DeviceConsumption]
    expect(interval).toEqual({
      origin: 'ledger',
      device_id: device._id,
      esp32_name: device.name,
      classroom: room,
      switch_id: switchId,
      switch_name: 'Fan',
      switch_type: 'light',
      start_ts: new Date('2026-03-02T10:00:00Z'),
      end_ts: new Date('2026-03-02T10:30:00Z'),
      switch_on_duration_seconds: 1800,
      delta_wh: 500,
      energy_mws: 1_800_000_000,
      production_mws: 0,
      power_w: 1000,
      cost_calculation: { cost_per_kwh: 7.5, amount: 3.75, currency: 'INR', cost_version: version._id },
      quality: { confidence: 'high', data_source: 'power_tracker' },
      ledger_entries: { first_sequence: 1, last_sequence: 2 },
    })
  })

  it('are cut at the civil hours of the classroom, also at a quarter to', async () => {
    const { event } = await aSite(volt, { timeZone: 'Asia/Kathmandu' })
    await volt.ledger.append([event.rated('2026-03-02T10:00:00Z', true), event.rated('2026-03-02T11:30:00Z', false)])
    await volt.intervals.derive(march)
    expect(spansOf(await all())).toEqual([
      ['03-02T10:00', '03-02T10:15', 250],
      ['03-02T10:15', '03-02T11:15', 1000],
      ['03-02T11:15', '03-02T11:30', 250],
    ])
  })

  it('are cut where the price changes, by band and by version', async () => {
    await setTariff(5, '2020-01-01T00:00:00Z', [{ from: '10:20', to: '10:40', pricePerKwh: 8 }])
    await setTariff(6, '2026-03-02T10:50:00Z')
    const { event } = await aSite(volt)
    await volt.ledger.append([event.power('2026-03-02T10:00:00Z', 600), event.power('2026-03-02T11:00:00Z', 0)])
    await volt.intervals.derive(march)
    expect(
      (await all()).map(({ delta_wh, cost_calculation: cost }) => [delta_wh, cost?.cost_per_kwh, cost?.amount]),
    ).toEqual([
      [200, 5, 1],
      [200, 8, 1.6],
      [100, 5, 0.5],
      [100, 6, 0.6],
    ])
  })

  it('are one for an hour, however often a meter reports, and name the first and the last of its entries', async () => {
    const { event } = await aSite(volt)
    const readings = Array.from({ length: 721 }, (_, index) =>
      event.power(
        new Date(Date.parse('2026-03-02T10:00:00Z') + index * 10_000).toISOString(),
        index % 2 === 0 ? 720 : 0,
      ),
    )
    await volt.ledger.append(readings)
    await volt.intervals.derive(march)
    const found = await all()
    expect(spansOf(found)).toEqual([
      ['03-02T10:00', '03-02T11:00', 360],
      ['03-02T11:00', '03-02T12:00', 360],
    ])
    expect(found[0]).toMatchObject({
      switch_on_duration_seconds: 1800,
      power_w: 720,
      quality: { confidence: 'high', data_source: 'telemetry' },
      ledger_entries: { first_sequence: 1, last_sequence: 361 },
    })
  })

  it('follow a clock that is put back and one that is put forward', async () => {
    const { event } = await aSite(volt, { timeZone: 'Europe/Berlin' })
    await volt.ledger.append([
      event.rated('2026-03-29T00:30:00Z', true),
      event.rated('2026-03-29T01:30:00Z', false),
      event.rated('2026-10-25T00:30:00Z', true),
      event.rated('2026-10-25T01:30:00Z', false),
    ])
    await volt.intervals.derive({ from: march.from, to: '2026-11-01T00:00:00Z' })
    expect(spansOf(await all())).toEqual([
      ['03-29T00:30', '03-29T01:00', 500],
      ['03-29T01:00', '03-29T01:30', 500],
      ['10-25T00:30', '10-25T01:00', 500],
      ['10-25T01:00', '10-25T01:30', 500],
    ])
  })

  it('keep the energy of a gap, marked as an estimate, and have none where something is missing', async () => {
    const { event } = await aSite(volt)
    await volt.ledger.append([
      event.counter('2026-03-02T10:00:00Z', 1, { gapLimitMs: 60_000 }),
      event.counter('2026-03-02T12:00:00Z', 3, { gapLimitMs: 60_000 }),
      event.power('2026-03-02T13:00:00Z', 500, { gapLimitMs: 60_000 }),
      event.power('2026-03-02T15:00:00Z', 500),
    ])
    await volt.intervals.derive(march)
    expect((await all()).map(({ delta_wh, quality }) => [delta_wh, quality.confidence])).toEqual([
      [1000, 'low'],
      [1000, 'low'],
    ])
  })

  it('change with what comes late, and only there', async () => {
    const { event } = await aSite(volt)
    await volt.ledger.append([event.rated('2026-03-02T10:00:00Z', true), event.rated('2026-03-02T13:00:00Z', false)])
    expect(await volt.intervals.derive(march)).toMatchObject({ created: 3 })
    const before = await all()
    await volt.ledger.append([event.rated('2026-03-02T11:30:00Z', false)])
    expect(await volt.intervals.derive(march)).toMatchObject({ created: 0, changed: 2, removed: 1 })
    const after = await all()
    expect(spansOf(after)).toEqual([
      ['03-02T10:00', '03-02T11:00', 1000],
      ['03-02T11:00', '03-02T11:30', 500],
    ])
    expect(after.map(({ _id }) => _id)).toEqual(before.slice(0, 2).map(({ _id }) => _id))
    expect(await volt.intervals.derive(march)).toEqual({ switches: 1, created: 0, changed: 0, removed: 0 })
  })

  it('are looked at by whole hours, and stay as they are outside the time', async () => {
    const { event } = await aSite(volt)
    await volt.ledger.append([event.rated('2026-03-02T10:00:00Z', true), event.rated('2026-03-02T14:00:00Z', false)])
    await volt.intervals.derive({ from: '2026-03-02T11:59:00Z', to: '2026-03-02T12:01:00Z' })
    expect(spansOf(await all())).toEqual([
      ['03-02T11:00', '03-02T12:00', 1000],
      ['03-02T12:00', '03-02T13:00', 1000],
    ])
  })

  it('follow a device to another classroom, and take the names that things have now', async () => {
    const { event, device, room } = await aSite(volt)
    const elsewhere = (await volt.classrooms.create(aClassroom({ timeZone: 'Asia/Kolkata' })))._id
    await volt.ledger.append([
      event.power('2026-03-02T10:00:00Z', 1000),
      event.power('2026-03-02T10:15:00Z', 1000, { classroom: elsewhere }),
      event.power('2026-03-02T11:00:00Z', 0, { classroom: elsewhere }),
    ])
    await volt.intervals.derive(march)
    const spans = spansOf(await all())
    expect(spans).toEqual([
      ['03-02T10:00', '03-02T10:15', 250],
      ['03-02T10:15', '03-02T10:30', 250],
      ['03-02T10:30', '03-02T11:00', 500],
    ])
    expect((await all()).map(({ classroom }) => classroom)).toEqual([room, elsewhere, elsewhere])
    await volt.devices.update(device._id, { name: 'Relay box 9' })
    expect(await volt.intervals.derive(march)).toMatchObject({ changed: 3 })
    expect(spansOf(await all())).toEqual(spans)
    expect((await all())[0]).toMatchObject({ esp32_name: 'Relay box 9' })
  })

  it('are cut where an hour has more than an interval may have', async () => {
    const { event } = await aSite(volt)
    await volt.ledger.append([event.power('2026-03-02T10:00:00Z', 150_000), event.power('2026-03-02T11:00:00Z', 0)])
    await volt.intervals.derive(march)
    const found = await all()
    expect(found.length).toBeGreaterThan(1)
    expect(found.reduce((sum, { energy_mws }) => sum + energy_mws, 0)).toBe(150_000 * 3_600_000)
  })

  it('are what the roll-ups say, hour by hour, to the milliwatt-second', async () => {
    await setTariff(5, '2020-01-01T00:00:00Z', [{ from: '10:20', to: '18:10', pricePerKwh: 8 }])
    const { event, room } = await aSite(volt, { timeZone: 'Asia/Kathmandu' })
    await volt.ledger.append([
      event.counter('2026-03-02T01:23:45.678Z', 1),
      event.counter('2026-03-04T07:11:13.457Z', 8.000_001),
      event.counter('2026-03-04T09:00:00Z', 8.7),
    ])
    await volt.intervals.derive(march)
    await volt.rollUps.update()
    const aggregates = await database.db.collection('daily_aggregates').find({ classroom: room }).toArray()
    const slots = aggregates.flatMap(({ starts_at, switch_breakdown }) =>
      (switch_breakdown[0].slots.at_ms as number[]).map((atMs, index) => {
        return [(starts_at as Date).getTime() + atMs, switch_breakdown[0].slots.energy_mws[index]]
      }),
    )
    const inSlots = (await all()).map(({ start_ts, energy_mws }) => [start_ts.getTime(), energy_mws])
    expect(inSlots.slice(1)).toEqual(slots.slice(1).sort(([a], [b]) => Number(a) - Number(b)))
    expect(inSlots[0]).toEqual([Date.parse('2026-03-02T01:23:45.678Z'), slots[0]?.[1]])
  })

  it('can be those of one device', async () => {
    const sites = [await aSite(volt), await aSite(volt)]
    for (const { event } of sites) {
      await volt.ledger.append([event.rated('2026-03-02T10:00:00Z', true), event.rated('2026-03-02T11:00:00Z', false)])
    }
    const [{ device, switchId }] = sites as [(typeof sites)[0]]
    expect(await volt.intervals.derive({ ...march, deviceId: device._id })).toMatchObject({ switches: 1, created: 1 })
    expect(await all()).toMatchObject([{ switch_id: switchId }])
    await volt.devices.update(device._id, { switches: [] })
    await stored().deleteMany({})
    expect(await volt.intervals.derive({ ...march, deviceId: device._id.toHexString() })).toMatchObject({ created: 1 })
    expect(await volt.intervals.derive({ ...march, deviceId: new ObjectId() })).toMatchObject({ switches: 0 })
  })

  it.each([
    ['to', { from: '2026-03-02T00:00:00Z', to: '2026-03-02T00:00:00Z' }],
    ['from', { from: '2026-03-02', to: '2026-03-03T00:00:00Z' }],
    ['deviceId', { ...march, deviceId: 'a device' }],
    ['switchId', { ...march, switchId: new ObjectId() }],
  ])('are not derived of what cannot be meant: %s', async (path, options) => {
    const issues = [expect.objectContaining({ path })]
    await expect(volt.intervals.derive(options as never)).rejects.toMatchObject({ code: 'VALIDATION', issues })
  })

  it('are not derived inside a transaction', async () => {
    const attempt = volt.transaction(() => volt.intervals.derive(march))
    await expect(attempt).rejects.toMatchObject({ code: 'TRANSACTION' })
  })
})

describe('manual intervals', () => {
  const hour = { start_ts: '2026-03-02T10:00:00Z', end_ts: '2026-03-02T11:00:00Z' }

  async function aManual(overrides: object = {}) {
    const { device, switchId, room, event } = await aSite(volt)
    const input = { device_id: device._id, switch_id: switchId, ...hour, delta_wh: 250, ...overrides }
    return { input, device, switchId, room, event }
  }

  it('are filled in and marked', async () => {
    await setTariff(8)
    const { input, room } = await aManual({ notes: 'read off the plug' })
    expect(await volt.intervals.addManual(input)).toMatchObject({
      origin: 'manual',
      classroom: room,
      switch_name: 'Fan',
      switch_on_duration_seconds: 3600,
      energy_mws: 900_000_000,
      power_w: 250,
      cost_calculation: { cost_per_kwh: 8, amount: 2, currency: 'INR' },
      quality: { confidence: 'medium', data_source: 'manual', notes: 'read off the plug' },
    })
  })

  it('are left alone by derivations, and can be removed', async () => {
    const { input, event } = await aManual()
    const manual = await volt.intervals.addManual(input)
    await volt.ledger.append([event.rated('2026-03-02T10:00:00Z', true), event.rated('2026-03-02T11:00:00Z', false)])
    await volt.intervals.derive(march)
    expect(await all()).toHaveLength(2)
    expect(await volt.intervals.get(manual._id)).toEqual(manual)
    const derived = await volt.intervals.findOne({ origin: 'ledger' })
    await expect(volt.intervals.removeManual(derived!._id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await volt.intervals.removeManual(manual._id)
    expect(await all()).toEqual([derived])
  })

  it.each([
    ['delta_wh', { power_w: 100 }],
    ['cost_calculation.amount', { cost_calculation: { cost_per_kwh: 8, amount: 3, currency: 'INR' } }],
    ['end_ts', { end_ts: hour.start_ts, delta_wh: 0 }],
    ['switch_on_duration_seconds', { switch_on_duration_seconds: 7200, power_w: 125 }],
    ['switch_id', { switch_id: new ObjectId() }],
    ['delta_wh', { delta_wh: 100_001 }],
    ['origin', { origin: 'ledger' }],
  ])('are refused where they do not fit: %s', async (path, overrides) => {
    const { input } = await aManual(overrides)
    await expect(volt.intervals.addManual(input)).rejects.toMatchObject({
      code: 'VALIDATION',
      issues: [expect.objectContaining({ path })],
    })
  })

  it('are refused for a device that is not there, and a second one for the same start', async () => {
    const { input } = await aManual()
    await expect(volt.intervals.addManual({ ...input, device_id: new ObjectId() })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await volt.intervals.addManual(input)
    await expect(volt.intervals.addManual(input)).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})

describe('the history of a device', () => {
  it('comes page by page, newest first, also with documents from before the library', async () => {
    const { device, event } = await aSite(volt)
    await volt.ledger.append([event.rated('2026-03-02T00:00:00Z', true), event.rated('2026-03-04T12:00:00Z', false)])
    await volt.intervals.derive(march)
    const old = {
      _id: new ObjectId(),
      device_id: device._id,
      classroom: 'Room 101',
      start_ts: new Date('2024-05-01T10:00:00Z'),
      delta_wh: 10,
      power_w: 9000,
      cost_calculation: { cost_per_kwh: 7, cost_inr: 12 },
    }
    const twins = [old, { ...old, _id: new ObjectId(), switch_id: 'relay-1' }]
    await stored().insertMany(twins, { bypassDocumentValidation: true })
    const first = await volt.intervals.getConsumptionHistory(device._id)
    expect(first).toMatchObject({ total: 62, page: 1, limit: 50, hasNext: true })
    const second = await volt.intervals.getConsumptionHistory(device._id.toHexString(), 2)
    const starts = [...first.items, ...second.items].map(({ start_ts }) => start_ts.getTime())
    expect(starts).toEqual(starts.toSorted((a, b) => b - a))
    expect(second.items.slice(-2)).toEqual(twins.toReversed())
    expect(await volt.setup()).toMatchObject({ isComplete: true })
  })

  it('is there for devices that old documents name by a text', async () => {
    const old = { _id: new ObjectId(), device_id: 'ESP32_01', start_ts: new Date('2024-05-01T10:00:00Z'), delta_wh: 10 }
    await stored().insertMany([old, { ...old, _id: new ObjectId(), device_id: 'ESP32_02' }], {
      bypassDocumentValidation: true,
    })
    expect(await volt.intervals.getConsumptionHistory('ESP32_01')).toMatchObject({ items: [old], total: 1, pages: 1 })
    for (const device of ['', 'x'.repeat(101), 5, { $ne: null }]) {
      await expect(volt.intervals.getConsumptionHistory(device as string)).rejects.toMatchObject({
        code: 'VALIDATION',
        issues: [{ path: 'device' }],
      })
    }
  })

  it('is there for devices that old documents name by the text of an id', async () => {
    const id = new ObjectId()
    const digits = id.toHexString()
    const old = { delta_wh: 10, start_ts: new Date('2024-05-01T10:00:00Z') }
    const documents = [id, digits, digits.toUpperCase()].map((device_id, at) => ({
      ...old,
      _id: new ObjectId(),
      device_id,
      start_ts: new Date(Date.UTC(2024, 4, 1, 12 - at)),
    }))
    await stored().insertMany(documents, { bypassDocumentValidation: true })
    expect((await volt.intervals.getConsumptionHistory(digits.toUpperCase())).items).toEqual(documents)
    expect((await volt.intervals.getConsumptionHistory(id)).items).toEqual(documents.slice(0, 2))
    // As filters do.
    expect(await volt.intervals.count({ device_id: digits })).toBe(2)
    expect(await volt.intervals.count({ device_id: where.in([digits, digits.toUpperCase()]) })).toBe(3)
    expect(await volt.intervals.count(where.and({ device_id: digits }, { device_id: where.nin([digits]) }))).toBe(0)
    expect(await volt.intervals.count({ device_id: id })).toBe(1)
  })

  it('is read from an index', async () => {
    const ids = { $in: [new ObjectId(), 'ESP32_01'] }
    const query = stored().find({ device_id: ids }).sort({ start_ts: -1, _id: -1 }).limit(50)
    const plan = JSON.stringify(await query.explain())
    expect(plan).toContain('device_id_1_start_ts_-1__id_-1')
    expect(plan).not.toMatch(/COLLSCAN|"SORT"/)
    const derived = { switch_id: new ObjectId(), origin: 'ledger', start_ts: { $gt: new Date(0), $lt: new Date() } }
    const ofDerive = JSON.stringify(await stored().find(derived).sort({ start_ts: 1 }).explain())
    expect(ofDerive).toContain('switch_id_1_start_ts_1_origin_1')
    expect(ofDerive).not.toMatch(/COLLSCAN|"SORT"/)
  })
})
