import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, expect, it } from 'vitest'
import { DatabaseError } from '../../src/core/errors.js'
import { Lease } from '../../src/core/lease.js'
import type { Device } from '../../src/devices/device.js'
import { DecoderSet } from '../../src/ingestion/decoder-set.js'
import { IngestWindowStore } from '../../src/ingestion/ingest-window-store.js'
import { isolateFailingMessage } from '../../src/ingestion/isolate-failing-message.js'
import type { DeliveredMessage } from '../../src/ingestion/ordered-batch.js'
import { OrderedPipeline } from '../../src/ingestion/ordered-pipeline.js'
import { type Decoded, IngestionCounters } from '../../src/ingestion/pipeline.js'
import { digestOf } from '../../src/ingestion/raw-message.js'
import { deployedDecoder } from '../../src/mqtt/deployed-decoder.js'
import { secret } from '../mqtt/support/payloads.js'
import { openSite, type Site } from '../mqtt/support/site.js'
import { type MongodProcess, startMongodProcess } from '../support/mongod-process.js'

type Batch = readonly Decoded<DeliveredMessage>[]

const decoders = new DecoderSet([deployedDecoder()])
let mongod: MongodProcess
let site: Site
let device: Device
let counters: IngestionCounters
let startedMs: number
let packetId: number

// Its own server, for it is told to fail.
beforeAll(async () => {
  mongod = await startMongodProcess({ args: ['--setParameter', 'enableTestCommands=1'] })
})
beforeEach(async () => {
  site = await openSite({ uri: mongod.uri })
  device = await site.device({ reportingPeriodMs: 100_000 })
  counters = new IngestionCounters()
  startedMs = Date.now() - 60_000
  packetId = 0
})

async function newPipeline(): Promise<{ pipeline: OrderedPipeline; lease: Lease }> {
  const { database } = site.volt
  const lease = new Lease(database, { name: 'test', durationMs: 60_000 })
  await lease.acquire()
  const window = new IngestWindowStore(database, site.volt.entityOf('ingestWindows').collection, 'test-session')
  await window.load()
  return { pipeline: new OrderedPipeline(site.volt.ingestion.parts(), counters, lease, window), lease }
}

function delivered(topic: string, payload: object, more: { isRepeated?: boolean; packetId?: number } = {}) {
  packetId += 1
  const content = { topic, payload: Buffer.from(JSON.stringify(payload)) }
  const receivedAt = new Date(startedMs + packetId * 1000)
  const digest = digestOf(content)
  const delivery = { packetId: more.packetId ?? packetId, digest, isRepeated: more.isRepeated ?? false }
  return { ...content, receivedAt, digest, delivery, waitingSinceMs: receivedAt.getTime() }
}

const snapshotOf = (state: boolean) => ({
  mac: device.macAddress,
  secret,
  switches: [{ gpio: 16, state, manual_override: false }],
})
const snapshot = (state: boolean) => delivered('esp32/state', snapshotOf(state))
/** A document that the database refuses: no activity may have a user as long as this. */
const unstorable = (): Decoded<DeliveredMessage> => ({
  message: delivered('esp32/failing', { failing: packetId }),
  decoding: {
    reports: [
      {
        kind: 'switch',
        device: { macAddress: device.macAddress! },
        credential: { kind: 'secret', secret },
        gpio: 17,
        on: true,
        cause: 'manual',
        userId: 'u'.repeat(100_000),
      },
    ],
  },
})

const statesOf = async (gpio = 16) => {
  const switchId = device.switches.find((one) => one.gpio === gpio)?._id ?? new ObjectId()
  const entries = await site.volt.ledger.find({ switchId }, { sort: { sequence: 1 } })
  return entries.map(({ powerState }) => powerState)
}

/** Makes the server commit, and say that it does not know whether that will last. */
const doubtCommits = (isDoubting: boolean) =>
  site.database.client.db('admin').command({
    configureFailPoint: 'failCommand',
    mode: isDoubting ? 'alwaysOn' : 'off',
    data: { failCommands: ['commitTransaction'], writeConcernError: { code: 64, errmsg: 'waited in vain' } },
  })

it('keeps what a message says about its switches, and the device’s state with it', async () => {
  const { pipeline } = await newPipeline()
  await pipeline.process(decoders.decode([snapshot(true), snapshot(true), snapshot(false)]))
  expect(await statesOf()).toEqual([true, false])
  const stored = await site.volt.devices.get(device._id)
  expect(stored).toMatchObject({ status: 'online', switches: [{ gpio: 16, state: false }, { gpio: 17 }] })
  await pipeline.process(decoders.decode([snapshot(true)]))
  await pipeline.process(decoders.decode([snapshot(false)]))
  expect((await site.volt.devices.get(device._id)).switches[0]?.state).toBe(false)
  expect(counters).toMatchObject({ processed: 5, entries: 4, repeated: 0, quarantined: 0 })
})

