import { beforeAll, beforeEach, expect, it } from 'vitest'
import { Lease } from '../../src/core/lease.js'
import type { Device } from '../../src/devices/device.js'
import { DecoderSet } from '../../src/ingestion/decoder-set.js'
import { IngestWindowStore } from '../../src/ingestion/ingest-window-store.js'
import { isolateFailingMessage } from '../../src/ingestion/isolate-failing-message.js'
import { OrderedPipeline } from '../../src/ingestion/ordered-pipeline.js'
import { IngestionCounters } from '../../src/ingestion/pipeline.js'
import { digestOf } from '../../src/ingestion/raw-message.js'
import type { Decoder } from '../../src/ingestion/report.js'
import { SharedPipeline } from '../../src/ingestion/shared-pipeline.js'
import { meteredDecoder } from '../../src/mqtt/metered-decoder.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'
import { openSite, type Site, v2Topic } from '../mqtt/support/site.js'
import { aSwitch } from '../support/builders.js'

let site: Site
let device: Device
let nowMs: number
const decoders = new DecoderSet([v2Decoder()])
const both = { measurements: true, telemetry: true }

beforeAll(async () => {
  site = await openSite()
})
beforeEach(async () => {
  device = await site.device({
    energyRole: 'storage',
    switches: [aSwitch({ gpio: 16, energySource: 'power', maximumPower: 3000 })],
  })
  nowMs = Date.now() - 600_000
})

let serial = 0
function message(kind: string, atMs: number, content: object = {}, arrivalMs = atMs + 200) {
  serial += 1
  const payload = { id: `m-${serial}`, boot: 'b1', seq: serial, time: atMs, ...content }
  return {
    topic: v2Topic(device, kind),
    payload: Buffer.from(JSON.stringify(payload)),
    receivedAt: new Date(arrivalMs),
  }
}

async function measured(): Promise<object[]> {
  const { items } = await site.volt.measurements.page({ device: device._id, order: 'oldest' })
  return items
}

async function told(): Promise<object[]> {
  const { items } = await site.volt.telemetry.page({ device: device._id, order: 'oldest' })
  return items
}

it('keeps that a reading was refused: the power before it ends there', async () => {
  const pipeline = new SharedPipeline(site.volt.ingestion.parts(), new IngestionCounters())
  const meter = (deviceOf: Device, seq: number, powerW: number) => ({
    topic: v2Topic(deviceOf, 'power'),
    payload: Buffer.from(
      JSON.stringify({ id: `r-${seq}`, boot: 'b1', seq, time: nowMs + 60_000 * seq, gpio: 16, powerW }),
    ),
    receivedAt: new Date(nowMs + 60_000 * seq),
  })
  const quarterly = await site.device({
    ledgerRecording: 'quarter_hours',
    switches: [aSwitch({ gpio: 16, energySource: 'power' })],
  })
  const counted = await site.device({ switches: [aSwitch({ gpio: 16, energySource: 'counter' })] })
  nowMs -= 3_600_000
  for (const one of [device, quarterly, counted]) {
    const readings = [meter(one, 0, 600), meter(one, 1, 1e12), meter(one, 2, 600), meter(one, 3, 0)]
    const [first, refused, ...later] = decoders.decode(readings)
    await pipeline.process([first, ...later].filter((message) => message !== undefined))
    for (let times = 0; times < 2; times += 1)
      await pipeline.process([refused].filter((message) => message !== undefined))
  }
  await site.volt.registers.update()
  const lastOf = async ({ _id }: Device) =>
    (await site.volt.ledger.find({ deviceId: _id }, { sort: { sequence: 1 } })).at(-1)
  expect((await lastOf(device))?.cumulativeEnergy).toBe(600 * 120)
  expect((await lastOf(quarterly))?.cumulativeEnergy).toBe(600 * 120)
  const ofRefused = { deviceId: device._id, eventType: 'refused_reading' as const }
  expect(await site.volt.ledger.find(ofRefused)).toMatchObject([
    { timestamp: new Date(nowMs + 60_000), flags: ['late'], metadata: { bootId: 'b1', deviceSequence: 1 } },
  ])
  expect(await site.volt.ledger.count({ deviceId: counted._id, eventType: 'refused_reading' })).toBe(0)
  expect(await site.volt.quarantine.count({ reason: 'not_a_reading' })).toBe(3)
})

