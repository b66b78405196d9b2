import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { silentLogger } from '../../../src/core/logger.js'
import type { Device } from '../../../src/devices/device.js'
import type { DailyAggregate } from '../../../src/energy/roll-ups/daily-aggregate.js'
import { generateLogKeys } from '../../../src/ledger/log/signed-note.js'
import { aCostVersion } from '../../support/builders.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { setUpDatabase } from '../../support/database.js'
import { SettableClock } from '../../support/settable-clock.js'
import { openVolt } from '../../support/volt.js'
import {
  aMeteredDevice,
  asEvent,
  asMeasurement,
  channelOf,
  energyInLedger,
  energyOf,
  entriesOf,
  noonMs,
  type Said,
} from './support/metered.js'
import { batchesOf, counts, powers } from './support/said.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
  await volt.tariffs.set(aCostVersion({ startsAt: new Date('2020-01-01'), currency: 'EUR', pricePerKwh: 0.31 }))
})

const minuteMs = 60_000
const march = { from: '2026-02-25', to: '2026-04-05' }

async function measure(device: Device, said: readonly Said[]): Promise<void> {
  await volt.measurements.insert(
    said.map((one) => asMeasurement(device, one)),
    { implausible: 'refuse' },
  )
}

async function record(device: Device, said: readonly Said[]): Promise<void> {
  await volt.ledger.append(said.map((one) => asEvent(device, one)))
}

/** A reading of a counter at a minute after noon. */
const count = (minute: number, energyWh: number): Said => ({
  atMs: noonMs + minute * minuteMs,
  energyWh,
  boot: 'b',
  sequence: minute,
})

/** A reading a minute. */
function everyMinute(count: number, powerW: number, fromMs = noonMs, first = 0): Said[] {
  return Array.from({ length: count }, (_, minute) => ({
    atMs: fromMs + minute * minuteMs,
    powerW,
    boot: 'b',
    sequence: first + minute,
  }))
}

const registers = async (device: Device) =>
  (await entriesOf(database, device)).map(({ timestamp, reading, gapLimitMs, flags, metadata }) => ({
    at: timestamp.toISOString().slice(11, 16),
    powerW: reading?.powerW,
    gapLimitMs,
    flags,
    revision: metadata.deviceSequence,
  }))

