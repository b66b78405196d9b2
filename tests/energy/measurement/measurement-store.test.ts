import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { ValidationError } from '../../../src/core/errors.js'
import type { Device } from '../../../src/devices/device.js'
import type { EnergyMeasurement } from '../../../src/energy/measurement/measurement.js'
import type { MeasurementInput } from '../../../src/energy/measurement/measurement-input.js'
import { spoil } from '../../entities/bad-documents.js'
import { catalogues } from '../../entities/catalogues.js'
import { aDevice, aMeasurement, aSwitch } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { runs } from '../../support/extent.js'
import { openVolt } from '../../support/volt.js'

const database = setUpDatabase()
let volt: AutoVolt
const stored = () => database.db.collection('energy_measurements')
const atMs = Date.UTC(2026, 2, 1, 10)
const at = (seconds: number) => new Date(atMs + seconds * 1000)

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})
beforeEach(async () => {
  await stored().deleteMany({})
})

async function registered(fields: Parameters<typeof aDevice>[0] = {}): Promise<Device> {
  return volt.devices.create(aDevice(fields))
}

async function powers(range: Parameters<AutoVolt['measurements']['stream']>[0]): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = []
  for await (const { power } of volt.measurements.stream(range)) found.push(power)
  return found
}

describe('inserting measurements', () => {
  it('takes what is left out from the device', async () => {
    const owner = new ObjectId()
    const device = await registered({ owner })
    const given = { timestamp: at(0).toISOString(), meta: { device: device._id.toHexString() }, power: 61.5 }
    expect(await volt.measurements.insert([given])).toEqual({ stored: 1, refused: [] })
    expect(await stored().findOne()).toEqual({
      _id: expect.any(ObjectId),
      timestamp: at(0),
      meta: { device: device._id, owner, site: device.classroom },
      data_type: 'consumption',
      power: 61.5,
      quality: 'good',
      source: 'api',
    })
  })

  it.each([
    ['consumption', -5, 'production'],
    ['consumption', 5, 'consumption'],
    ['production', 5, 'production'],
    ['production', undefined, 'production'],
    ['storage', 5, 'consumption'],
    ['storage', -5, 'production'],
    ['storage', undefined, 'consumption'],
  ] as const)('knows the data type of a device of %s with %s W: %s', async (energyRole, power, data_type) => {
    const device = await registered({ energyRole })
    await volt.measurements.insert([{ timestamp: at(0), meta: { device: device._id }, power }])
    expect(await stored().findOne()).toMatchObject({ data_type })
  })

  it('needs to be told what no registered device says', async () => {
    const unknown = { timestamp: at(0), meta: { device: new ObjectId() }, power: 1 }
    await expect(volt.measurements.insert([{ ...aMeasurement() }, unknown])).rejects.toMatchObject({
      code: 'VALIDATION',
      issues: [{ path: '1.data_type' }, { path: '1.meta.site' }],
    })
    expect(await stored().countDocuments()).toBe(0)
    await volt.measurements.insert([aMeasurement()])
    expect(await stored().countDocuments()).toBe(1)
  })

  it('rounds energy to four decimals of a kWh', async () => {
    await volt.measurements.insert([aMeasurement({ energy_amount: 0.1 + 0.2 }), aMeasurement({ energy_amount: 1e-5 })])
    expect((await stored().find().toArray()).map((one) => one.energy_amount)).toEqual([0.3, 0])
  })

  it('is refused in a transaction', async () => {
    const attempt = volt.transaction(() => volt.measurements.insert([aMeasurement()]))
    await expect(attempt).rejects.toMatchObject({ code: 'TRANSACTION' })
  })

  it('refuses all of them if one is bad, in any way that the catalogue knows', async () => {
    const { good, bad } = catalogues.measurements
    for (const spoilt of bad) {
      const attempt = volt.measurements.insert([good(), spoil(good(), spoilt)] as unknown as MeasurementInput[])
      const error: unknown = await attempt.catch((one: unknown) => one)
      expect({ spoilt, error }).toEqual({ spoilt, error: expect.any(ValidationError) })
      expect((error as ValidationError).issues.map(({ path }) => path)).toContain(`1.${spoilt.path}`)
    }
    expect(await stored().countDocuments()).toBe(0)
  })
})

