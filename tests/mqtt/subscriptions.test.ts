import { connectAsync, type MqttClient } from 'mqtt'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Device } from '../../src/devices/device.js'
import type { Decoder } from '../../src/ingestion/report.js'
import { deployedDecoder } from '../../src/mqtt/deployed-decoder.js'
import type { Ingestion } from '../../src/mqtt/ingestion.js'
import type { IngestionOptions } from '../../src/mqtt/ingestion-options.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { type Mosquitto, startMosquitto } from '../support/mosquitto.js'
import { openSite, type Site } from './support/site.js'

let broker: Mosquitto
let site: Site
let device: Device
let speaking: MqttClient
let serial: number

beforeEach(async () => {
  broker = await startMosquitto()
  site = await openSite()
  device = await site.device()
  speaking = await connectAsync(broker.url)
  cleanUpLater(() => speaking.endAsync(true))
  serial = 0
})

const start = (options: Partial<IngestionOptions>): Promise<Ingestion> =>
  site.ingest({ url: broker.url, client: { reconnectPeriod: 50 }, ...options })

const bareMac = () => device.macAddress!.replaceAll(':', '').toLowerCase()
const say = (topic: string, payload: string) => speaking.publishAsync(topic, payload, { qos: 1 })
async function sayReadings(prefix: string, count = 1) {
  for (let at = 0; at < count; at += 1) {
    serial += 1
    const reading = { id: `1-${serial}`, boot: '1', seq: serial, time: Date.now(), gpio: 16, powerW: 60 }
    await say(`${prefix}/v2/${bareMac()}/power`, JSON.stringify(reading))
  }
}

const anything = (name: string, filters: readonly string[]): Decoder => ({
  name,
  order: 'arrival',
  filters,
  decode: () => ({ reason: 'invalid', detail: 'expected nothing' }),
})

describe('a session whose decoders have changed', () => {
  it.each<[string, Partial<IngestionOptions>, Partial<IngestionOptions>, string[]]>([
    [
      'a prefix',
      { decoders: [v2Decoder({ prefix: 'old' }), v2Decoder({ prefix: 'new' })] },
      { decoders: [v2Decoder({ prefix: 'new' })] },
      ['old/v2/aabbccddee01/power', 'old/v2/aabbccddee01/status'],
    ],
    [
      'status topics',
      { decoders: [deployedDecoder({ statusTopics: ['st/{mac}', 'all'] }), v2Decoder({ prefix: 'new' })] },
      { decoders: [deployedDecoder(), v2Decoder({ prefix: 'new' })] },
      ['st/aabbccddee01', 'all'],
    ],
    [
      'a filter that has others within it',
      { decoders: [anything('wide', ['#']), v2Decoder({ prefix: 'new' })] },
      { decoders: [anything('narrow', ['site/lab']), v2Decoder({ prefix: 'new' })] },
      ['site/hall', 'anything'],
    ],
    [
      'a shared subscription',
      { decoders: [v2Decoder({ prefix: 'old' }), v2Decoder({ prefix: 'new' })], sharedSubscription: 'group' },
      { decoders: [v2Decoder({ prefix: 'new' })] },
      ['old/v2/aabbccddee01/power'],
    ],
  ])('hears nothing of %s that has gone', async (_, before, after, topics) => {
    const first = await start(before)
    await sayReadings('new')
    await eventually('the first takes it', () => first.status().processed >= 1)
    await first.close()
    const second = await start(after)
    for (const topic of topics) await say(topic, 'nothing that anybody understands')
    await sayReadings('new')
    await eventually('the second takes what is its own', () => second.status().processed === 1)
    expect(second.status()).toMatchObject({ received: 1, ignored: 0, quarantined: 0, entries: 1 })
  })

  it('drops what the broker had queued for the earlier configuration, and counts it', async () => {
    const first = await start({ decoders: [v2Decoder({ prefix: 'old' }), v2Decoder({ prefix: 'new' })] })
    await first.close()
    await sayReadings('old', 50)
    await sayReadings('new', 3)
    const second = await start({ decoders: [v2Decoder({ prefix: 'new' })] })
    await eventually('all are acknowledged', () => second.status().acknowledged === 53)
    expect(second.status()).toMatchObject({ processed: 3, ignored: 50, quarantined: 0, entries: 3 })
    expect(await site.volt.quarantine.count()).toBe(0)
    await sayReadings('old', 50)
    await sayReadings('new')
    await eventually('the next is taken', () => second.status().processed === 4)
    expect(second.status()).toMatchObject({ received: 54, ignored: 50 })
  })

  it('hears all that is its own, and goes back', async () => {
    const [old, young] = [{ decoders: [v2Decoder({ prefix: 'old' })] }, { decoders: [v2Decoder({ prefix: 'new' })] }]
    await (await start(old)).close()
    await sayReadings('old', 2)
    const again = await start(old)
    await eventually('what came meanwhile is there', () => again.status().processed === 2)
    await again.close()
    await (await start(young)).close()
    const back = await start(old)
    await sayReadings('new', 2)
    await sayReadings('old', 2)
    await eventually('what is its own is there', () => back.status().processed === 2)
    expect(back.status()).toMatchObject({ received: 2, ignored: 0 })
    const subscriptions = await site.database.db.collection('ingest_subscriptions').find().toArray()
    expect(new Set(subscriptions.map(({ filter }) => filter.split('/')[0]))).toEqual(new Set(['old']))
  })

  it('is told of nothing twice by two sessions, though decoders of both have the topic', async () => {
    const lab = `autovolt/v2/${bareMac()}/power`
    const ingestion = await start({ decoders: [v2Decoder(), anything('other', [lab])] })
    await sayReadings('autovolt', 3)
    await eventually('both sessions have them', () => ingestion.status().acknowledged === 6)
    expect(ingestion.status()).toMatchObject({ processed: 3, ignored: 3, entries: 3, quarantined: 0 })
  })
})