describe('the registers of a device', () => {
  it('are one entry for each quarter hour in which something is known, and one where that ends', async () => {
    const device = await aMeteredDevice(volt, { energySource: 'power' })
    await measure(device, everyMinute(41, 1000))
    expect(await entriesOf(database, device)).toEqual([])
    expect(await volt.registers.update()).toEqual({ entries: 4, left: 0 })
    const whole = { gapLimitMs: 900_000, flags: [], revision: 0 }
    expect(await registers(device)).toEqual([
      { at: '12:00', powerW: 1000, ...whole, flags: ['placed'] },
      { at: '12:15', powerW: 1000, ...whole },
      { at: '12:30', powerW: 2000 / 3, ...whole },
      { at: '12:45', powerW: 0, ...whole, gapLimitMs: 1000 },
    ])
    const [first, , , last] = await entriesOf(database, device)
    expect(first).toMatchObject({
      eventType: 'power_reading',
      energySource: 'power',
      powerState: true,
      deviceId: device._id,
      classroom: device.classroom,
      ratePerKwh: 0.31,
      metadata: { source: 'calculated' },
    })
    expect(last).toMatchObject({ cumulativeEnergy: 1000 * 40 * 60, cumulativeProduction: 0 })
    expect(await volt.registers.update()).toEqual({ entries: 0, left: 0 })
    expect(await database.db.collection('register_marks').countDocuments()).toBe(0)
  })

  it.each(['power', 'counter'] as const)('are of production where the device produces (%s)', async (energySource) => {
    const device = await aMeteredDevice(volt, { energySource, counterQuantumWh: 1 }, { energyRole: 'production' })
    const said = everyMinute(31, 1200).map((one, minute) => ({ ...one, energyWh: 1000 + 20 * minute }))
    await measure(device, said)
    await volt.registers.update()
    expect((await registers(device)).map(({ powerW }) => powerW)).toEqual([-1200, -1200, 0])
    const last = (await entriesOf(database, device)).at(-1)
    expect(last).toMatchObject({ cumulativeEnergy: 0, cumulativeProduction: 1200 * 1800 })
  })

  it('are corrected where readings come late', async () => {
    const device = await aMeteredDevice(volt, { energySource: 'power' })
    await measure(device, everyMinute(31, 1000))
    await volt.registers.update()
    await measure(device, [{ atMs: noonMs + 20.5 * minuteMs, powerW: 3000, boot: 'b', sequence: 99 }])
    await volt.registers.update()
    const corrected = (await registers(device)).at(-1)
    expect(corrected).toMatchObject({ at: '12:15', revision: 1, flags: ['late'] })
    expect(corrected?.powerW).toBeCloseTo(1000 + 2000 / 30)
    expect((await entriesOf(database, device)).at(-1)?.cumulativeEnergy).toBe(1000 * 30 * 60 + 2000 * 30)
  })

  describe('after a measurement that was refused', () => {
    const minutes = (...powers: readonly [minute: number, powerW: number][]) =>
      powers.map(([minute, powerW]) => ({ atMs: noonMs + minute * minuteMs, powerW, boot: 'b', sequence: minute }))
    const energyWh = async (device: Device) =>
      ((await entriesOf(database, device)).at(-1)?.cumulativeEnergy ?? 0) / 3600
    const slow = { reportingPeriodMs: 300_000 }

    it('have no more than the power before it until then', async () => {
      const limits = { minimumVoltage: 200 }
      const device = await aMeteredDevice(volt, { energySource: 'power', limits }, slow)
      const said = minutes([0, 1800], [5, 0], [15, 1800]).map((one) => asMeasurement(device, one))
      const voltages = [231, 40, 231]
      const given = said.map((one, index) => ({ ...one, voltage: voltages[index] }))
      expect(await volt.measurements.insert(given, { implausible: 'refuse' })).toEqual({
        stored: 2,
        refused: [{ index: 1, reasons: ['voltage_below_minimum'] }],
      })
      await volt.registers.update()
      expect(await energyWh(device)).toBe(150)
    })

    it('go on with the power of a line that is dead', async () => {
      const limits = { minimumVoltage: 200, minimumFrequency: 45 }
      const device = await aMeteredDevice(volt, { energySource: 'power', limits }, slow)
      const said = minutes([0, 1800], [5, 0], [15, 1800]).map((one) => asMeasurement(device, one))
      const given = said.map((one) => (one.power === 0 ? { ...one, voltage: 0, frequency: 0 } : one))
      expect((await volt.measurements.insert(given, { implausible: 'refuse' })).refused).toEqual([])
      await volt.registers.update()
      expect(await energyWh(device)).toBe(150)
      expect(await registers(device)).toMatchObject([{ at: '12:00', powerW: 600 }, { at: '12:15' }])
    })

    it('are corrected where it comes late, once however often it comes, and again where it is accepted', async () => {
      const device = await aMeteredDevice(volt, { energySource: 'power' }, slow)
      const [first, last] = minutes([0, 1800], [15, 1800]) as [Said, Said]
      const refused: Said = { atMs: noonMs + 5 * minuteMs, isRefused: true, boot: 'b', sequence: 5 }
      await measure(device, [first, last])
      await volt.registers.update()
      expect(await energyWh(device)).toBe(450)
      for (const times of [1, 2, 3]) {
        await measure(device, Array<Said>(times).fill(refused))
        await volt.registers.update()
        expect(await energyWh(device)).toBe(150)
      }
      await volt.measurements.insert([{ ...asMeasurement(device, { ...refused, isRefused: false }), power: 60 }])
      await volt.registers.update()
      expect(await energyWh(device)).toBe(160)
      await measure(device, [refused])
      await volt.registers.update()
      expect(await energyWh(device)).toBe(160)
    })

    it('are as before where it is of a counter, or measures no power', async () => {
      const device = await aMeteredDevice(volt, { energySource: 'counter', limits: { minimumVoltage: 200 } }, slow)
      await measure(device, [count(0, 100), count(10, 200)])
      await measure(device, [{ atMs: noonMs + 5 * minuteMs, isRefused: true, boot: 'b', sequence: 5 }])
      const voltage = { ...asMeasurement(device, count(6, 0)), counter_wh: undefined, voltage: 3 }
      expect((await volt.measurements.insert([voltage], { implausible: 'refuse' })).stored).toBe(0)
      await volt.registers.update()
      expect(await energyWh(device)).toBe(100)
      expect(await database.db.collection('energy_measurements').countDocuments({ 'meta.device': device._id })).toBe(3)
    })
  })

  it('say nothing of the time in which nothing was heard, and of a counter what it has counted meanwhile', async () => {
    const power = await aMeteredDevice(volt, { energySource: 'power' })
    const counter = await aMeteredDevice(volt, { energySource: 'counter', counterQuantumWh: 1 })
    const atHour = (hour: number, energyWh: number, sequence: number) => ({
      atMs: noonMs + hour * 3_600_000,
      energyWh,
      boot: 'b',
      sequence,
    })
    await measure(power, [...everyMinute(3, 600), ...everyMinute(3, 600, noonMs + 7_200_000, 10)])
    await measure(counter, [atHour(0, 1000, 1), atHour(0.75, 1300, 2)])
    await volt.registers.update()
    expect((await registers(power)).map(({ at, powerW }) => [at, powerW])).toEqual([
      ['12:00', 80],
      ['12:15', 0],
      ['14:00', 80],
      ['14:15', 0],
    ])
    expect(await registers(counter)).toEqual([
      ...['12:00', '12:15', '12:30'].map((at) => ({
        at,
        powerW: 400,
        gapLimitMs: 900_000,
        flags: at === '12:00' ? ['estimated', 'placed'] : ['estimated'],
        revision: 0,
      })),
      { at: '12:45', powerW: 0, gapLimitMs: 1000, flags: [], revision: 0 },
    ])
  })

  it('are taken when the quarter hour is over and the next reading, if there is one, has come', async () => {
    const clock = new SettableClock()
    const own = await openVolt(database, { clock })
    const device = await aMeteredDevice(volt, { energySource: 'power' })
    const startMs = Math.floor(Date.now() / 900_000) * 900_000
    clock.advance(startMs - Date.now() + 14 * minuteMs)
    const said = everyMinute(15, 1000, startMs)
    await own.measurements.insert(said.map((one) => asMeasurement(device, one)))
    clock.advance(3.5 * minuteMs)
    expect((await own.registers.update()).entries).toBe(0)
    clock.advance(minuteMs)
    expect((await own.registers.update()).entries).toBe(1)
    expect((await registers(device)).map(({ powerW }) => powerW)).toEqual([(1000 * 14) / 15])
    // The device is silent: the register ends with the quarter hour, once it is known that nothing came.
    clock.advance(15 * minuteMs)
    expect((await own.registers.update()).entries).toBe(1)
    expect((await entriesOf(database, device)).at(-1)?.cumulativeEnergy).toBe(1000 * 14 * 60)
    clock.advance(86_400_000)
    expect((await own.registers.update()).entries).toBe(0)
  })

  it('are those of metered switches: what is rated, or has no switch, or a device that records readings, is left alone', async () => {
    const rated = await aMeteredDevice(volt, { energySource: 'rated' })
    const plain = await aMeteredDevice(volt, { energySource: 'power' }, { ledgerRecording: 'readings' })
    const device = await aMeteredDevice(volt, { energySource: 'power' })
    await measure(rated, everyMinute(3, 5))
    await measure(plain, everyMinute(3, 5))
    await volt.measurements.insert([{ timestamp: new Date(noonMs), meta: { device: device._id }, power: 5 }])
    expect(await database.db.collection('register_marks').countDocuments()).toBe(0)
  })
})