describe('limits of a channel', () => {
  const channel = () =>
    registered({
      switches: [
        aSwitch({ gpio: 16, maximumPower: 2000, limits: { minimumVoltage: 200, maximumCurrent: 10 } }),
        aSwitch({ gpio: 17 }),
      ],
    })

  it('flag what is beyond them, with the reasons', async () => {
    const device = await channel()
    const meta = { device: device._id, switch: device.switches[0]?._id }
    const { stored: count } = await volt.measurements.insert([
      { timestamp: at(0), meta, power: 2000, voltage: 200, current: -10 },
      { timestamp: at(1), meta, power: -2001, phases: { L2: { voltage: 12 } }, quality: 'excellent' },
      { timestamp: at(2), meta: { ...meta, switch: device.switches[1]?._id }, power: 2001, voltage: 12 },
      { timestamp: new Date(Date.now() + 3_600_000), meta, current: 10.1 },
    ])
    expect(count).toBe(4)
    const found = await stored().find().sort({ timestamp: 1 }).toArray()
    expect(found.map(({ quality, implausible }) => ({ quality, implausible }))).toEqual([
      { quality: 'good', implausible: undefined },
      { quality: 'poor', implausible: ['power_above_maximum', 'voltage_below_minimum'] },
      { quality: 'good', implausible: undefined },
      { quality: 'poor', implausible: ['current_above_maximum', 'time_in_the_future'] },
    ])
  })

  it('can refuse it', async () => {
    const device = await channel()
    const meta = { device: device._id, switch: device.switches[0]?._id }
    const inputs = [10, 3000, 20].map((power, second) => ({ timestamp: at(second), meta, power }))
    expect(await volt.measurements.insert(inputs, { implausible: 'refuse' })).toEqual({
      stored: 2,
      refused: [{ index: 1, reasons: ['power_above_maximum'] }],
    })
    expect(await powers({ device: device._id, order: 'oldest' })).toEqual([10, 20])
    expect((await volt.measurements.page({ device: device._id })).items).toHaveLength(2)
  })

  it('keeps of one that was refused that there was one, at its arrival where its time is in the future', async () => {
    const device = await channel()
    const meta = { device: device._id, switch: device.switches[0]?._id }
    const inputs = [
      { timestamp: at(0), meta, power: 3000, voltage: 12, counter_wh: 5, boot: 'b', sequence_no: 7 },
      { timestamp: new Date(Date.now() + 3_600_000), received_at: at(60), meta, power: 3 },
      { timestamp: at(1), meta, voltage: 12 },
    ]
    expect((await volt.measurements.insert(inputs, { implausible: 'refuse' })).stored).toBe(0)
    const found = await stored().find().sort({ timestamp: 1 }).toArray()
    expect(found.map(({ _id, meta: { site, ...channel }, ...rest }) => ({ ...rest, meta: channel }))).toEqual([
      {
        timestamp: at(0),
        meta,
        data_type: 'consumption',
        quality: 'refused',
        implausible: ['power_above_maximum', 'voltage_below_minimum'],
        boot: 'b',
        sequence_no: 7,
        source: 'api',
      },
      {
        timestamp: at(60),
        meta,
        data_type: 'consumption',
        quality: 'refused',
        implausible: ['time_in_the_future'],
        received_at: at(60),
        source: 'api',
      },
    ])
  })

  it('take a line without voltage and power for dead, and its frequency too', async () => {
    const limits = { minimumVoltage: 200, minimumFrequency: 45 }
    const device = await registered({ switches: [aSwitch({ limits })] })
    const meta = { device: device._id, switch: device.switches[0]?._id }
    const { refused } = await volt.measurements.insert(
      [
        { timestamp: at(0), meta, power: 0, voltage: 0, frequency: 0 },
        { timestamp: at(1), meta, phases: { L1: { power: 0, voltage: 0 }, L2: { power: 5, voltage: 0 } } },
        { timestamp: at(2), meta, voltage: 0 },
        { timestamp: at(3), meta, power: 0, voltage: 3 },
      ],
      { implausible: 'refuse' },
    )
    expect(refused.map(({ index }) => index)).toEqual([1, 2, 3])
  })
})

