import { connectAsync } from 'mqtt'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Device, DeviceInput } from '../../src/devices/device.js'
import { deployedDecoder } from '../../src/mqtt/deployed-decoder.js'
import type { Ingestion } from '../../src/mqtt/ingestion.js'
import { meteredDecoder } from '../../src/mqtt/metered-decoder.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'
import { startAedes } from '../support/aedes.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { secret } from './support/payloads.js'
import { signed } from './support/signed.js'
import { openSite, type Site, v2Topic } from './support/site.js'

const meteredTopic = 'site/lab/telemetry'
let site: Site
let ingestion: Ingestion
let publish: (topic: string, payload: string) => Promise<unknown>
let device: Device
let sequence = 0

beforeEach(async () => {
  site = await openSite()
})

/** Registers the device, and starts ingestion with every decoder that there is. */
async function begin(input: Partial<DeviceInput>) {
  device = await site.device(input)
  const broker = await startAedes()
  const decoders = [
    deployedDecoder({ statusTopics: ['esp32/status/{mac}'] }),
    v2Decoder(),
    meteredDecoder({ [meteredTopic]: { device: { macAddress: device.macAddress! }, gpio: 17 } }),
  ]
  ingestion = await site.ingest({ url: broker.url, decoders })
  const speaking = await connectAsync(broker.url)
  cleanUpLater(() => speaking.endAsync(true))
  publish = (topic, payload) => speaking.publishAsync(topic, payload, { qos: 1 })
}

/** Says it, and waits until it is processed. @returns whether it was taken. */
async function isTaken(topic: string, payload: string | object): Promise<boolean> {
  const { processed, quarantined } = ingestion.status()
  await publish(topic, typeof payload === 'string' ? payload : JSON.stringify(payload))
  await eventually('it is processed', () => ingestion.status().processed > processed)
  return ingestion.status().quarantined === quarantined
}

function v2(kind: string, content: object, { isSigned = true, key = secret } = {}): [topic: string, payload: string] {
  sequence += 1
  const topic = v2Topic(device, kind)
  const message = { id: `1-${sequence}`, boot: '1', seq: sequence, time: Date.now(), ...content }
  return [topic, isSigned ? signed(topic, key, message) : JSON.stringify(message)]
}

const say = {
  signedHeartbeat: () => isTaken(...v2('heartbeat', {})),
  unsignedHeartbeat: () => isTaken(...v2('heartbeat', {}, { isSigned: false })),
  unsignedSwitch: () => isTaken(...v2('switch', { gpio: 16, state: true }, { isSigned: false })),
  unsignedStatus: () => isTaken(v2Topic(device, 'status'), { status: 'offline' }),
  wronglySigned: () => isTaken(...v2('heartbeat', {}, { key: 'another-device-secret-01' })),
  snapshot: (shown: string | undefined = secret) =>
    isTaken('esp32/state', { mac: device.macAddress, secret: shown, switches: [{ gpio: 16, state: true }] }),
  deployedHeartbeat: () => isTaken('esp32/telemetry', { mac: device.macAddress, status: 'heartbeat' }),
  deployedStatus: () => isTaken(`esp32/status/${device.macAddress}`, 'offline'),
  metered: () => isTaken(meteredTopic, { esp32_name: 'lab', power_w: 60 }),
}

/** What each of them came to. */
async function outcomes<Name extends keyof typeof say>(...names: readonly Name[]) {
  const taken: Partial<Record<Name, boolean>> = {}
  for (const name of names) taken[name] = await say[name]()
  return taken
}

const stored = () => site.volt.devices.get(device._id)
const everything = Object.keys(say) as (keyof typeof say)[]

describe('a device that has a secret', () => {
  it('shows it, by whatever decoder its messages come', async () => {
    await begin({ authentication: undefined })
    expect(await outcomes('unsignedHeartbeat', 'unsignedSwitch', 'unsignedStatus', 'wronglySigned', 'metered')).toEqual(
      {
        unsignedHeartbeat: false,
        unsignedSwitch: false,
        unsignedStatus: false,
        wronglySigned: false,
        metered: false,
      },
    )
    expect(await site.volt.quarantine.count({ reason: 'unauthorized' })).toBe(5)
    expect(await stored()).not.toMatchObject({ lastSeenAt: expect.any(Date) })
    expect(await site.volt.ledger.count()).toBe(0)
    expect(await outcomes('snapshot', 'signedHeartbeat')).toEqual({ snapshot: true, signedHeartbeat: true })
  })

  it('can show it in its heartbeats and its status only where it signs: else they move its presence, and no more', async () => {
    await begin({ authentication: undefined })
    expect(await outcomes('deployedHeartbeat', 'deployedStatus')).toEqual({
      deployedHeartbeat: true,
      deployedStatus: true,
    })
    const seen = await stored()
    expect(seen).toMatchObject({ status: 'offline', lastSeenAt: expect.any(Date) })
    expect(seen).not.toHaveProperty('lastSignOfLifeAt')
  })

  it('signs every message from its first right signature on', async () => {
    await begin({ authentication: undefined })
    expect(await say.wronglySigned()).toBe(false)
    expect(await say.deployedHeartbeat()).toBe(true)
    expect(await say.signedHeartbeat()).toBe(true)
    const before = await stored()
    expect(before).toMatchObject({ hasSigned: true, status: 'online' })
    const others = everything.filter((name) => name !== 'signedHeartbeat' && name !== 'metered')
    const noneOf = async (names: typeof others) =>
      expect(new Set(Object.values(await outcomes(...names)))).toEqual(new Set([false]))
    await noneOf(others)
    // By the next process too.
    await ingestion.close()
    await begin({ authentication: undefined, macAddress: (await site.device()).macAddress!.replace(/^../, '06') })
    device = before
    await noneOf(others)
    expect(await stored()).toEqual(before)
    expect(await say.signedHeartbeat()).toBe(true)
  })

  it('signs from the start where that is said of it, and then its secret in clear is not enough', async () => {
    await begin({ authentication: 'signature' })
    const others = everything.filter((name) => name !== 'signedHeartbeat')
    expect(new Set(Object.values(await outcomes(...others)))).toEqual(new Set([false]))
    expect(await stored()).not.toHaveProperty('lastSeenAt')
    expect(await say.signedHeartbeat()).toBe(true)
  })

  it('need not, where that is said of it; a wrong secret is wrong all the same', async () => {
    await begin({ authentication: 'broker' })
    expect(await outcomes('unsignedHeartbeat', 'unsignedSwitch', 'unsignedStatus', 'metered', 'wronglySigned')).toEqual(
      {
        unsignedHeartbeat: true,
        unsignedSwitch: true,
        unsignedStatus: true,
        metered: true,
        wronglySigned: false,
      },
    )
    expect(await say.snapshot('not-the-secret-of-this-one')).toBe(false)
    expect(await say.snapshot('')).toBe(false)
  })
})

it('a device without a secret has the broker’s word', async () => {
  await begin({ authentication: undefined, secret: undefined })
  expect(await outcomes('unsignedSwitch', 'unsignedStatus', 'metered', 'signedHeartbeat', 'snapshot')).toEqual({
    unsignedSwitch: true,
    unsignedStatus: true,
    metered: true,
    signedHeartbeat: false,
    snapshot: false,
  })
})
