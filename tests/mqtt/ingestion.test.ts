import { createServer } from 'node:net'
import type { Client } from 'aedes'
import { connectAsync, type MqttClient } from 'mqtt'
import { expect, it } from 'vitest'
import type { Device } from '../../src/devices/device.js'
import { deployedDecoder } from '../../src/mqtt/deployed-decoder.js'
import type { Ingestion } from '../../src/mqtt/ingestion.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'
import { type AedesBroker, startAedes } from '../support/aedes.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import { secret } from './support/payloads.js'
import { openSite, type Site, v2Topic } from './support/site.js'

const client = { reconnectPeriod: 50 }

async function speaker({ url }: AedesBroker): Promise<MqttClient> {
  const speaking = await connectAsync(url)
  cleanUpLater(() => speaking.endAsync(true))
  return speaking
}

let serial = 0
function sayReading(speaking: MqttClient, device: Device, more: object = {}) {
  serial += 1
  const message = { id: `1-${serial}`, boot: '1', seq: serial, time: Date.now(), gpio: 16, powerW: 60, ...more }
  return speaking.publishAsync(v2Topic(device, 'power'), JSON.stringify(message), { qos: 1 })
}

function saySnapshot(speaking: MqttClient, { macAddress: mac }: Device, state: boolean) {
  const message = { mac, secret, switches: [{ gpio: 16, state, manual_override: false }] }
  return speaking.publishAsync('esp32/state', JSON.stringify(message), { qos: 1 })
}

const processed = (ingestion: Ingestion, count: number) =>
  eventually(`${count} messages are processed`, () => ingestion.status().processed >= count)

const leasesOf = ({ database }: Site) => database.db.collection('leases').find().toArray()

/** Listens, and never says a word: what a broker looks like that hangs. */
async function startMute(): Promise<number> {
  const port = await freePort()
  const server = createServer((socket) => socket.on('error', () => undefined).resume())
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  cleanUpLater(async () => {
    server.close()
  })
  return port
}

it('gives up a broker that nobody answers for, without a word of its credentials, and leaves nothing held', async () => {
  const site = await openSite()
  for (const port of [await freePort(), await startMute()]) {
    const url = `mqtt://admin:hunter2@127.0.0.1:${port}`
    const refused = site.ingest({ url, client, connectTimeoutMs: 300 })
    const error = await refused.catch((caught: unknown) => caught)
    expect(error).toMatchObject({ name: 'DatabaseError', code: 'CONNECTION', retryable: true })
    expect(String(error)).toContain(`No connection to the MQTT broker mqtt://127.0.0.1:${port} within 300 ms`)
    expect(String(error)).not.toMatch(/hunter2|admin/)
    expect((await leasesOf(site)).map(({ expiresAt }) => expiresAt)).toEqual([new Date(0), new Date(0)])
  }
  const broker = await startAedes()
  const ingestion = await site.ingest({ url: broker.url, client })
  expect(ingestion.status()).toMatchObject({ sessions: { ordered: 'connected', shared: 'connected' }, lastError: null })
})

it('tells at once of a broker that says no: to the login, to a subscription, to the URL', async () => {
  const site = await openSite()
  const broker = await startAedes()
  broker.broker.authenticate = (_, __, password, done) => done(null, String(password) === 'right')
  const wrong = { ...client, username: 'admin', password: 'hunter2' }
  await expect(site.ingest({ url: broker.url, client: wrong })).rejects.toMatchObject({
    code: 'CONFIGURATION',
    message: 'The MQTT broker refuses us: Connection refused: Not authorized',
  })
  broker.broker.authenticate = (_, __, ___, done) => done(null, true)
  broker.broker.authorizeSubscribe = (_, subscription, done) => done(null, null as unknown as typeof subscription)
  await expect(site.ingest({ url: broker.url, client })).rejects.toMatchObject({ code: 'CONFIGURATION' })
  const nonsense = await site.ingest({ url: 'mqtt//admin:hunter2@nowhere', client }).catch((error: unknown) => error)
  expect(nonsense).toMatchObject({ code: 'CONFIGURATION' })
  expect(JSON.stringify([nonsense, String(nonsense), (nonsense as Error).cause])).not.toContain('hunter2')
})

