import type { AutoVolt } from '@autovolt/data'
import { connectTransport, startIngestion, v2Decoder } from '@autovolt/data/mqtt'
import { connectAsync, type MqttClient } from 'mqtt'
import { startBenchBroker } from '../foundation/mosquitto.js'
import { type GroupContext, type Row, ratioRow, valueRow } from '../harness.js'
import { macOf } from './fleet.js'
import { percentile95 } from './queries.js'

const atOnce = 100
const calls = 200
const secret = 'sixteen characters or more'

/** A command to a simulated device of version 2 and its answer back, beside mosquitto's own round trip and one durable write. */
export async function benchRoundTrip(volt: AutoVolt, { documents, say }: GroupContext): Promise<Row[]> {
  say('commands: to a device and back')
  await using broker = await startBenchBroker()
  const room = await volt.classrooms.create({ name: 'Bench' })
  const devices = await volt.devices.createMany(
    Array.from({ length: atOnce }, (_, at) => ({
      name: `Round ${at}`,
      macAddress: macOf(documents + at),
      classroom: room._id,
      secret,
      authentication: 'broker' as const,
      communication: { version: 2 },
      switches: [{ name: 'Relay', gpio: 16, powerRating: 60 }],
      status: 'online' as const,
      lastSeenAt: new Date(),
    })),
  )
  await using ingestion = await startIngestion(volt, { url: broker.url, decoders: [v2Decoder()] })
  await using transport = await connectTransport(volt, { url: broker.url })
  const stop = volt.commands.start({ transports: [transport] })
  const client = await connectAsync(broker.url)
  await answer(client)
  const id = (n: number) => devices[n % atOnce]?._id ?? room._id
  const command = (n: number) => (Math.floor(n / atOnce) % 2 === 0 ? 'turn_on' : 'turn_off')
  const one = (n: number) => volt.commands.executeCommand(id(n), command(n), {}, { timeoutMs: 20_000 })
  await percentile95(one, atOnce)
  const alone = await median(calls, (n) => one(n + atOnce))
  const echo = await echoOf(broker.url)
  const marks = volt.database.native.collection('bench_marks', { writeConcern: { w: 'majority', journal: true } })
  const base = (await median(calls, echo.call)) + (await median(calls, () => marks.insertOne({ at: new Date() })))
  const times: number[] = []
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(
      Array.from({ length: atOnce }, async (_, at) => {
        const startedMs = performance.now()
        await one(atOnce * (round + 3) + at)
        times.push(performance.now() - startedMs)
      }),
    )
  }
  const together = times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? Number.NaN
  await stop()
  await Promise.all([client.endAsync(true), echo.end()])
  void ingestion
  const spread = { lowest: alone, highest: alone }
  const ratio = alone / base
  const measured = {
    value: alone,
    baseline: base,
    ratio,
    valueSpread: spread,
    ratioSpread: { lowest: ratio, highest: ratio },
  }
  return [
    ratioRow('commands.round-trip-one', 'ms', measured, { atMost: 3 }),
    valueRow('commands.round-trip-100-at-once', 'ms p95', { value: together }, { atMost: 250 }),
  ]
}

/** Devices that do what they are asked at once, and say so. */
async function answer(client: MqttClient): Promise<void> {
  let sequence = 0
  client.on('message', (topic, payload) => {
    const { id, gpio, state } = JSON.parse(payload.toString())
    sequence += 1
    const message = {
      id: `1-${sequence}`,
      boot: '1',
      run: 1,
      seq: sequence,
      time: Date.now(),
      gpio,
      state,
      cause: 'backend',
      command: id,
    }
    client.publish(topic.replace(/command$/, 'switch'), JSON.stringify(message), { qos: 1 })
  })
  await client.subscribeAsync('autovolt/v2/+/command', { qos: 1 })
}

/** There and back at QoS 1, as a command and its answer go. */
async function echoOf(url: string) {
  const [here, there] = await Promise.all([connectAsync(url), connectAsync(url)])
  await Promise.all([here.subscribeAsync('bench/back', { qos: 1 }), there.subscribeAsync('bench/there', { qos: 1 })])
  there.on('message', (_, payload) => void there.publish('bench/back', payload, { qos: 1 }))
  return {
    call: async () => {
      const back = new Promise<void>((resolve) => here.once('message', () => resolve()))
      here.publish('bench/there', 'x', { qos: 1 })
      await back
    },
    end: async () => {
      await Promise.all([here.endAsync(true), there.endAsync(true)])
    },
  }
}

async function median(count: number, call: (n: number) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < count; n += 1) {
    const startedMs = performance.now()
    await call(n)
    times.push(performance.now() - startedMs)
  }
  return times.sort((a, b) => a - b)[Math.floor(count / 2)] ?? Number.NaN
}
