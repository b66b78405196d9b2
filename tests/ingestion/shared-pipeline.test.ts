import { beforeAll, beforeEach, expect, it } from 'vitest'
import type { Device } from '../../src/devices/device.js'
import { DecoderSet } from '../../src/ingestion/decoder-set.js'
import { isolateFailingMessage } from '../../src/ingestion/isolate-failing-message.js'
import { IngestionCounters } from '../../src/ingestion/pipeline.js'
import { SharedPipeline } from '../../src/ingestion/shared-pipeline.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'
import { openSite, type Site, v2Topic } from '../mqtt/support/site.js'
import { type MongodProcess, startMongodProcess } from '../support/mongod-process.js'

const decoders = new DecoderSet([v2Decoder()])
const minute = 60_000
let mongod: MongodProcess
let site: Site
let device: Device
let counters: IngestionCounters
let pipeline: SharedPipeline
let nowMs: number

// Its own server, for it is told to fail.
beforeAll(async () => {
  mongod = await startMongodProcess({ args: ['--setParameter', 'enableTestCommands=1'] })
})
beforeEach(async () => {
  site = await openSite({ uri: mongod.uri })
  device = await site.device()
  counters = new IngestionCounters()
  pipeline = new SharedPipeline(site.volt.ingestion.parts(), counters)
  nowMs = Date.now() - 60 * minute
})

let serial = 0
/** A message of the device that was sent and received at this time. */
function message(kind: string, atMs: number, content: object = {}) {
  serial += 1
  const payload = { id: `m-${serial}`, boot: 'b1', seq: serial, time: atMs, ...content }
  return { topic: v2Topic(device, kind), payload: Buffer.from(JSON.stringify(payload)), receivedAt: new Date(atMs) }
}

const entries = () => site.volt.ledger.find({}, { sort: { timestamp: 1 } })
const moved = (atMs: number, state: boolean, more: object = {}) => message('switch', atMs, { gpio: 16, state, ...more })

/** Makes the server refuse every insert, or none. */
const failInserts = (isFailing: boolean) =>
  site.database.client.db('admin').command({
    configureFailPoint: 'failCommand',
    mode: isFailing ? 'alwaysOn' : 'off',
    data: { failCommands: ['insert'], errorCode: 50 },
  })

it('can be handed the same batch any number of times', async () => {
  const batch = decoders.decode([moved(nowMs, true), moved(nowMs + 1000, false), message('heartbeat', nowMs + 2000)])
  for (let time = 0; time < 3; time += 1) await pipeline.process(batch)
  expect((await entries()).map(({ powerState }) => powerState)).toEqual([true, false])
  expect(await site.volt.activities.count()).toBe(2)
  expect(counters).toMatchObject({ processed: 9, entries: 2, repeated: 4 })
})

it('notices a silence again when the batch that ended it could not be stored', async () => {
  await pipeline.process(decoders.decode([moved(nowMs, true), message('heartbeat', nowMs + minute / 2)]))
  const back = decoders.decode([message('heartbeat', nowMs + 30 * minute)])
  await failInserts(true)
  await expect(pipeline.process(back)).rejects.toThrow()
  await failInserts(false)
  await pipeline.process(back)
  const silences = await site.volt.ledger.find({ eventType: 'sign_of_life' })
  const silence = { flags: expect.arrayContaining(['estimated']), silentSince: new Date(nowMs + minute / 2) }
  expect(silences).toMatchObject([silence, silence])
  expect(silences.find(({ switchId }) => switchId.equals(device.switches[0]!._id))?.powerState).toBe(true)
  expect(await site.volt.devices.get(device._id)).toMatchObject({ lastSeenAt: new Date(nowMs + 30 * minute) })
})

it('takes rated switches for off from the last sign of life until a restart', async () => {
  await pipeline.process(decoders.decode([moved(nowMs, true), message('heartbeat', nowMs + 20_000)]))
  const restored = moved(nowMs + 50_000, true, { boot: 'b2', cause: 'restore' })
  await pipeline.process(decoders.decode([restored]))
  const light = device.switches[0]!._id
  const told = await site.volt.ledger.find({ switchId: light }, { sort: { timestamp: 1, powerState: 1 } })
  expect(told.map(({ eventType, timestamp }) => [eventType, timestamp.getTime() - nowMs])).toEqual([
    ['switch_on', 0],
    ['restart', 50_000],
    ['switch_on', 50_000],
  ])
  expect(told[1]).toMatchObject({ flags: ['estimated', 'reboot'], silentSince: new Date(nowMs + 20_000) })
  const stored = await site.volt.devices.get(device._id)
  expect(stored.boot?.id).toBe('b2')
  // A message of the run before, that was held up on the way.
  const late = message('heartbeat', nowMs + 10_000, { boot: 'b1' })
  await pipeline.process(decoders.decode([{ ...late, receivedAt: new Date(nowMs + 55_000) }]))
  expect((await site.volt.devices.get(device._id)).boot).toEqual(stored.boot)
})

