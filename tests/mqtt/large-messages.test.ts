import { createHash, randomBytes } from 'node:crypto'
import { connectAsync, type IClientOptions } from 'mqtt'
import { expect, it } from 'vitest'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { startMosquitto } from '../support/mosquitto.js'
import { openSite, v2Topic } from './support/site.js'

/** A site, its broker, and somebody who may publish anything. */
async function openDoor(client: IClientOptions = {}) {
  const site = await openSite()
  const broker = await startMosquitto()
  const device = await site.device()
  const ingestion = await site.ingest({ url: broker.url, client: { reconnectPeriod: 50, ...client } })
  const speaking = await connectAsync(broker.url)
  cleanUpLater(() => speaking.endAsync(true))
  const say = (topic: string, payload: string | Buffer) => speaking.publishAsync(topic, payload, { qos: 1 })
  let sequence = 0
  const sayReading = () => {
    sequence += 1
    const reading = { id: `1-${sequence}`, boot: '1', seq: sequence, time: Date.now(), gpio: 16, powerW: 60 }
    return say(v2Topic(device, 'power'), JSON.stringify(reading))
  }
  const processed = (count: number) =>
    eventually(`${count} messages are processed`, () => ingestion.status().processed >= count)
  return { site, device, ingestion, say, sayReading, processed }
}

it.each([4, 5] as const)('refuses a message of any size, and takes the next one (MQTT version %s)', async (version) => {
  const { site, device, ingestion, say, sayReading, processed } = await openDoor({ protocolVersion: version })
  // MQTT 5 lets us say that nothing larger than 1 MiB is to be sent.
  const large = randomBytes(version === 5 ? 200_000 : 12 * 1024 * 1024)
  const topics = ['esp32/state', v2Topic(device, 'power')]
  for (const topic of topics) await say(topic, large)
  await sayReading()
  await processed(3)
  const kept = await site.volt.quarantine.find({}, { sort: { topic: -1 } })
  expect(kept.map(({ topic, reason, payloadBytes, digest }) => [topic, reason, payloadBytes, digest])).toEqual(
    topics.map((topic) => {
      const digest = createHash('sha256').update(`${topic}\0`).update(large).digest('hex')
      return [topic, 'too_large', large.length, digest]
    }),
  )
  const beginning = Buffer.from(await site.volt.quarantine.revealSecret(kept[0]!._id, 'payload'), 'base64')
  expect(beginning.equals(large.subarray(0, 4096))).toBe(true)
  expect(await site.volt.ledger.count()).toBe(1)
  expect(ingestion.status()).toMatchObject({ received: 3, quarantined: 2, retries: 0, lastError: null })
  await eventually('all is acknowledged', () => ingestion.status().acknowledged === 3)
  const { intake, quarantine, ...others } = ingestion.status().budgets
  expect(intake).toEqual({ bytes: 0, maximumBytes: 2 * 32 * 1024 * 1024 })
  // Twice 4 KiB, in base64, encrypted, in base64 again.
  expect(quarantine.bytes).toBeGreaterThan(2 * 4096)
  expect(quarantine.bytes).toBeLessThan(2 * 10_000)
  for (const { bytes, maximumBytes } of Object.values(others)) expect(bytes).toBeLessThan(maximumBytes / 1000)
  // It is still too large when it is replayed, though only its beginning is kept.
  expect(await ingestion.replayQuarantine()).toEqual({ used: 0, refused: 2, skipped: 0 })
})

it('is not sent what is larger than it says, where the broker speaks MQTT 5', async () => {
  const { site, say, sayReading, processed } = await openDoor({ protocolVersion: 5 })
  await say('esp32/state', Buffer.alloc(2 * 1024 * 1024, '{'))
  await sayReading()
  await processed(1)
  expect(await site.volt.quarantine.count()).toBe(0)
})

it('refuses a topic that is longer than any of a device', async () => {
  const site = await openSite()
  const broker = await startMosquitto()
  const anything = { name: 'any', order: 'device', filters: ['#'], decode: () => ({ reports: [] }) } as const
  const ingestion = await site.ingest({ url: broker.url, decoders: [anything] })
  const speaking = await connectAsync(broker.url)
  cleanUpLater(() => speaking.endAsync(true))
  await speaking.publishAsync('t'.repeat(60_000), 'x', { qos: 1 })
  await eventually('it is processed', () => ingestion.status().processed === 1)
  const [kept] = await site.volt.quarantine.find()
  expect(kept).toMatchObject({ reason: 'too_large', detail: 'a topic of 60000 characters' })
  expect(kept?.topic).toHaveLength(1024)
})
