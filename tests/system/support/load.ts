import type { Device } from '@autovolt/data'
import mqtt, { type MqttClient } from 'mqtt'
import { expect } from 'vitest'
import type { Child } from '../../support/child.js'
import { eventually } from '../../support/eventually.js'
import { type School, testSecret } from './school.js'

export interface Load {
  /** Ends it, and waits until every message is in the ledger, each once, whichever of the ingesters had it. */
  endsWithEachOnce(ingesters: readonly Child[]): Promise<void>
}

export interface LoadOptions {
  /** Whether devices with the deployed firmware take part. */
  readonly isDeployedToo?: boolean
  /** Devices of version 2, which report one after the other. */
  readonly meters?: number
  readonly readingsEveryMs?: number
}

const meterSwitch = { name: 'load', gpio: 1, powerRating: 0, energySource: 'power' } as const
const lightSwitch = { name: 'light', gpio: 16, powerRating: 60 } as const

/**
 * Publishes readings of version 2, and, unless told otherwise, snapshots and events of the deployed firmware, until it is
 * ended. The publisher connects again when it has to, and what it is not sure of it publishes again.
 */
export async function startLoad(
  url: string,
  school: School,
  { isDeployedToo = true, meters = 1, readingsEveryMs = 2 }: LoadOptions = {},
): Promise<Load> {
  const metering = await Promise.all(Array.from({ length: meters }, () => school.device({ switches: [meterSwitch] })))
  const toggling = await school.device({ switches: [lightSwitch] })
  const pressed = await school.device({ switches: [lightSwitch] })
  const last = await school.device({ switches: [meterSwitch, lightSwitch] })
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 100 })
  const counts = { readings: 0, toggles: 0, presses: 0 }
  let isStopped = false
  const repeat = async (publish: () => Promise<void>, pauseMs: number) => {
    while (!isStopped) {
      await publish()
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
  const nextMeter = () => metering[counts.readings % meters] ?? last
  const running = [
    repeat(() => publishReading(client, nextMeter(), ++counts.readings), readingsEveryMs),
    ...(isDeployedToo
      ? [
          repeat(() => publishSnapshot(client, toggling, ++counts.toggles % 2 === 1), 20),
          repeat(() => publishPress(client, pressed, ++counts.presses), 25),
        ]
      : []),
  ]
  const { ledger } = school.volt
  const found = async () => ({
    readings: await ledger.count({ eventType: 'power_reading' }),
    toggles: await ledger.count({ deviceId: toggling._id }),
    presses: await ledger.count({ deviceId: pressed._id }),
  })
  return {
    async endsWithEachOnce(ingesters) {
      isStopped = true
      await Promise.all(running)
      await publishReading(client, last, ++counts.readings)
      if (isDeployedToo) await publishSnapshot(client, last, true)
      await client.endAsync()
      const isAllThere = async () => {
        expect(await found()).toEqual(counts)
        return true
      }
      await eventually('all is there', isAllThere, { timeoutMs: 60_000, everyMs: 100 })
      // Whatever is doubled came before the last messages, and is dealt with when nothing is pending any more.
      await eventually('the last snapshot is there', async () =>
        isDeployedToo ? ledger.exists({ deviceId: last._id, eventType: 'switch_on' }) : true,
      )
      await Promise.all(ingesters.map(becomesIdle))
      expect(await found()).toEqual(counts)
      expect(await ledger.verify()).toMatchObject({ valid: true })
      expect(await school.volt.quarantine.count()).toBe(0)
      await expectAlternating(school, toggling)
    },
  }
}

/** Waits for word of the ingester that nothing is pending. */
async function becomesIdle(ingester: Child): Promise<void> {
  const heard = ingester.messages.length
  await eventually('the ingester has nothing pending', () =>
    ingester.messages
      .slice(heard)
      .some(({ type, status }) => type === 'status' && (status as { pending: number }).pending === 0),
  )
}

async function expectAlternating({ volt }: School, { _id: deviceId }: Device): Promise<void> {
  const entries = await volt.ledger.find({ deviceId }, { sort: { sequence: 1 }, limit: 1000 })
  const states = entries.map(({ powerState }) => powerState)
  expect(states.every((on, at) => at === 0 || on !== states[at - 1])).toBe(true)
}

async function publishReading(client: MqttClient, { macAddress }: Device, seq: number): Promise<void> {
  const message = { id: `1-${seq}`, boot: '1', seq, time: Date.now(), gpio: 1, powerW: seq % 100 }
  const topic = `autovolt/v2/${macAddress!.replaceAll(':', '').toLowerCase()}/power`
  await client.publishAsync(topic, JSON.stringify(message), { qos: 1 })
}

async function publishSnapshot(client: MqttClient, { macAddress: mac }: Device, state: boolean): Promise<void> {
  const message = { mac, secret: testSecret, switches: [{ gpio: 16, state, manual_override: false }] }
  await client.publishAsync('esp32/state', JSON.stringify(message), { qos: 1 })
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
