import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Device } from '../../../src/devices/device.js'
import { DecoderSet } from '../../../src/ingestion/decoder-set.js'
import { IngestionCounters } from '../../../src/ingestion/pipeline.js'
import { SharedPipeline } from '../../../src/ingestion/shared-pipeline.js'
import { v2Decoder } from '../../../src/mqtt/v2-decoder.js'
import { openSite, type Site, v2Topic } from '../../mqtt/support/site.js'
import { aClassroom, aSwitch } from '../../support/builders.js'

const decoders = new DecoderSet([v2Decoder()])
const day = { from: '2025-10-26', to: '2025-10-26' }
const halfHourMs = 1_800_000
const startMs = Date.parse('2025-10-26T00:00:00Z')
let site: Site
let device: Device
let london: Device['classroom']

beforeAll(async () => {
  site = await openSite()
  london = (await site.volt.classrooms.create(aClassroom({ timeZone: 'Europe/London' })))._id
})

async function aDevice(input: Partial<Parameters<Site['device']>[0] & object> = {}) {
  device = await site.device({
    classroom: london,
    reportingPeriodMs: halfHourMs,
    switches: [aSwitch({ gpio: 16, energySource: 'power' })],
    ...input,
  })
}

interface Message {
  readonly kind?: 'power' | 'heartbeat' | 'switch'
  readonly seq: number
  /** Of the device's own clock, without a zone. */
  readonly time: string
  readonly atMs: number
  readonly content?: object
}

/** What was sent at an instant in London, and arrives a second later or when it is said. */
function message({ kind = 'power', seq, time, atMs, content }: Message, arrivalMs = atMs + 1000) {
  const payload = { id: `1-${seq}`, boot: '1', seq, time, ...content }
  return {
    topic: v2Topic(device, kind),
    payload: Buffer.from(JSON.stringify(payload)),
    receivedAt: new Date(arrivalMs),
  }
}

const aPipeline = () => new SharedPipeline(site.volt.ingestion.parts(), new IngestionCounters())
const take = (pipeline: SharedPipeline, messages: readonly ReturnType<typeof message>[]) =>
  pipeline.process(decoders.decode(messages))
const daily = async () => (await site.volt.energy.dailyByClassroom(day))[0]

/** 1 kW the first time around, 2 kW the second. */
const readings: readonly Message[] = [
  ['2025-10-26T01:00:00', 1000],
  ['2025-10-26T01:30:00', 1000],
  ['2025-10-26T01:00:00', 2000],
  ['2025-10-26T01:30:00', 2000],
  ['2025-10-26T02:00:00', 0],
].map(([time, powerW], seq) => ({
  seq,
  time: String(time),
  atMs: startMs + seq * halfHourMs,
  content: { gpio: 16, state: true, powerW },
}))

const stored = () => site.volt.ledger.find({}, { sort: { sequence: 1 } })

/** The numbers of the readings that are said to be of a time that clocks showed twice. */
async function inDoubt(): Promise<number[]> {
  const entries = await stored()
  const doubtful = entries.filter(({ flags }) => flags.includes('clock_ambiguous'))
  return doubtful.map(({ metadata }) => Number(metadata.deviceSequence)).sort()
}

/** Those that are at another time than their own, and not said to be in doubt. */
async function misplaced(): Promise<number[]> {
  const entries = await stored()
  const certain = entries.filter(({ flags }) => !flags.includes('clock_ambiguous'))
  return certain
    .map(({ timestamp, metadata }) => [timestamp.getTime(), Number(metadata.deviceSequence)])
    .filter(([atMs, sequence]) => readings[sequence!]?.atMs !== atMs)
    .map(([, sequence]) => sequence!)
}

