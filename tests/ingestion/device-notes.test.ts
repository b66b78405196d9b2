import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Device } from '../../src/devices/device.js'
import { DecoderSet } from '../../src/ingestion/decoder-set.js'
import { IngestionCounters } from '../../src/ingestion/pipeline.js'
import { SharedPipeline } from '../../src/ingestion/shared-pipeline.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'
import { openSite, type Site, v2Topic } from '../mqtt/support/site.js'
import { eventually } from '../support/eventually.js'

const decoders = new DecoderSet([v2Decoder()])
let site: Site
let device: Device
let nowMs: number
let pipelines: readonly SharedPipeline[]

beforeAll(async () => {
  site = await openSite()
})
beforeEach(async () => {
  device = await site.device()
  nowMs = Date.now() - 3_600_000
  const parts = () => new SharedPipeline(site.volt.ingestion.parts(), new IngestionCounters())
  pipelines = [parts(), parts()]
})

let serial = 0
function message(kind: string, atMs: number, content: object = {}) {
  serial += 1
  const payload = { id: `n-${serial}`, boot: 'b1', seq: serial, time: atMs, ...content }
  return { topic: v2Topic(device, kind), payload: Buffer.from(JSON.stringify(payload)), receivedAt: new Date(atMs) }
}
const lastWill = (atMs: number) => ({
  ...message('status', atMs),
  payload: Buffer.from('{"status":"offline"}'),
})
const take = (...messages: ReturnType<typeof message>[]) => pipelines[0]!.process(decoders.decode(messages))
const logged = () => site.volt.deviceLogs.find({ device: device._id }, { sort: { at: 1, _id: 1 } })
const kinds = async () => (await logged()).map(({ kind }) => kind)

describe('the device log', () => {
  it('has when a device came, went, started again and ran another firmware', async () => {
    await take(message('heartbeat', nowMs, { firmware: '2.0.0' }))
    await take(lastWill(nowMs + 60_000))
    await take(message('heartbeat', nowMs + 120_000, { boot: 'b2', firmware: '2.1.0' }))
    await take(message('heartbeat', nowMs + 121_000, { boot: 'b2', firmware: '2.1.0' }))
    await eventually('all is logged', async () => (await kinds()).length >= 6)
    expect((await kinds()).toSorted()).toEqual([
      ...['connected', 'connected', 'disconnected', 'firmware_changed', 'firmware_changed', 'rebooted'],
    ])
    expect(await site.volt.deviceLogs.findOne({ device: device._id, 'details.to': '2.1.0' } as object)).toMatchObject({
      kind: 'firmware_changed',
      details: { from: '2.0.0', to: '2.1.0' },
    })
    expect(await site.volt.deviceLogs.findOne({ device: device._id, kind: 'disconnected' })).toMatchObject({
      level: 'warning',
      at: new Date(nowMs + 60_000),
    })
  })

  it('has once what several processes learn, and once an hour that messages were refused for a reason', async () => {
    const batch = [message('heartbeat', nowMs), message('switch', nowMs + 1, { gpio: 99, state: true })]
    for (const pipeline of [...pipelines, ...pipelines]) await pipeline.process(decoders.decode(batch))
    await take(message('switch', nowMs + 2, { gpio: 98, state: true }))
    await eventually('it is logged', async () => (await kinds()).includes('message_refused'))
    await eventually('nothing waits', () => site.volt.deviceLogs.logged().waiting === 0)
    expect((await kinds()).toSorted()).toEqual(['connected', 'message_refused'])
    expect(await site.volt.deviceLogs.findOne({ device: device._id, kind: 'message_refused' })).toMatchObject({
      level: 'error',
      details: { reason: 'unknown_switch' },
    })
  })

  it('that cannot be written fails nothing that it reports', async () => {
    const { db } = site.database
    await db.command({ collMod: 'device_logs', validator: { impossible: 1 } })
    const before = site.volt.deviceLogs.logged().failed
    await take(message('switch', nowMs, { gpio: 16, state: true }))
    await eventually('the failure is counted', () => site.volt.deviceLogs.logged().failed > before)
    expect(site.volt.deviceLogs.logged().lastError).not.toBeNull()
    expect(await site.volt.ledger.count({ deviceId: device._id })).toBe(1)
  })
})