it('takes what is delivered again once, also in another process', async () => {
  const before = await newPipeline()
  await before.pipeline.process(decoders.decode([snapshot(true), snapshot(false)]))
  await before.lease.release()
  const again = [true, false].map((state, at) =>
    delivered('esp32/state', snapshotOf(state), { isRepeated: true, packetId: at + 1 }),
  )
  const { pipeline } = await newPipeline()
  await pipeline.process(decoders.decode(again))
  expect(await statesOf()).toEqual([true, false])
  // The same content under the same packet id, but not a repetition: the broker has used the id again.
  await pipeline.process(decoders.decode([delivered('esp32/state', snapshotOf(true), { packetId: 1 })]))
  expect(await statesOf()).toEqual([true, false, true])
})

it('finds the messages that spoil a batch, and takes each of the others once', async () => {
  const { pipeline } = await newPipeline()
  const good = decoders.decode([snapshot(true), snapshot(false), snapshot(true), snapshot(false), snapshot(true)])
  const batch = [...good.slice(0, 2), unstorable(), ...good.slice(2), unstorable()]
  await isolateFailingMessage(batch, (part) => pipeline.process(part))
  expect(await statesOf()).toEqual([true, false, true, false, true])
  expect(await statesOf(17)).toEqual([])
  expect((await site.volt.quarantine.find()).map(({ reason, detail }) => [reason, detail])).toEqual([
    ['failed', 'it could not be processed (VALIDATION)'],
    ['failed', 'it could not be processed (VALIDATION)'],
  ])
  expect(counters).toMatchObject({ processed: 7, entries: 5, repeated: 0, quarantined: 2 })
})

it('goes on where it was when the database fails in the midst of a batch that is halved', async () => {
  const { pipeline } = await newPipeline()
  const good = decoders.decode([snapshot(true), snapshot(false), snapshot(true), snapshot(false)])
  const batch = [...good, unstorable()]
  let parts = 0
  const failing = async (part: Batch) => {
    parts += 1
    if (parts === 3) throw new DatabaseError('CONNECTION', 'the server is gone', { retryable: true })
    await pipeline.process(part)
  }
  await expect(isolateFailingMessage(batch, failing)).rejects.toMatchObject({ code: 'CONNECTION' })
  expect((await statesOf()).length).toBeGreaterThan(0)
  await isolateFailingMessage(batch, failing)
  expect(await statesOf()).toEqual([true, false, true, false])
  expect(counters).toMatchObject({ processed: 5, entries: 4, repeated: 0, quarantined: 1 })
})

it('looks up whether a batch is stored when the answer to its commit was lost', async () => {
  const { pipeline } = await newPipeline()
  const batch = decoders.decode([snapshot(true), snapshot(false), snapshot(true)])
  await doubtCommits(true)
  await expect(pipeline.process(batch)).rejects.toMatchObject({ code: 'TRANSACTION' })
  await doubtCommits(false)
  await pipeline.process([...batch, ...decoders.decode([snapshot(false)])])
  expect(await statesOf()).toEqual([true, false, true, false])
  expect(await site.volt.ledger.verify()).toMatchObject({ valid: true })
  const windows = await site.database.db.collection('ingest_windows').find().sort({ batch: 1 }).toArray()
  expect(windows.map(({ messages }) => messages.length)).toEqual([3, 1])
})

it('stores nothing once its lease is another’s', async () => {
  const { pipeline, lease } = await newPipeline()
  await pipeline.process(decoders.decode([snapshot(true)]))
  await site.database.db.collection('leases').updateOne({ name: lease.name }, { $set: { owner: 'another', fence: 99 } })
  const late = decoders.decode([snapshot(false)])
  await expect(pipeline.process(late)).rejects.toMatchObject({ code: 'LEASE_LOST' })
  expect(await statesOf()).toEqual([true])
  expect(await site.database.db.collection('ingest_windows').countDocuments()).toBe(1)
})

it('takes batches one after the other, in whatever haste they are handed in', async () => {
  const { pipeline } = await newPipeline()
  const batches = Array.from({ length: 10 }, (_, at) => decoders.decode([snapshot(at % 2 === 0)]))
  await Promise.all(batches.map((batch) => pipeline.process(batch)))
  expect(await statesOf()).toEqual(batches.map((_, at) => at % 2 === 0))
})

const event = (state: boolean, timestamp: number, more: { arrivesMs?: number } = {}) => {
  const payload = { mac: device.macAddress, secret, type: 'switch_event', gpio: 16, state, source: 'manual', timestamp }
  const delivery = delivered('esp32/telemetry', payload)
  const receivedAt = new Date(more.arrivesMs ?? delivery.receivedAt.getTime())
  return { ...delivery, receivedAt, waitingSinceMs: receivedAt.getTime() }
}