it('keeps what meters say, beside the ledger, once however often it comes', async () => {
  const pipeline = new SharedPipeline(site.volt.ingestion.parts(both), new IngestionCounters())
  const reading = { gpio: 16, powerW: -61.5, energyWh: 10_482.7, voltageV: 231, currentA: 0.27, frequencyHz: 50.1 }
  const batch = decoders.decode([
    message('power', nowMs, { ...reading, powerFactor: 0.98 }),
    message('power', nowMs + 1000, { gpio: 16, powerW: 3001 }),
    message('power', nowMs + 2000, { gpio: 16, powerW: 5, time: undefined }, nowMs + 2000),
  ])
  await pipeline.process(batch)
  await pipeline.process(batch)
  expect(await measured()).toMatchObject([
    {
      timestamp: new Date(nowMs),
      received_at: new Date(nowMs + 200),
      meta: { device: device._id, switch: device.switches[0]?._id, site: device.classroom },
      data_type: 'production',
      power: -61.5,
      voltage: 231,
      current: 0.27,
      power_factor: 0.98,
      frequency: 50.1,
      counter_wh: 10_482.7,
      quality: 'good',
      boot: 'b1',
      source: 'mqtt',
      validated: false,
    },
    { data_type: 'consumption', power: 3001, quality: 'poor', implausible: ['power_above_maximum'] },
    { power: 5, quality: 'fair' },
  ])
  expect(await site.volt.ledger.count({ deviceId: device._id })).toBe(3)
})

it('takes what a producing device tells for production, in the ledger too', async () => {
  device = await site.device({
    energyRole: 'production',
    switches: [
      aSwitch({ gpio: 16, energySource: 'counter' }),
      aSwitch({ gpio: 17, energySource: 'power', maximumPower: 5000 }),
    ],
  })
  const pipeline = new SharedPipeline(site.volt.ingestion.parts(both), new IngestionCounters())
  await pipeline.process(
    decoders.decode([
      message('power', nowMs, { gpio: 16, energyWh: 100 }),
      message('power', nowMs, { gpio: 17, powerW: 1000 }),
      message('power', nowMs + 60_000, { gpio: 16, energyWh: 118 }),
      message('power', nowMs + 60_000, { gpio: 17, powerW: 0 }),
    ]),
  )
  expect(await measured()).toMatchObject(Array(4).fill({ data_type: 'production' }))
  const [counter, power] = device.switches.map(({ _id }) => _id)
  for (const [switchId, ws] of [
    [counter, 18 * 3600],
    [power, 60_000],
  ] as const) {
    const filter = { switchId: switchId as NonNullable<typeof switchId> }
    const last = await site.volt.ledger.findOne(filter, { sort: { sequence: -1 } })
    expect(last).toMatchObject({
      energyDirection: 'production',
      cumulativeEnergy: 0,
      cumulativeProduction: ws,
      calculatedCost: 0,
    })
  }
})

it('keeps what devices say of themselves, and what is odd about it', async () => {
  const pipeline = new SharedPipeline(site.volt.ingestion.parts(both), new IngestionCounters())
  const vitals = { uptimeMs: 812_345, freeHeapBytes: 181_234, rssiDbm: -61, firmware: '2.1.0' }
  const messages = [
    message('heartbeat', nowMs, vitals),
    message('power', nowMs + 1000, { gpio: 16, powerW: 5, temperatureC: 41.5 }),
    message('heartbeat', nowMs - 1000),
    message('heartbeat', nowMs + 120_000, {}, nowMs),
    message('status', nowMs + 121_000, { status: 'online' }),
  ]
  await pipeline.process(decoders.decode(messages))
  const sound = { time_drift: false, out_of_order: false, duplicate: false, gap_before: false, confidence: 'high' }
  expect(await told()).toMatchObject([
    { type: 'heartbeat', quality_flags: { ...sound, out_of_order: true, confidence: 'medium' } },
    {
      type: 'heartbeat',
      timestamp: new Date(nowMs),
      uptime_seconds: 812.345,
      free_heap: 181_234,
      signal_strength: -61,
      firmware_ver: '2.1.0',
      quality_flags: sound,
    },
    {
      type: 'sensor',
      meta: { switch: device.switches[0]?._id },
      name: 'temperature',
      value: 41.5,
      unit: '°C',
      quality_flags: sound,
    },
    { type: 'heartbeat', quality_flags: { ...sound, time_drift: true, gap_before: true, confidence: 'medium' } },
    { type: 'status', status: 'online' },
  ])
  await pipeline.process(decoders.decode([{ ...(messages.at(-1) as (typeof messages)[number]), isRetained: true }]))
  expect(await told()).toHaveLength(5)
})

