import { connectAsync } from 'mqtt'
import { beforeAll, expect, it } from 'vitest'
import { Lease } from '../../../src/core/lease.js'
import { DecoderSet } from '../../../src/ingestion/decoder-set.js'
import { IngestWindowStore } from '../../../src/ingestion/ingest-window-store.js'
import { OrderedPipeline } from '../../../src/ingestion/ordered-pipeline.js'
import { IngestionCounters } from '../../../src/ingestion/pipeline.js'
import { digestOf } from '../../../src/ingestion/raw-message.js'
import { meteredDecoder } from '../../../src/mqtt/metered-decoder.js'
import { openSite, type Site, v2Topic } from '../../mqtt/support/site.js'
import { startAedes } from '../../support/aedes.js'
import { aSwitch } from '../../support/builders.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { eventually } from '../../support/eventually.js'

let site: Site

beforeAll(async () => {
  site = await openSite()
})

const startMs = Math.floor(Date.now() / 900_000) * 900_000 - 7_200_000
const inQuarterHours = () => ({
  ledgerRecording: 'quarter_hours' as const,
  reportingPeriodMs: 60_000,
  switches: [aSwitch({ gpio: 16, energySource: 'power' })],
})

it('readings are acknowledged when they are measured and marked; registers follow, switch events do not wait', async () => {
  const broker = await startAedes()
  const device = await site.device(inQuarterHours())
  const ingestion = await site.ingest({ url: broker.url })
  const speaking = await connectAsync(broker.url)
  cleanUpLater(() => speaking.endAsync(true))
  const say = (kind: string, seq: number, content: object) =>
    speaking.publishAsync(
      v2Topic(device, kind),
      JSON.stringify({ id: `m-${seq}`, boot: 'b1', seq, time: startMs + seq * 60_000, gpio: 16, ...content }),
      { qos: 1 },
    )
  await say('switch', 0, { state: true, cause: 'manual' })
  for (let seq = 1; seq <= 20; seq += 1) await say('power', seq, { powerW: 600 })
  await say('power', 20, { powerW: 600 })
  await eventually('all is acknowledged', () => ingestion.status().acknowledged === 22)
  const ofDevice = { deviceId: device._id }
  expect((await site.volt.ledger.find(ofDevice)).map(({ eventType }) => eventType)).toEqual(['switch_on'])
  const { items } = await site.volt.measurements.page({ device: device._id })
  expect(items).toHaveLength(20)
  expect(items[0]).toMatchObject({ power: 600, boot: 'b1', source: 'mqtt' })
  await site.volt.registers.update()
  const entries = await site.volt.ledger.find(ofDevice, { sort: { sequence: 1 } })
  expect(entries.map(({ eventType, reading }) => [eventType, reading?.powerW])).toEqual([
    ['switch_on', undefined],
    ['power_reading', (600 * 14) / 15],
    ['power_reading', (600 * 5) / 15],
    ['power_reading', 0],
  ])
  expect(entries.at(-1)?.cumulativeEnergy).toBe(600 * 19 * 60)
})

it('readings whose only order is that of their arrival go the same way', async () => {
  const device = await site.device(inQuarterHours())
  const { volt } = site
  const lease = new Lease(volt.database, { name: 'registers', durationMs: 60_000 })
  await lease.acquire()
  const window = new IngestWindowStore(volt.database, volt.entityOf('ingestWindows').collection, 'registers')
  await window.load()
  const pipeline = new OrderedPipeline(volt.ingestion.parts(), new IngestionCounters(), lease, window)
  const metered = new DecoderSet([
    meteredDecoder({ 'lab/telemetry': { device: { macAddress: device.macAddress! }, gpio: 16 } }),
  ])
  const payload = { esp32_name: 'lab', classroom: 'Lab 1', device_id: 'd1', timestamp: startMs, power_w: 60.5 }
  const content = { topic: 'lab/telemetry', payload: Buffer.from(JSON.stringify(payload)) }
  const digest = digestOf(content)
  const receivedAt = new Date(startMs + 200)
  const delivery = { packetId: 1, digest, isRepeated: false }
  await pipeline.process(
    metered.decode([{ ...content, receivedAt, digest, delivery, waitingSinceMs: receivedAt.getTime() }]),
  )
  const ofDevice = { deviceId: device._id }
  expect(await volt.ledger.count(ofDevice)).toBe(0)
  const { items } = await volt.measurements.page({ device: device._id })
  expect(items).toMatchObject([{ power: 60.5, timestamp: new Date(startMs) }])
  expect(await site.database.db.collection('register_marks').countDocuments(ofDevice)).toBe(1)
})