describe('reading measurements', () => {
  it('gives those of a switch, a device, a site or an owner, in a stretch of time', async () => {
    const [site, owner] = [new ObjectId(), new ObjectId()]
    const channels = [0, 1, 2].map(() => ({ device: new ObjectId(), switch: new ObjectId(), site, owner }))
    const others = { device: new ObjectId(), switch: new ObjectId(), site: new ObjectId(), owner: new ObjectId() }
    await volt.measurements.insert(
      [...channels, others].flatMap((meta, n) =>
        [0, 10, 20].map((second) => aMeasurement({ meta, timestamp: at(second + n), power: 100 * n + second })),
      ),
    )
    const [first] = channels
    const stretch = { from: at(1), to: at(20) }
    expect(await powers({ switch: first?.switch as ObjectId })).toEqual([20, 10, 0])
    expect(await powers({ device: first?.device as ObjectId, order: 'oldest' })).toEqual([0, 10, 20])
    expect(await powers({ site, ...stretch, order: 'oldest' })).toEqual([101 - 1, 200, 10, 110, 210])
    expect(await powers({ owner, ...stretch })).toEqual([210, 110, 10, 200, 100])
    expect(await powers({ site, device: others.device })).toEqual([])
  })

  it.each([{}, { from: at(0) }, { site: 'Room 101' }, { site: new ObjectId(), sort: 'newest' }])(
    'refuses the range %j',
    async (range) => {
      await expect(volt.measurements.page(range as never)).rejects.toBeInstanceOf(ValidationError)
    },
  )

  it('leaves out copies, on every page and in both orders', async () => {
    const arbitrary = fc.record({
      // Few instants and numbers, so that there are copies.
      rows: fc.array(fc.tuple(fc.nat(5), fc.nat(2), fc.nat(2)), { maxLength: 30 }),
      limit: fc.integer({ min: 1, max: 7 }),
      order: fc.constantFrom('newest' as const, 'oldest' as const),
    })
    const property = fc.asyncProperty(arbitrary, async ({ rows, limit, order }) => {
      const site = new ObjectId()
      const device = new ObjectId()
      const switches = [new ObjectId(), new ObjectId(), new ObjectId()]
      const inputs = rows.map(([second, channel, sequence_no]) =>
        aMeasurement({ timestamp: at(second), meta: { device, switch: switches[channel], site }, sequence_no }),
      )
      await volt.measurements.insert(inputs)
      const tell = (one: Omit<EnergyMeasurement, '_id'>) =>
        `${one.timestamp.getTime()} ${String(one.meta.switch)} ${one.sequence_no}`
      const paged: string[] = []
      let cursor: string | null = null
      do {
        const slice: Awaited<ReturnType<typeof volt.measurements.page>> = await volt.measurements.page(
          { site, order },
          { limit, cursor },
        )
        expect(slice.items.length).toBeLessThanOrEqual(limit)
        expect(slice.hasNext).toBe(slice.nextCursor !== null)
        paged.push(...slice.items.map(tell))
        cursor = slice.nextCursor
      } while (cursor !== null)
      const streamed: string[] = []
      for await (const one of volt.measurements.stream({ site, order })) streamed.push(tell(one))
      expect(streamed).toEqual(paged)
      expect(paged.toSorted()).toEqual([...new Set(inputs.map(tell))].toSorted())
      const times = paged.map((one) => Number(one.split(' ')[0]))
      expect(times).toEqual(times.toSorted((a, b) => (order === 'newest' ? b - a : a - b)))
    })
    await fc.assert(property, { numRuns: runs(12) })
  })

  it('refuses a cursor that is none, and one of the other order', async () => {
    const site = new ObjectId()
    const meta = { device: new ObjectId(), site }
    await volt.measurements.insert([0, 1].map((second) => aMeasurement({ meta, timestamp: at(second) })))
    const { nextCursor } = await volt.measurements.page({ site }, { limit: 1 })
    for (const cursor of [nextCursor, 'x', '', '{"a":1}']) {
      const attempt = volt.measurements.page({ site, order: 'oldest' }, { cursor })
      await expect(attempt).rejects.toBeInstanceOf(ValidationError)
    }
  })

  it('is served by an index, without sorting in memory', async () => {
    for (const key of ['device', 'switch', 'site', 'owner']) {
      const query = { [`meta.${key}`]: new ObjectId(), timestamp: { $gte: at(0) } }
      const { stages } = (await stored().find(query).sort({ timestamp: -1 }).explain()) as { stages: object[] }
      expect(JSON.stringify(stages[0])).toContain(`meta.${key}_1_timestamp_1`)
      expect(stages.flatMap(Object.keys)).toContain('$_internalBoundedSort')
    }
  })
})

describe('marking measurements', () => {
  it('keeps beside them whether they are validated', async () => {
    const meta = { device: new ObjectId(), switch: new ObjectId(), site: new ObjectId() }
    const inputs = [0, 0, 1, 2].map((second, n) =>
      aMeasurement({ meta, timestamp: at(second), sequence_no: n, power: n }),
    )
    await volt.measurements.insert(inputs)
    const range = { switch: meta.switch, order: 'oldest' as const }
    const validated = async () => (await volt.measurements.page(range)).items.map((one) => one.validated)
    const { items } = await volt.measurements.page(range)
    expect(await validated()).toEqual([false, false, false, false])
    const by = new ObjectId()
    await volt.measurements.markValidated(items.slice(1, 3), { by })
    await volt.measurements.insert(inputs)
    expect(await validated()).toEqual([false, true, true, false])
    const marks = volt.repository(volt.entityOf('measurementMarks') as never)
    expect(await marks.find()).toMatchObject([
      { validated: true, validated_by: by, __v: 1 },
      { validated: true, validated_by: by, __v: 1 },
    ])
    await volt.measurements.markValidated(items.slice(0, 2), { validated: false })
    expect(await validated()).toEqual([false, false, true, false])
    expect(await marks.findOne({ timestamp: at(0), validated: false } as never)).not.toHaveProperty('validated_by')
  })

  it('takes part in a transaction', async () => {
    const meta = { device: new ObjectId(), site: new ObjectId() }
    await volt.measurements.insert([aMeasurement({ meta })])
    const { items } = await volt.measurements.page({ site: meta.site })
    const attempt = volt.transaction(async () => {
      await volt.measurements.markValidated(items)
      throw new Error('no')
    })
    await expect(attempt).rejects.toThrow('no')
    expect((await volt.measurements.page({ site: meta.site })).items).toMatchObject([{ validated: false }])
  })
})