describe('whatever the order in which measurements come', () => {
  const cases = [
    ['power', powers, {}],
    ['counter', counts, { counterQuantumWh: 1, counterWidthWh: 32, maximumPower: 200 }],
    ['counter', counts, { counterQuantumWh: 0 }],
  ] as const

  it.each(cases)('the ledger has the energy of all, by quarter hours (%s)', { timeout: 600_000 }, async (...given) => {
    const [energySource, histories, rules] = given
    await fc.assert(
      fc.asyncProperty(histories, fc.infiniteStream(fc.nat()), async (said, stream) => {
        const device = await aMeteredDevice(volt, { energySource, ...rules })
        const draws = stream[Symbol.iterator]()
        const draw = (below: number) => (draws.next().value as number) % below
        for (const batch of batchesOf(said, draw)) {
          await measure(device, batch)
          if (draw(2) === 0) await volt.registers.update()
        }
        await volt.registers.update()
        expect(await energyInLedger(database, device)).toEqual(energyOf(device, said))
        expect(await volt.registers.update()).toEqual({ entries: 0, left: 0 })
      }),
      { numRuns: 5 },
    )
  })

  it('roll-ups of them are the same when they are made anew', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(powers, fc.infiniteStream(fc.nat()), async (said, stream) => {
        const device = await aMeteredDevice(volt, { energySource: 'power' })
        const draws = stream[Symbol.iterator]()
        const draw = (below: number) => (draws.next().value as number) % below
        for (const batch of batchesOf(said, draw)) {
          await measure(device, batch)
          await volt.registers.update()
          if (draw(2) === 0) await volt.rollUps.update()
        }
        await volt.rollUps.update()
        expect((await volt.rollUps.verify(march)).differences).toEqual([])
        expect(await volt.rollUps.rebuild(march)).toEqual({ days: 0, months: 0 })
        const days = database.db.collection<DailyAggregate>('daily_aggregates').find({ device_id: device._id })
        let energyMws = 0
        for await (const day of days) energyMws += day.energy_mws - day.production_mws
        expect(energyMws).toBe([...energyOf(device, said).values()].reduce((sum, one) => sum + one, 0))
      }),
      { numRuns: 2 },
    )
  })
})

