import type { DeviceSwitch } from '@autovolt/data'
import type { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Child, startChild } from '../support/child.js'
import { eventually } from '../support/eventually.js'
import { full } from '../support/extent.js'
import { type Mosquitto, startMosquitto } from '../support/mosquitto.js'
import { type ExpectedDay, type GapRow, readExpectedDays, readGaps } from './support/gaps.js'
import { type OutgoingMessage, publishAll } from './support/publisher.js'
import { seededRandom } from './support/random.js'
import { openSchool, type School } from './support/school.js'

/** Blocks that are not in the order of time, of two plugs; `--full` takes all rows. */
const slice = [
  'dev_B7E6FB_2011.11.28_cleaned_05.12.2011.csv',
  'dev_B7E6FB_2011.11.28_cleaned_30.11.2011.csv',
  'device_4BEA01_2011.12.30.csv',
]

const rows = readGaps()?.filter(({ file }) => full || slice.includes(file))
const gpios = ['Coffeemaker', 'Refrigerator', 'Lamp', 'NAS', 'Router']

describe.runIf(rows)('real readings, replayed as v2 messages through mosquitto', () => {
  const readings = rows ?? []
  let mosquitto: Mosquitto
  let school: School
  let ingester: Child
  const devices = new Map<string, ObjectId>()
  const switches = new Map<string, DeviceSwitch>()

  beforeAll(async () => {
    mosquitto = await startMosquitto({ maxInflightMessages: 2000, maxQueuedMessages: 0 })
    school = await openSchool({ timeZone: 'Europe/Berlin' })
    for (const deviceId of new Set(readings.map((row) => row.deviceId))) {
      const device = await school.device({
        macAddress: macOf(deviceId),
        reportingPeriodMs: 5000,
        switches: gpios.map((name, gpio) => ({ name, gpio, powerRating: 0, energySource: 'power' })),
      })
      devices.set(deviceId, device._id)
      for (const one of device.switches) switches.set(`${deviceId} ${one.name}`, one)
    }
  })

  const startIngester = async () => {
    const env = { MONGODB_URI: school.uri, DB_NAME: school.dbName, MQTT_URL: mosquitto.url, EARLIEST: '2011-01-01' }
    ingester = startChild(new URL('./support/ingester.ts', import.meta.url), { env })
    await ingester.next('started')
  }
  const stopIngester = async () => {
    ingester.send({ type: 'stop' })
    await ingester.next('stopped')
    await ingester.exit
  }
  const processed = (count: number) =>
    eventually(`${count} messages are processed`, () => lastProcessed(ingester) >= count, {
      timeoutMs: 600_000,
      everyMs: 100,
    })

  it('ends as a verified ledger, each reading once', async () => {
    const random = seededRandom(2011)
    const { first, second } = withRepetitions(readings, random)
    await startIngester()
    await publishAll(mosquitto.url, first.map(toMessage))
    await processed(first.length)
    await stopIngester()
    await startIngester()
    await publishAll(mosquitto.url, second.map(toMessage))
    await processed(second.length)
    // On a busy machine messages come twice, and both count as processed.
    const { ledger } = school.volt
    await eventually('all readings are stored', async () => (await ledger.count()) >= readings.length, {
      timeoutMs: 600_000,
      everyMs: 500,
    })
    await stopIngester()
    expect(await school.volt.ledger.count()).toBe(readings.length)
    expect(await school.volt.quarantine.count()).toBe(0)
    expect(await school.volt.ledger.verify()).toMatchObject({ valid: true, entries: readings.length })
  }, 1_200_000)

  it('gives the daily energy of an independent calculation within 0.01 %', async () => {
    const days = await school.volt.energy.dailyBySwitch({ from: '2011-11-01', to: '2011-12-31' })
    const found = new Map(days.map(({ day, switchId, energyKwh }) => [`${switchId} ${day}`, energyKwh]))
    const differing = expectedDays(readings).flatMap(({ deviceId, appliance, day, kwh }) => {
      const energyKwh = found.get(`${switches.get(`${deviceId} ${appliance}`)?._id} ${day}`) ?? 0
      return isAsMuch(energyKwh, kwh) ? [] : [{ deviceId, appliance, day, kwh, energyKwh }]
    })
    expect(differing).toEqual([])
  }, 600_000)

  it('gives the same energy from the roll-ups, and the hours in which most was used', async () => {
    const { rollUps, analytics } = school.volt
    await rollUps.update()
    const differing: object[] = []
    for (const { deviceId, day, kwh, peakHour } of expectedDays(readings)) {
      const hours = await analytics.peakHours({ from: day, to: day, devices: [devices.get(deviceId) as ObjectId] })
      const energyKwh = hours.reduce((sum, { totalEnergyKwh }) => sum + totalEnergyKwh, 0)
      const isSame = isAsMuch(energyKwh, kwh) && (kwh === 0 || hours[0]?.hour === peakHour)
      if (!isSame) differing.push({ deviceId, day, kwh, energyKwh, peakHour, found: hours[0]?.hour })
    }
    expect(differing).toEqual([])
    expect(await rollUps.verify({ from: '2011-11-01', to: '2011-12-31' })).toMatchObject({ valid: true })
  }, 1_200_000)

  it('ends with registers that equal the energy of all days', async () => {
    const days = await school.volt.energy.dailyBySwitch({ from: '2011-11-01', to: '2011-12-31' })
    for (const one of switches.values()) {
      const last = await school.volt.ledger.findOne({ switchId: one._id }, { sort: { sequence: -1 } })
      const kwh = days
        .filter(({ switchId }) => switchId.equals(one._id))
        .reduce((sum, { energyKwh }) => sum + energyKwh, 0)
      expect((last?.cumulativeEnergy ?? 0) / 3.6e6).toBeCloseTo(kwh, 9)
    }
  }, 600_000)
})

