import { ObjectId } from 'mongodb'
import { beforeEach, describe, expect, it } from 'vitest'
import { Lease } from '../../src/core/lease.js'
import type { Device } from '../../src/devices/device.js'
import { DecoderSet } from '../../src/ingestion/decoder-set.js'
import { IngestWindowStore } from '../../src/ingestion/ingest-window-store.js'
import { OrderedPipeline } from '../../src/ingestion/ordered-pipeline.js'
import { IngestionCounters } from '../../src/ingestion/pipeline.js'
import { digestOf } from '../../src/ingestion/raw-message.js'
import { SharedPipeline } from '../../src/ingestion/shared-pipeline.js'
import { deployedDecoder } from '../../src/mqtt/deployed-decoder.js'
import { meteredDecoder } from '../../src/mqtt/metered-decoder.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'
import { secret } from '../mqtt/support/payloads.js'
import { openSite, type Site, v2Topic } from '../mqtt/support/site.js'

const minute = 60_000
let site: Site
let device: Device
let nowMs: number

beforeEach(async () => {
  site = await openSite()
  device = await site.device()
  nowMs = Date.now() - 60 * minute
})

const stored = () => site.volt.devices.get(device._id)
const entries = async () => {
  const found = await site.volt.ledger.find({}, { sort: { timestamp: 1 } })
  return found.map(({ powerState, timestamp }) => [powerState, timestamp.getTime() - nowMs])
}

interface Spoken {
  readonly topic: string
  readonly payload: object | string
  readonly atMs: number
  readonly isRetained?: boolean
}

const messageOf = ({ topic, payload, atMs, isRetained = false }: Spoken) => ({
  topic,
  payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
  receivedAt: new Date(atMs),
  isRetained,
})

async function openOrdered() {
  const { database } = site.volt
  // One of its own for each: the others are not used any more.
  const lease = new Lease(database, { name: `outdated-report:${new ObjectId().toHexString()}`, durationMs: 60_000 })
  await lease.acquire()
  const window = new IngestWindowStore(database, site.volt.entityOf('ingestWindows').collection, 'old-news')
  await window.load()
  const counters = new IngestionCounters()
  const pipeline = new OrderedPipeline(site.volt.ingestion.parts(), counters, lease, window)
  const decoders = new DecoderSet([
    deployedDecoder({ statusTopics: ['esp32/status/{mac}'] }),
    meteredDecoder({ 'lab/telemetry': { device: { macAddress: device.macAddress! }, gpio: 16 } }),
  ])
  const take = async (...spoken: Spoken[]) => {
    const messages = spoken.map((one) => {
      const message = messageOf(one)
      return { ...message, digest: digestOf(message), delivery: undefined, waitingSinceMs: one.atMs }
    })
    await pipeline.process(decoders.decode(messages))
  }
  return { take, counters }
}

describe('a message of the deployed firmware that the broker had kept', () => {
  const snapshot = (state: boolean, atMs: number, isRetained = false): Spoken => {
    const payload = { mac: device.macAddress, secret, switches: [{ gpio: 16, state }] }
    return { topic: 'esp32/state', payload, atMs, isRetained }
  }
  const event = (state: boolean, atMs: number, isRetained = false): Spoken => {
    const payload = { mac: device.macAddress, secret, type: 'switch_event', gpio: 16, state, timestamp: atMs - nowMs }
    return { topic: 'esp32/telemetry', payload: { ...payload, source: 'manual' }, atMs, isRetained }
  }

  it('moves no switch, and is no sign of life, however often the broker says it', async () => {
    const { take } = await openOrdered()
    await take(snapshot(true, nowMs + minute), event(false, nowMs + 1.5 * minute))
    const before = await stored()
    const again = await openOrdered()
    await again.take(snapshot(true, nowMs + 50 * minute, true))
    await again.take(snapshot(true, nowMs + 55 * minute, true))
    expect(await entries()).toEqual([
      [true, minute],
      [false, 1.5 * minute],
    ])
    expect(await stored()).toEqual(before)
    expect(again.counters).toMatchObject({ processed: 2, entries: 0, quarantined: 0 })
  })

  it('is no boot: its milliseconds since boot say nothing about the arrival', async () => {
    const { take } = await openOrdered()
    await take(snapshot(true, nowMs + minute), event(false, nowMs + 1.5 * minute))
    const before = await stored()
    const old = event(true, nowMs + 1.5 * minute)
    await take({ ...old, atMs: nowMs + 50 * minute, isRetained: true })
    expect(await entries()).toHaveLength(2)
    expect(await stored()).toEqual(before)
  })

  it('does not say when the device was seen, as a heartbeat', async () => {
    const { take } = await openOrdered()
    const heartbeat = { mac: device.macAddress, status: 'heartbeat', heap: 1, uptime: 5 }
    await take({ topic: 'esp32/telemetry', payload: heartbeat, atMs: nowMs, isRetained: true })
    expect(await stored()).not.toHaveProperty('lastSeenAt')
    await take({ topic: 'esp32/telemetry', payload: heartbeat, atMs: nowMs })
    expect(await stored()).toMatchObject({ lastSeenAt: new Date(nowMs) })
  })

  it('is a status only where none is known', async () => {
    const { take } = await openOrdered()
    const status = (payload: string, atMs: number) => ({
      topic: `esp32/status/${device.macAddress}`,
      payload,
      atMs,
      isRetained: true,
    })
    await take(status('offline', nowMs))
    expect(await stored()).toMatchObject({ status: 'offline' })
    expect(await stored()).not.toHaveProperty('lastSeenAt')
    await take(snapshot(true, nowMs + minute))
    const again = await openOrdered()
    await again.take(status('offline', nowMs + 2 * minute))
    expect(await stored()).toMatchObject({ status: 'online', lastSeenAt: new Date(nowMs + minute) })
  })

  it.each([
    ['with a time and a number of its own', (atMs: number) => ({ timestamp: atMs, sequence_no: 7 }), 1],
    ['without a time', () => ({ sequence_no: 7 }), 0],
    ['without a number', (atMs: number) => ({ timestamp: atMs }), 0],
    ['with a time that is none', () => ({ timestamp: '11/21/2026 09:00', sequence_no: 7 }), 0],
    ['with the time of a clock that is not set', () => ({ timestamp: 5_000, sequence_no: 7 }), 0],
  ])('is a reading of its own time %s', async (_, own, count) => {
    const { take } = await openOrdered()
    const reading = { esp32_name: 'lab', classroom: 'Lab', device_id: 'd1', power_w: 60, ...own(nowMs) }
    const kept = { topic: 'lab/telemetry', payload: reading, atMs: nowMs + 30 * minute, isRetained: true }
    await take(kept, { ...kept, atMs: nowMs + 40 * minute })
    expect(await entries()).toEqual(Array(count).fill([true, 0]))
    expect(await stored()).not.toHaveProperty('lastSignOfLifeAt')
    expect(await stored()).not.toHaveProperty('statusAt')
  })
})

