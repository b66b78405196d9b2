import { randomBytes } from 'node:crypto'
import type { AutoVolt } from '@autovolt/data'
import { startIngestion } from '@autovolt/data/mqtt'
import { Binary, Double, ObjectId } from 'mongodb'
import mqtt from 'mqtt'
import { systemClock } from '../../src/core/clock.js'
import { silentLogger } from '../../src/core/logger.js'
import { MqttSession, type ReceivedMessage } from '../../src/mqtt/session.js'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf, valueRow } from '../harness.js'
import { startBenchBroker } from './mosquitto.js'

const devices = 100

/**
 * Durable QoS 1 messages a second from mosquitto into the ledger: one v2 power reading a message, from 100 devices, a
 * backlog that was published beforehand. Beside it the same session writing raw documents with the plain driver.
 */
export async function benchIngest(volt: AutoVolt, { documents, rounds, say }: GroupContext): Promise<Row[]> {
  const perRound = Math.max(10_000, Math.floor(documents / (2 * rounds)))
  await using broker = await startBenchBroker()
  say(`ingest: ${perRound} messages a round; mosquitto with ${broker.settings.join(', ')}`)
  const addresses = await registerDevices(volt, devices, { reportingPeriodMs: 5000, energySource: 'power' })
  const plain = volt.database.native.collection('plain_ingest', { writeConcern: { w: 'majority', journal: true } })
  await plain.createIndexes(
    volt
      .entityOf('ledger')
      .indexes.map(({ key, unique }) => ({ key: key as Record<string, 1>, ...(unique ? { unique } : {}) })),
  )
  let serial = 0
  const backlog = async (clientId: string) => {
    await openSession(broker.url, clientId)
    await publish(broker.url, perRound, (n) => readingOf(addresses, serial + n))
    serial += perRound
  }
  const measured = await alternate(
    rounds,
    async () => {
      await backlog('bench-main')
      const rate = await drainIntoLedger(volt, broker.url, perRound)
      await endSession(broker.url, 'bench-main')
      return rate
    },
    async () => {
      await backlog('bench-plain')
      const rate = await drainIntoCollection(plain, broker.url, perRound)
      await endSession(broker.url, 'bench-plain')
      return rate
    },
  )
  await plain.drop()
  return [
    valueRow('ingest.durable-messages', 'messages/s', { value: measured.value }, { atLeast: 12_000 }),
    ratioRow('ingest.beside-plain-driver', 'messages/s', measured, { atLeast: 0.5 }),
  ]
}

/** @returns the MAC addresses of new devices with one load each. */
export async function registerDevices(
  volt: AutoVolt,
  count: number,
  { reportingPeriodMs, energySource }: { reportingPeriodMs: number; energySource: 'power' | 'counter' },
): Promise<string[]> {
  const room = await volt.classrooms.create({ name: `bench ${new ObjectId().toHexString()}` })
  const addresses = Array.from({ length: count }, () => `02${randomBytes(5).toString('hex')}`)
  await volt.devices.createMany(
    addresses.map((macAddress) => ({
      name: macAddress,
      macAddress,
      classroom: room._id,
      reportingPeriodMs,
      switches: [{ name: 'load', gpio: 16, powerRating: 60, energySource }],
    })),
  )
  return addresses
}

/** Makes the broker keep messages for a client that is not there. */
export async function openSession(url: string, clientId: string): Promise<void> {
  const client = await mqtt.connectAsync(url, { clientId, clean: false })
  await client.subscribeAsync(`autovolt/v2/+/power`, { qos: 1 })
  await client.endAsync()
}

/** Makes the broker forget the client, or the next backlog would be kept for it too. */
export async function endSession(url: string, clientId: string): Promise<void> {
  const client = await mqtt.connectAsync(url, { clientId, clean: true })
  await client.endAsync()
}

/** A reading as a device publishes it. */
export interface PublishedReading {
  readonly address: string
  readonly message: object
}

function readingOf(addresses: readonly string[], n: number): PublishedReading {
  const seq = Math.floor(n / devices)
  const message = {
    id: `b1-${seq}`,
    boot: 'b1',
    seq,
    time: 1_760_000_000_000 + seq * 5000,
    gpio: 16,
    powerW: 55 + (n % 10),
    voltageV: 230.1,
    currentA: 0.26,
    powerFactor: 0.97,
  }
  return { address: addresses[n % devices] ?? '', message }
}

export async function publish(url: string, count: number, readingAt: (n: number) => PublishedReading): Promise<void> {
  const client = await mqtt.connectAsync(url)
  let next = 0
  const publisher = async () => {
    while (next < count) {
      const { address, message } = readingAt(next++)
      await client.publishAsync(`autovolt/v2/${address}/power`, JSON.stringify(message), { qos: 1 })
    }
  }
  await Promise.all(Array.from({ length: 200 }, publisher))
  await client.endAsync()
}

export async function drainIntoLedger(volt: AutoVolt, url: string, count: number): Promise<number> {
  const seconds = await secondsOf(async () => {
    const ingestion = await startIngestion(volt, { url, name: 'bench' })
    while (ingestion.status().acknowledged < count) await new Promise((resolve) => setTimeout(resolve, 5))
    await ingestion.close()
  })
  return count / seconds
}

async function drainIntoCollection(
  plain: { insertMany(documents: object[]): Promise<unknown> },
  url: string,
  count: number,
): Promise<number> {
  const session = new MqttSession({
    url,
    clientId: 'bench-plain',
    filters: ['autovolt/v2/+/power'],
    client: {},
    concurrency: 2,
    needsDigests: false,
    heardUntil: undefined,
    clock: systemClock,
    logger: silentLogger,
    process: (batch) => plain.insertMany(batch.map(toDocument)).then(() => undefined),
  })
  const seconds = await secondsOf(async () => {
    await session.open()
    while (session.acknowledged < count && session.retries === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await session.stop()
  })
  return count / seconds
}

const ids = new Map<string, ObjectId>()

/** What arrived, with as many fields as an entry has. */
function toDocument({ topic, payload, receivedAt }: ReceivedMessage): object {
  const message = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString()) as Record<
    string,
    number & string
  >
  const switchId = ids.get(topic) ?? new ObjectId()
  ids.set(topic, switchId)
  return {
    _id: new ObjectId(),
    formatVersion: new Double(1),
    switchId,
    sequence: new Double(Number(message.seq)),
    deviceId: switchId,
    classroom: switchId,
    timestamp: new Date(Number(message.time)),
    receivedAt,
    eventType: 'power_reading',
    powerState: true,
    powerRating: new Double(60),
    energySource: 'power',
    reading: { powerW: new Double(Number(message.powerW)) },
    gapLimitMs: new Double(60_000),
    ratePerKwh: new Double(0),
    flags: [],
    metadata: {
      source: 'mqtt',
      voltage: new Double(Number(message.voltageV)),
      current: new Double(Number(message.currentA)),
      powerFactor: new Double(Number(message.powerFactor)),
      bootId: message.boot,
      deviceSequence: new Double(Number(message.seq)),
    },
    idempotencyKey: `v2:${message.id}`,
    cumulativeEnergy: new Double(0),
    cumulativeProduction: new Double(0),
    calculatedCost: new Double(0),
    previousHash: new Binary(randomBytes(32)),
    hash: new Binary(randomBytes(32)),
  }
}