/** Those of which readings were sent: each device has one appliance a day. */
function expectedDays(readings: readonly GapRow[]): ExpectedDay[] {
  const present = new Set(
    readings.map(({ deviceId, appliance, localTime }) => `${deviceId} ${appliance} ${localTime.slice(0, 10)}`),
  )
  const expected = readExpectedDays().filter(({ deviceId, appliance, day }) =>
    present.has(`${deviceId} ${appliance} ${day}`),
  )
  expect(expected.length).toBeGreaterThan(0)
  return expected
}

/** Within 0.01 %. */
function isAsMuch(energyKwh: number, kwh: number): boolean {
  return Math.abs(energyKwh - kwh) <= Math.max(kwh * 1e-4, 1e-6)
}

function lastProcessed(ingester: Child): number {
  const status = ingester.messages.findLast(({ type }) => type === 'status') as
    | { status?: { processed: number } }
    | undefined
  return status?.status?.processed ?? 0
}

/** A tenth of the rows are sent again at random later positions, half of those after the restart. */
function withRepetitions(rows: readonly GapRow[], random: () => number): { first: GapRow[]; second: GapRow[] } {
  const placed: { row: GapRow; position: number }[] = rows.map((row, at) => ({ row, position: at }))
  const second: GapRow[] = []
  for (const [at, row] of rows.entries()) {
    if (random() >= 0.1) continue
    if (random() < 0.5) second.push(row)
    else placed.push({ row, position: at + 0.5 + random() * (rows.length - at) })
  }
  return { first: placed.sort((a, b) => a.position - b.position).map(({ row }) => row), second }
}

function toMessage({ number, deviceId, appliance, localTime, powerW }: GapRow): OutgoingMessage {
  const message = { id: `1-${number}`, boot: '1', seq: number, time: localTime, gpio: gpios.indexOf(appliance), powerW }
  return {
    topic: `autovolt/v2/${macOf(deviceId).replaceAll(':', '').toLowerCase()}/power`,
    payload: JSON.stringify(message),
  }
}

function macOf(deviceId: string): string {
  const digits = deviceId.split('_')[1] ?? ''
  return `02:00:00:${(digits.match(/../g) ?? []).join(':')}`
}