describe('a device that is switched over', () => {
  const cases = [
    ['power', powers, {}],
    ['counter', counts, { counterQuantumWh: 1, maximumPower: 2000 }],
  ] as const

  it('goes on with a counter at a reading that was accepted, and not amid a glitch', async () => {
    const device = await aMeteredDevice(volt, { energySource: 'counter', counterQuantumWh: 1 })
    const [measured, recorded] = [
      [count(1, 20)],
      [count(16, 20), count(17, 20), count(18, 21), count(21, 0), count(36, 22)],
    ]
    await measure(device, measured)
    await record(device, recorded)
    await volt.registers.update()
    expect(await energyInLedger(database, device)).toEqual(energyOf(device, [...measured, ...recorded]))
  })

  it.each(cases)('has its energy once (%s)', { timeout: 600_000 }, async (energySource, histories, rules) => {
    await fc.assert(
      fc.asyncProperty(histories, fc.nat(), fc.boolean(), async (said, place, isBackwards) => {
        const device = await aMeteredDevice(volt, { energySource, ...rules })
        const at = place % said.length
        const [first, then] = [said.slice(0, at), said.slice(at)]
        // Switching back, the readings of the ledger are there when the last registers are taken.
        if (isBackwards) await measure(device, first)
        await record(device, isBackwards ? then : first)
        if (!isBackwards) await measure(device, then)
        await volt.registers.update()
        const [found, wanted] = [await energyInLedger(database, device), energyOf(device, said)]
        const sum = (energy: ReadonlyMap<string, number>) => [...energy.values()].reduce((total, one) => total + one, 0)
        expect(sum(found)).toBe(sum(wanted))
        expect([...found.keys()]).toEqual([...wanted.keys()])
        for (const [quarter, energyMws] of wanted) {
          // Where a reading of the ledger that does not count cuts a stretch, single milliwatt-seconds go elsewhere.
          expect(Math.abs((found.get(quarter) ?? 0) - energyMws)).toBeLessThanOrEqual(said.length)
        }
      }),
      { numRuns: 5 },
    )
  })
})

it('leaves alone what is archived, says so, and goes on with the rest', async () => {
  const own = setUpDatabase()
  const warnings: object[] = []
  const logger = { ...silentLogger, warn: (details: object) => void warnings.push(details) }
  const keys = generateLogKeys('school.example/energy')
  const other = await openVolt(own, { ledgerLog: { signerKeys: [keys.signerKey] }, logger })
  await other.setup()
  const device = await aMeteredDevice(other, { energySource: 'power' })
  const insert = (said: readonly Said[]) => other.measurements.insert(said.map((one) => asMeasurement(device, one)))
  await insert(everyMinute(60, 1000))
  await other.registers.update()
  await other.ledger.checkpoint()
  const folder = await mkdtemp(join(tmpdir(), 'registers-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  await other.ledger.archive({ file: join(folder, 'one') })
  await insert([{ atMs: noonMs + 20.5 * minuteMs, powerW: 3000, boot: 'b', sequence: 998 }])
  await insert(everyMinute(16, 500, noonMs + 86_400_000, 1000))
  expect(await other.registers.update()).toEqual({ entries: 3, left: 1 })
  expect(warnings).toMatchObject([{ switchId: String(channelOf(device)._id) }])
  const last = (await entriesOf(own, device)).at(-1)
  expect(last?.cumulativeEnergy).toBe(1000 * 59 * 60 + 500 * 15 * 60)
})

it('takes no register from what is left of measurements that have expired', async () => {
  const own = await openVolt(database, { expireAfterSeconds: { measurements: 86_400 } })
  const device = await aMeteredDevice(volt, { energySource: 'power' })
  await measure(device, everyMinute(20, 1000))
  expect(await own.registers.update()).toEqual({ entries: 0, left: 0 })
  expect(await entriesOf(database, device)).toEqual([])
  expect(await database.db.collection('register_marks').countDocuments()).toBe(0)
})

it('looks no further than the time in which a counter stood still, however long that was', async () => {
  const device = await aMeteredDevice(volt, { energySource: 'counter', counterQuantumWh: 1 })
  const said = [
    ...[0, 1, 2, 3].map((minute) => count(minute, 100 + 2 * minute)),
    ...Array.from({ length: 1500 }, (_, minute) => count(4 + minute, 106)),
  ]
  await measure(device, said)
  await volt.registers.update()
  const more = [count(1504, 108), count(1505, 110), count(1530, 112)]
  await measure(device, more)
  await volt.registers.update()
  expect(await energyInLedger(database, device)).toEqual(energyOf(device, [...said, ...more]))
})
