import type { Device } from '@autovolt/data'
import mqtt, { type MqttClient } from 'mqtt'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Child, startChild } from '../support/child.js'
import { eventually } from '../support/eventually.js'
import { type MongodProcess, startMongodProcess } from '../support/mongod-process.js'
import { type Mosquitto, startMosquitto } from '../support/mosquitto.js'
import { full } from './support/extent.js'
import { seededRandom } from './support/random.js'
import { openSchool, type School, testSecret } from './support/school.js'

const kills = full ? 20 : 4
const databaseKills = full ? 5 : 1

describe('an ingester, or its database, killed under load', () => {
  let mongod: MongodProcess
  let mosquitto: Mosquitto
  let school: School
  let load: Load

  beforeEach(async () => {
    mongod = await startMongodProcess()
    mosquitto = await startMosquitto({ maxInflightMessages: 500, maxQueuedMessages: 0 })
    school = await openSchool({ uri: mongod.uri })
    // The broker keeps messages only for sessions that it knows.
    const first = startIngester()
    await first.next('started')
    await first.kill('SIGTERM')
    load = await startLoad(mosquitto.url, school)
  })

  const startIngester = () =>
    startChild(new URL('./support/ingester.ts', import.meta.url), {
      env: { MONGODB_URI: mongod.uri, DB_NAME: school.dbName, MQTT_URL: mosquitto.url },
    })

  /** Waits until everything that was published has its entry, and checks that nothing has two. */
  async function expectEachOnce(): Promise<void> {
    const { ledger } = school.volt
    const wanted = load.readings + load.toggles + load.events
    const expected = { readings: load.readings, toggles: load.toggles, presses: load.events }
    const found = async () => ({
      readings: await ledger.count({ deviceId: load.meter._id }),
      toggles: await ledger.count({ deviceId: load.snapshots._id }),
      presses: await ledger.count({ deviceId: load.presses._id }),
    })
    await eventually(
      `${JSON.stringify(expected)} entries`,
      async () => {
        const counts = await found()
        if (counts.readings + counts.toggles + counts.presses >= wanted) return true
        throw new Error(JSON.stringify(counts))
      },
      { timeoutMs: 40_000, everyMs: 250 },
    )
    // Whatever is doubled would come now.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(await found()).toEqual(expected)
    expect(await ledger.verify()).toMatchObject({ valid: true })
    const states = (await ledger.find({ deviceId: load.snapshots._id }, { sort: { sequence: 1 }, limit: 1000 })).map(
      ({ powerState }) => powerState,
    )
    expect(states.every((on, at) => at === 0 || on !== states[at - 1])).toBe(true)
  }

  it(`loses no acknowledged message and doubles none when the ingester is killed ${kills} times`, async () => {
    const random = seededRandom(Date.now())
    let ingester: Child | undefined
    for (let kill = 0; kill < kills; kill += 1) {
      ingester = startIngester()
      await ingester.next('started', 60_000)
      await new Promise((resolve) => setTimeout(resolve, 100 + random() * 1500))
      await ingester.kill('SIGKILL')
    }
    await load.stop()
    startIngester()
    await expectEachOnce()
  }, 900_000)

  it('loses no acknowledged message and doubles none when the database is killed and comes back', async () => {
    const random = seededRandom(Date.now())
    await startIngester().next('started', 60_000)
    for (let kill = 0; kill < databaseKills; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, 500 + random() * 1000))
      await mongod.kill()
      await new Promise((resolve) => setTimeout(resolve, 500 + random() * 2000))
      await mongod.start()
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
    await load.stop()
    await expectEachOnce()
  }, 900_000)
})

interface Load {
  readonly meter: Device
  readonly snapshots: Device
  readonly presses: Device
  /** v2 readings that were published. */
  readonly readings: number
  /** Snapshots that differ from the one before. */
  readonly toggles: number
  /** Switch events, each followed by its snapshot. */
  readonly events: number
  stop(): Promise<void>
}

/** Publishes readings of version 2, and snapshots and events of the deployed firmware, until it is stopped. */
async function startLoad(url: string, school: School): Promise<Load> {
  const meter = await school.device({ switches: [{ name: 'load', gpio: 1, powerRating: 0, energySource: 'power' }] })
  const snapshots = await school.device({ switches: [{ name: 'light', gpio: 16, powerRating: 60 }] })
  const presses = await school.device({ switches: [{ name: 'light', gpio: 16, powerRating: 60 }] })
  const client = await mqtt.connectAsync(url)
  const count = { readings: 0, toggles: 0, events: 0 }
  let isStopped = false
  const until = async (publish: () => Promise<void>, pauseMs: number) => {
    while (!isStopped) {
      await publish()
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
  const running = [
    until(() => publishReading(client, meter, ++count.readings), 2),
    until(() => publishSnapshot(client, snapshots, ++count.toggles % 2 === 1), 20),
    until(() => publishPress(client, presses, ++count.events), 25),
  ]
  return {
    meter,
    snapshots,
    presses,
    get readings() {
      return count.readings
    },
    get toggles() {
      return count.toggles
    },
    get events() {
      return count.events
    },
    async stop() {
      isStopped = true
      await Promise.all(running)
      await client.endAsync()
    },
  }
}

async function publishReading(client: MqttClient, { macAddress }: Device, seq: number): Promise<void> {
  const message = { id: `1-${seq}`, boot: '1', seq, time: Date.now(), gpio: 1, powerW: seq % 100 }
  await client.publishAsync(
    `autovolt/v2/${macAddress.replaceAll(':', '').toLowerCase()}/power`,
    JSON.stringify(message),
    { qos: 1 },
  )
}

async function publishSnapshot(client: MqttClient, { macAddress: mac }: Device, state: boolean): Promise<void> {
  await client.publishAsync(
    'esp32/state',
    JSON.stringify({ mac, secret: testSecret, switches: [{ gpio: 16, state, manual_override: false }] }),
    { qos: 1 },
  )
}

const startedMs = Date.now() - 100_000

async function publishPress(client: MqttClient, device: Device, serial: number): Promise<void> {
  const state = serial % 2 === 1
  const event = {
    mac: device.macAddress,
    secret: testSecret,
    type: 'switch_event',
    gpio: 16,
    state,
    source: 'backend',
    timestamp: Date.now() - startedMs,
  }
  await client.publishAsync('esp32/telemetry', JSON.stringify(event), { qos: 1 })
  await publishSnapshot(client, device, state)
}