it('keeps the last state of a switch by the time of what happened, in whatever order it comes', async () => {
  const batch = [moved(nowMs + 3000, false), moved(nowMs, true), moved(nowMs + 2000, true)]
  await pipeline.process(decoders.decode(batch))
  const stored = await site.volt.devices.get(device._id)
  expect(stored.switches[0]).toMatchObject({ state: false, stateAt: new Date(nowMs + 3000) })
})

it('is online again with the first message after its last will, whoever takes it', async () => {
  const status = (atMs: number, value: string) => ({
    ...message('status', atMs),
    payload: Buffer.from(`{"status":"${value}"}`),
  })
  const others = [pipeline, new SharedPipeline(site.volt.ingestion.parts(), counters)]
  for (const [at, again] of others.entries()) {
    const fromMs = nowMs + 10_000 * at
    await pipeline.process(decoders.decode([message('heartbeat', fromMs)]))
    await others[1]!.process(decoders.decode([status(fromMs + 1000, 'offline')]))
    expect(await site.volt.devices.get(device._id)).toMatchObject({ status: 'offline', lastSeenAt: new Date(fromMs) })
    await again.process(decoders.decode([message('heartbeat', fromMs + 2000)]))
    const seen = new Date(fromMs + 2000)
    expect(await site.volt.devices.get(device._id)).toMatchObject({
      status: 'online',
      statusAt: seen,
      lastSeenAt: seen,
    })
  }
  // The will of a connection before, which comes late.
  await pipeline.process(decoders.decode([status(nowMs + 1000, 'offline')]))
  expect(await site.volt.devices.get(device._id)).toMatchObject({ status: 'online' })
})

it.each([
  ['a power that is not finite', '1e999', 'not_a_reading'],
  ['a power that no plug can have', '1e12', 'not_a_reading'],
])('refuses %s', async (_, powerW, reason) => {
  const { topic, payload, receivedAt } = message('power', nowMs, { gpio: 16, powerW: 4321 })
  const changed = Buffer.from(payload.toString().replace('4321', powerW))
  await pipeline.process(decoders.decode([{ topic, payload: changed, receivedAt }]))
  expect(await site.volt.quarantine.find()).toMatchObject([{ reason, macAddress: device.macAddress }])
  expect(await site.volt.ledger.count()).toBe(0)
})

it('refuses a reading of nothing, a switch that is not there, a device that is not there', async () => {
  const elsewhere = { ...moved(nowMs, true), topic: 'autovolt/v2/02aabbccddee/switch' }
  const batch = [message('power', nowMs, { gpio: 16 }), moved(nowMs, true, { gpio: 99 }), elsewhere]
  await pipeline.process(decoders.decode(batch))
  const quarantined = await site.volt.quarantine.find({}, { sort: { reason: 1 } })
  expect(quarantined.map(({ reason, macAddress }) => [reason, macAddress])).toEqual([
    ['not_a_reading', device.macAddress],
    ['unknown_device', '02:AA:BB:CC:DD:EE'],
    ['unknown_switch', device.macAddress],
  ])
})

it('takes the others when one message spoils its batch', async () => {
  const [failing] = decoders.decode([moved(nowMs + 1, true)])
  if (failing === undefined || !('reports' in failing.decoding)) throw new Error('no report')
  const reports = failing.decoding.reports.map((report) => ({ ...report, userId: 'u'.repeat(100_000) }))
  const good = decoders.decode(Array.from({ length: 6 }, (_, at) => moved(nowMs + 1000 * at, at % 2 === 0)))
  const batch = [...good.slice(0, 3), { ...failing, decoding: { reports } }, ...good.slice(3)]
  await isolateFailingMessage(batch, (part) => pipeline.process(part))
  const counted = await site.volt.activities.count()
  expect(counted).toBe(6)
  expect(await site.volt.quarantine.find()).toMatchObject([{ reason: 'failed' }])
})