it('counts an event that comes again as repeated, wherever it is recognized', async () => {
  const before = await newPipeline()
  await before.pipeline.process(decoders.decode([snapshot(false), event(true, 10_000), event(true, 10_000)]))
  expect(counters).toMatchObject({ entries: 2, repeated: 1 })
  await before.pipeline.process(decoders.decode([event(true, 10_000)]))
  expect(counters).toMatchObject({ entries: 2, repeated: 2 })
  // One whose press a snapshot had shown has no entry of its own.
  await before.pipeline.process(decoders.decode([snapshot(false), event(false, 13_000)]))
  await before.lease.release()
  const { pipeline } = await newPipeline()
  await pipeline.process(decoders.decode([event(false, 13_000), event(true, 10_000)]))
  expect(counters).toMatchObject({ entries: 3, repeated: 4 })
  expect(await statesOf()).toEqual([false, true, false])
})

it.each([
  ['delayed by a stall', 40_000, 0],
  ['of a clock that is 15 s fast', 0, 15_000],
  ['of a clock that is 15 s slow', 0, -15_000],
])('makes no boot of its own of an event that is %s, nor of those after it', async (_, delayMs, fastMs) => {
  const { pipeline } = await newPipeline()
  const bootMs = startedMs - 3_600_000
  const sentMs = (n: number) => startedMs + n * 60_000
  const one = (n: number, delay = 0, fast = 0) =>
    event(n % 2 === 1, sentMs(n) - bootMs + fast, { arrivesMs: sentMs(n) + 100 + delay })
  const messages = [one(1), one(2, delayMs, fastMs), ...[3, 4, 5, 6, 7].map((n) => one(n, 0, fastMs))]
  for (const message of messages) await pipeline.process(decoders.decode([message]))
  for (const message of messages.slice(3)) {
    const again = new Date(message.receivedAt.getTime() + 300_000)
    await pipeline.process(decoders.decode([{ ...message, receivedAt: again, waitingSinceMs: again.getTime() }]))
  }
  const told = await site.volt.ledger.find({ deviceId: device._id }, { sort: { timestamp: 1 } })
  expect(told.map(({ powerState }) => powerState)).toEqual([true, false, true, false, true, false, true])
  expect(new Set(told.map(({ metadata }) => metadata.bootId)).size).toBe(1)
  expect(told.flatMap(({ flags }) => flags)).not.toContain('reboot')
  expect(counters).toMatchObject({ entries: 7, repeated: 4 })
  const errors = told.map(({ timestamp }, at) => Math.abs(timestamp.getTime() - sentMs(at + 1)))
  expect(Math.max(...errors)).toBeLessThan(16_000)
  expect(errors.at(-1)).toBeLessThan(1_000)
})

it('takes the press of a lost event next to snapshots for a press of its own', async () => {
  const { pipeline } = await newPipeline()
  const at = (ms: number) => startedMs + 600_000 + ms
  const later = (message: ReturnType<typeof snapshot>, ms: number) => ({
    ...message,
    receivedAt: new Date(at(ms)),
    waitingSinceMs: at(ms),
  })
  await pipeline.process(decoders.decode([event(true, 600_000, { arrivesMs: at(0) })]))
  await pipeline.process(decoders.decode([later(snapshot(false), 30_000), later(snapshot(true), 31_500)]))
  await pipeline.process(decoders.decode([event(false, 633_000, { arrivesMs: at(33_000) })]))
  expect(await statesOf()).toEqual([true, false, true, false])
})

it('keeps a silence that a replayed snapshot contradicts as what it was', async () => {
  const { pipeline } = await newPipeline()
  const at = (minutes: number, state: boolean) => {
    const receivedAt = new Date(startedMs + minutes * 60_000)
    return { ...snapshot(state), receivedAt, waitingSinceMs: receivedAt.getTime() }
  }
  for (const minutes of [0, 4, 60]) await pipeline.process(decoders.decode([at(minutes, true)]))
  const daily = async () => {
    // In the zone of the site the hour may be on another day.
    const days = {
      from: new Date(startedMs - 86_400_000).toISOString().slice(0, 10),
      to: new Date(startedMs + 86_400_000).toISOString().slice(0, 10),
    }
    const found = await site.volt.energy.dailyBySwitch(days)
    const own = found.filter(({ switchId }) => switchId.equals(device.switches[0]!._id))
    const sum = (key: 'measuredSeconds' | 'estimatedSeconds' | 'missingSeconds') =>
      own.reduce((total, day) => total + day[key], 0)
    return [sum('measuredSeconds'), sum('estimatedSeconds'), sum('missingSeconds')]
  }
  expect(await daily()).toEqual([240, 56 * 60, 0])
  for (let minutes = 8; minutes <= 40; minutes += 4)
    await pipeline.replay(decoders.decode([{ ...at(minutes, true), delivery: undefined }]))
  expect(await daily()).toEqual([40 * 60, 20 * 60, 0])
})