it('says what is wrong while it is, and since when; connects again however often it is refused', async () => {
  const site = await openSite()
  const broker = await startAedes()
  const device = await site.device()
  const ingestion = await site.ingest({ url: broker.url, client })
  const startedAt = new Date()
  await broker.goOffline()
  const { at } = await eventually('the broker is missed', () => ingestion.status().lastError)
  await eventually('it is said why', () => ingestion.status().lastError?.message.includes('ECONNREFUSED'))
  expect(at.getTime()).toBeGreaterThanOrEqual(startedAt.getTime())

  broker.broker.authenticate = (_, __, ___, done) => done(Object.assign(new Error('down'), { returnCode: 3 }), null)
  await broker.goOnline()
  await eventually('it is refused', () => ingestion.status().lastError?.message.startsWith('Connection refused'))
  broker.broker.authenticate = (_, __, ___, done) => done(null, true)
  await eventually('it is well again', () => ingestion.status().lastError === null)
  expect(ingestion.status().sessions).toEqual({ ordered: 'connected', shared: 'connected' })
  await sayReading(await speaker(broker), device)
  await processed(ingestion, 1)
})

it('takes what came while the broker was away or we were, each once', async () => {
  const site = await openSite()
  const broker = await startAedes()
  const [meter, relay] = [await site.device(), await site.device()]
  await (await site.ingest({ url: broker.url, client })).close()
  const speaking = await speaker(broker)
  for (let n = 0; n < 50; n += 1) {
    await sayReading(speaking, meter)
    await saySnapshot(speaking, relay, n % 2 === 0)
  }
  const ingestion = await site.ingest({ url: broker.url, client })
  await processed(ingestion, 100)
  expect(ingestion.status()).toMatchObject({ received: 100, entries: 100, quarantined: 0, pending: 0, lastError: null })
  await eventually('all is acknowledged', () => ingestion.status().acknowledged === 100)
  expect(await site.volt.ledger.count({ deviceId: meter._id })).toBe(50)
  expect(await site.volt.ledger.count({ deviceId: relay._id })).toBe(50)
})

it('takes a last will for the status, and not for a sign of the device', async () => {
  const site = await openSite()
  const broker = await startAedes()
  const decoders = [deployedDecoder({ statusTopics: ['esp32/status/{mac}'] }), v2Decoder()]
  const ingestion = await site.ingest({ url: broker.url, client, decoders })
  const speaking = await speaker(broker)
  const topics = {
    deployed: (device: Device) => `esp32/status/${device.macAddress}`,
    v2: (device: Device) => v2Topic(device, 'status'),
  }
  for (const [at, [kind, topicOf]] of Object.entries(topics).entries()) {
    const [seen, unseen] = [await site.device(), await site.device()]
    const say = (device: Device, status: string) =>
      speaking.publishAsync(topicOf(device), kind === 'v2' ? JSON.stringify({ status }) : status, {
        qos: 1,
        retain: true,
      })
    await say(seen, 'online')
    await processed(ingestion, 3 * at + 1)
    const online = await site.volt.devices.get(seen._id)
    expect(online).toMatchObject({ status: 'online', statusAt: expect.any(Date), lastSeenAt: expect.any(Date) })
    await say(seen, 'offline')
    await say(unseen, 'offline')
    await processed(ingestion, 3 * at + 3)
    expect(await site.volt.devices.get(seen._id)).toMatchObject({ status: 'offline', lastSeenAt: online.lastSeenAt })
    const offline = await site.volt.devices.get(unseen._id)
    expect(offline).toMatchObject({ status: 'offline' })
    expect(offline).not.toHaveProperty('lastSeenAt')
  }
})

it('does not take a retained online that the broker repeats for a sign of the device', async () => {
  const site = await openSite()
  const broker = await startAedes()
  const device = await site.device()
  const speaking = await speaker(broker)
  await speaking.publishAsync(v2Topic(device, 'status'), JSON.stringify({ status: 'online' }), { qos: 1, retain: true })
  const ingestion = await site.ingest({ url: broker.url, client })
  await processed(ingestion, 1)
  const stored = await site.volt.devices.get(device._id)
  expect(stored.status).toBe('online')
  expect(stored).not.toHaveProperty('lastSeenAt')
})

it('takes a retained snapshot that comes again at a new connection for old news', async () => {
  const site = await openSite()
  const broker = await startAedes()
  const device = await site.device()
  const speaking = await speaker(broker)
  const mac = device.macAddress
  const first = await site.ingest({ url: broker.url, client })
  const snapshot = { mac, secret, switches: [{ gpio: 16, state: true, manual_override: false }] }
  await speaking.publishAsync('esp32/state', JSON.stringify(snapshot), { qos: 1, retain: true })
  await processed(first, 1)
  const off = { mac, secret, type: 'switch_event', gpio: 16, state: false, source: 'manual', timestamp: 812_345 }
  await speaking.publishAsync('esp32/telemetry', JSON.stringify(off), { qos: 1 })
  await processed(first, 2)
  const before = await site.volt.devices.get(device._id)
  await first.close()
  const second = await site.ingest({ url: broker.url, client })
  await eventually('the broker has said it again', () => second.status().acknowledged === 1)
  expect(await site.volt.ledger.count()).toBe(2)
  expect(await site.volt.devices.get(device._id)).toEqual(before)
  expect(before.switches[0]?.state).toBe(false)
})