describe('a message of version 2 that the broker had kept', () => {
  const open = () => {
    const counters = new IngestionCounters()
    const pipeline = new SharedPipeline(site.volt.ingestion.parts(), counters)
    const decoders = new DecoderSet([v2Decoder()])
    return (...spoken: Spoken[]) => pipeline.process(decoders.decode(spoken.map(messageOf)))
  }
  const own = { id: '7-1', boot: '7', seq: 1 }
  const kept = (kind: string, payload: object, atMs = nowMs + 30 * minute): Spoken => ({
    topic: v2Topic(device, kind),
    payload,
    atMs,
    isRetained: true,
  })

  it('is an entry of its own time, once, and no sign of life, no presence, no boot', async () => {
    const take = open()
    const moved = kept('switch', { ...own, time: nowMs, gpio: 16, state: true })
    await take(moved, moved)
    await open()({ ...moved, atMs: nowMs + 40 * minute })
    expect(await entries()).toEqual([[true, 0]])
    const { switches, ...others } = await stored()
    expect(switches[0]).toMatchObject({ state: true, stateAt: new Date(nowMs) })
    for (const field of ['lastSeenAt', 'lastSignOfLifeAt', 'statusAt', 'boot']) expect(others).not.toHaveProperty(field)
  })

  it.each([
    ['a heartbeat', 'heartbeat', {}],
    ['a switch that was moved at no time', 'switch', { gpio: 16, state: true }],
    ['a reading without a time', 'power', { gpio: 16, powerW: 5 }],
    ['a reading whose time is none', 'power', { gpio: 16, powerW: 5, time: 'yesterday' }],
    ['a reading of a clock that is ahead', 'power', { gpio: 16, powerW: 5, time: '2099-01-01T00:00:00Z' }],
  ])('changes nothing as %s', async (_, kind, content) => {
    const before = await stored()
    await open()(kept(kind, { ...own, ...content }))
    expect(await entries()).toEqual([])
    expect(await stored()).toEqual(before)
    expect(await site.volt.quarantine.count()).toBe(0)
  })

  it('ends no silence of a switch that is on', async () => {
    const take = open()
    const live = {
      topic: v2Topic(device, 'switch'),
      atMs: nowMs,
      payload: { ...own, time: nowMs, gpio: 16, state: true },
    }
    await take(live)
    await take(kept('heartbeat', { ...own, id: '7-2', seq: 2, time: nowMs + 29 * minute }))
    expect(await entries()).toEqual([[true, 0]])
    expect(await stored()).toMatchObject({ lastSeenAt: new Date(nowMs) })
  })

  it('is still old news when it is replayed from the quarantine', async () => {
    const take = open()
    const unheard = { ...kept('power', { ...own, gpio: 99, powerW: 5, time: nowMs }) }
    await take(unheard, { ...unheard, isRetained: false }, unheard)
    const found = await site.volt.quarantine.find({}, { sort: { isRetained: 1 } })
    expect(found.map(({ isRetained, occurrences, reason }) => [isRetained, occurrences, reason])).toEqual([
      [false, 1, 'unknown_switch'],
      [true, 2, 'unknown_switch'],
    ])
  })
})