describe('readings of a clock without a zone, in the hour that it shows twice', () => {
  beforeEach(async () => {
    await site.database.db.collection('power_consumption_ledger').deleteMany({})
    await aDevice()
  })

  it('come to the energy of both times', async () => {
    const pipeline = aPipeline()
    for (const one of readings) await take(pipeline, [message(one)])
    expect(await daily()).toMatchObject({ energyKwh: 3, missingSeconds: 0 })
    const entries = await site.volt.ledger.find({}, { sort: { timestamp: 1 } })
    expect(entries.map(({ timestamp, flags }) => [timestamp.getTime(), flags])).toEqual(
      readings.map(({ atMs }, at) => [atMs, at === 0 ? ['placed'] : []]),
    )
  })

  it('do so from a backlog in any order, where nothing but the sequence tells, and however often they are delivered', async () => {
    const later = startMs + 10 * 3_600_000
    await take(
      aPipeline(),
      [4, 2, 0, 3, 1].map((at) => message(readings[at]!, later)),
    )
    // Another process, that knows none of it.
    for (const one of readings) await take(aPipeline(), [message(one, later)])
    expect(await daily()).toMatchObject({ energyKwh: 3, missingSeconds: 0 })
    const entries = await site.volt.ledger.find({}, { sort: { sequence: 1 } })
    // Nothing says that the first two are not of the second time; one after the other they could not be told.
    expect(entries.filter(({ flags }) => flags.includes('clock_ambiguous'))).toHaveLength(2)
  })

  it('are placed right, or said to be in doubt, where several processes take them at once', async () => {
    const later = startMs + 10 * 3_600_000
    await take(
      aPipeline(),
      readings.slice(0, 2).map((one) => message(one, later)),
    )
    const takers = Array.from({ length: 6 }, () => aPipeline())
    await Promise.all(takers.map((pipeline, at) => take(pipeline, [message(readings[2 + (at % 3)]!, later)])))
    // Whether the fourth is of the first pass, nothing tells before the third is there.
    expect(await inDoubt()).toEqual(expect.arrayContaining([0, 1]))
    expect([0, 1, 3]).toEqual(expect.arrayContaining(await inDoubt()))
    if (!(await inDoubt()).includes(3)) expect(await daily()).toMatchObject({ energyKwh: 3, missingSeconds: 0 })
    expect(await misplaced()).toEqual([])
  })

  it('do not mislead, where one that nothing tells comes before those that would have told', async () => {
    const later = startMs + 10 * 3_600_000
    for (const at of [0, 1, 3, 2, 4]) await take(aPipeline(), [message(readings[at]!, later)])
    expect(await inDoubt()).toEqual([0, 1, 3])
    expect(await misplaced()).toEqual([])
  })

  it('are not placed by a message that is not the device’s', async () => {
    await aDevice({ authentication: 'signature' })
    await take(aPipeline(), [message(readings[1]!)])
    expect(await site.volt.quarantine.count({ reason: 'unauthorized', macAddress: device.macAddress })).toBe(1)
    expect((await site.volt.devices.get(device._id)).repeatedHour).toBeUndefined()
  })
})

it('registers of quarter hours come to it as well', async () => {
  await aDevice({ ledgerRecording: 'quarter_hours' })
  const later = startMs + 10 * 3_600_000
  for (const at of [0, 1, 2, 3, 4, 2, 3, 1]) await take(aPipeline(), [message(readings[at]!, later)])
  const stored = await site.database.db.collection('energy_measurements').find().toArray()
  expect(new Set(stored.map(({ timestamp }) => (timestamp as Date).getTime()))).toEqual(
    new Set(readings.map(({ atMs }) => atMs)),
  )
})

it('a lamp is alive both times', async () => {
  await site.database.db.collection('power_consumption_ledger').deleteMany({})
  await aDevice({ reportingPeriodMs: 60_000, switches: [aSwitch({ gpio: 16, powerRating: 100 })] })
  const minutes = Array.from({ length: 120 }, (_, seq): Message => {
    const minute = String(seq % 60).padStart(2, '0')
    const kind = seq === 0 ? 'switch' : 'heartbeat'
    const content = seq === 0 ? { gpio: 16, state: true, cause: 'manual' } : {}
    return { kind, seq, time: `2025-10-26T01:${minute}:00`, atMs: startMs + seq * 60_000, content }
  })
  for (let at = 0; at < minutes.length; at += 25) {
    await take(
      aPipeline(),
      minutes.slice(at, at + 25).map((one) => message(one, startMs + 5 * 3_600_000)),
    )
  }
  expect(await daily()).toMatchObject({ measuredSeconds: 119 * 60, estimatedSeconds: 0, missingSeconds: 0 })
})