it('keeps nothing of it unless that is switched on', async () => {
  const pipeline = new SharedPipeline(site.volt.ingestion.parts(), new IngestionCounters())
  const messages = [message('power', nowMs, { gpio: 16, powerW: 5, temperatureC: 20 }), message('heartbeat', nowMs)]
  await pipeline.process(decoders.decode(messages))
  expect([...(await measured()), ...(await told())]).toEqual([])
})

it('leaves out a value that is none, and says so, whatever the decoder', async () => {
  const counters = new IngestionCounters()
  const pipeline = new SharedPipeline(site.volt.ingestion.parts(both), counters)
  const careless: Decoder = {
    name: 'careless',
    order: 'device',
    filters: ['#'],
    decode: (_, payload) => ({
      reports: [
        {
          kind: 'reading',
          device: { macAddress: device.macAddress! },
          credential: { kind: 'broker' },
          time: { kind: 'instant', ms: nowMs },
          messageId: String(payload),
          sequence: payload.byteLength,
          gpio: 16,
          powerW: 5,
          voltage: String(payload) === 'bad' ? Number.NaN : 230,
        },
      ],
    }),
  }
  const batch = ['good', 'bad'].map((text) => ({
    topic: 'x',
    payload: Buffer.from(text),
    receivedAt: new Date(nowMs),
  }))
  await isolateFailingMessage(new DecoderSet([careless]).decode(batch), (part) => pipeline.process(part))
  expect(counters).toMatchObject({ entries: 2, quarantined: 0, notes: 1, lastNote: { detail: 'left out: voltage' } })
  expect(counters.lastNote).toMatchObject({ macAddress: device.macAddress, at: new Date(nowMs) })
  expect((await measured()).map((one) => 'voltage' in one).toSorted()).toEqual([false, true])
})

it('keeps what the metered build says, whose only order is that of arrival', async () => {
  const { volt } = site
  const lease = new Lease(volt.database, { name: 'series', durationMs: 60_000 })
  await lease.acquire()
  const window = new IngestWindowStore(volt.database, volt.entityOf('ingestWindows').collection, 'series')
  await window.load()
  const pipeline = new OrderedPipeline(volt.ingestion.parts(both), new IngestionCounters(), lease, window)
  const metered = new DecoderSet([
    meteredDecoder({ 'lab/telemetry': { device: { macAddress: device.macAddress! }, gpio: 16 } }),
  ])
  const names = { esp32_name: 'lab', classroom: 'Lab 1', device_id: 'd1', timestamp: nowMs }
  const payload = { ...names, power_w: 60.5, wifi_rssi: -61, uptime_seconds: 812, sequence_no: 9, status: 'online' }
  const content = { topic: 'lab/telemetry', payload: Buffer.from(JSON.stringify(payload)) }
  const digest = digestOf(content)
  const receivedAt = new Date(nowMs + 200)
  const delivery = { packetId: 1, digest, isRepeated: false }
  const batch = metered.decode([{ ...content, receivedAt, digest, delivery, waitingSinceMs: receivedAt.getTime() }])
  await pipeline.process(batch)
  expect(await measured()).toMatchObject([{ power: 60.5, sequence_no: 9, timestamp: new Date(nowMs) }])
  expect(await told()).toMatchObject([
    { type: 'heartbeat', signal_strength: -61, uptime_seconds: 812, status: 'online', sequence_no: 9 },
  ])
})