it('takes the state in a reading for the switch’s, unless a later one is known', async () => {
  const site = await openSite()
  const broker = await startAedes()
  const device = await site.device()
  const ingestion = await site.ingest({ url: broker.url, client })
  const speaking = await speaker(broker)
  const now = Date.now()
  const stateOf = async () => (await site.volt.devices.get(device._id)).switches[0]
  await sayReading(speaking, device, { time: now - 5_000, state: true })
  await processed(ingestion, 1)
  expect(await stateOf()).toMatchObject({ gpio: 16, state: true, stateAt: new Date(now - 5_000) })
  await sayReading(speaking, device, { time: now - 9_000, state: false })
  await sayReading(speaking, device, { time: now - 1_000 })
  await processed(ingestion, 3)
  expect(await stateOf()).toMatchObject({ state: true, stateAt: new Date(now - 5_000) })
  await sayReading(speaking, device, { time: now - 2_000, state: false })
  await processed(ingestion, 4)
  expect(await stateOf()).toMatchObject({ state: false, stateAt: new Date(now - 2_000) })
})

it('keeps the address of a quarantined message in one spelling, and replays by any', async () => {
  const site = await openSite()
  const broker = await startAedes()
  const ingestion = await site.ingest({ url: broker.url, client })
  const speaking = await speaker(broker)
  const macAddress = '02:AA:BB:CC:DD:01'
  await sayReading(speaking, { macAddress } as Device)
  await saySnapshot(speaking, { macAddress: '02-aa-bb-cc-dd-01' } as Device, true)
  await speaking.publishAsync('esp32/state', '{"mac":"02aabbccdd01","secr', { qos: 1 })
  await speaking.publishAsync(v2Topic({ macAddress }, 'switch'), '{}', { qos: 1 })
  await processed(ingestion, 4)
  expect(await site.volt.quarantine.count({ macAddress })).toBe(4)
  await site.device({ macAddress })
  expect(await ingestion.replayQuarantine({ macAddress: '02aabbccdd01' })).toEqual({ used: 2, refused: 2, skipped: 0 })
  const [cut] = await site.volt.quarantine.find({ reason: 'truncated' })
  const payload = await site.volt.quarantine.revealSecret(cut?._id ?? '', 'payload')
  expect(Buffer.from(payload, 'base64').toString()).toBe('{"mac":"02aabbccdd01","secr')
  await ingestion.close()
  await expect(ingestion.replayQuarantine()).rejects.toMatchObject({ name: 'DatabaseError', code: 'CLOSED' })
})

it('leaves a session whose lease has gone, acknowledges nothing more, and takes it up again when it can', async () => {
  const site = await openSite()
  const broker = await startAedes()
  const device = await site.device()
  const ingestion = await site.ingest({ url: broker.url, client })
  const speaking = await speaker(broker)
  await saySnapshot(speaking, device, true)
  await processed(ingestion, 1)
  const leases = site.database.db.collection('leases')
  const another = { owner: 'another process', fence: 99, expiresAt: new Date(Date.now() + 3_600_000) }
  await leases.updateOne({ name: /ordered/ }, { $set: another })
  await saySnapshot(speaking, device, false)
  await eventually('it stands by', () => ingestion.status().sessions.ordered === 'standby')
  expect(ingestion.status()).toMatchObject({ processed: 1, sessions: { shared: 'connected' } })
  expect(await site.volt.ledger.count()).toBe(1)

  await leases.updateOne({ name: /ordered/ }, { $set: { expiresAt: new Date(0) } })
  await processed(ingestion, 2)
  expect((await site.volt.ledger.find({}, { sort: { sequence: 1 } })).map(({ powerState }) => powerState)).toEqual([
    true,
    false,
  ])
  expect(ingestion.status()).toMatchObject({ sessions: { ordered: 'connected' }, received: 3 })
})

it('stands by while another of its name is there, and takes over when that one closes', async () => {
  const site = await openSite()
  const broker = await startAedes()
  const device = await site.device()
  const connected: string[] = []
  broker.broker.on('client', ({ id }: Client) => connected.push(id))
  const first = await site.ingest({ url: broker.url, client })
  const second = await site.ingest({ url: broker.url, client })
  expect(second.status().sessions).toEqual({ ordered: 'standby', shared: 'standby' })
  expect(connected.toSorted()).toEqual(['autovolt-main', 'autovolt-ordered'])
  await first.close()
  await sayReading(await speaker(broker), device)
  await processed(second, 1)
  expect(await site.volt.ledger.count()).toBe(1)
})
