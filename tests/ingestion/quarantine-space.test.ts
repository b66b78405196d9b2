import { beforeEach, describe, expect, it } from 'vitest'
import type { Device } from '../../src/devices/device.js'
import { DecoderSet } from '../../src/ingestion/decoder-set.js'
import type { IngestionParts } from '../../src/ingestion/ingestion-parts.js'
import { IngestionCounters } from '../../src/ingestion/pipeline.js'
import type { QuarantineLimits } from '../../src/ingestion/quarantine-space.js'
import { SharedPipeline } from '../../src/ingestion/shared-pipeline.js'
import { deployedDecoder } from '../../src/mqtt/deployed-decoder.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'
import { openSite, type Site, v2Topic } from '../mqtt/support/site.js'

const decoders = new DecoderSet([v2Decoder(), deployedDecoder()])
let site: Site
let devices: readonly Device[]
let parts: IngestionParts
let serial = 0

beforeEach(async () => {
  site = await openSite()
  devices = [await site.device(), await site.device()]
})

/** A message that cannot be used. */
function useless(topic: string, bytes = 100, more: object = {}) {
  serial += 1
  const payload = Buffer.from(JSON.stringify({ ...more, serial, fill: 'x'.repeat(bytes) }))
  return { topic, payload, receivedAt: new Date(1_700_000_000_000 + serial) }
}

/** An ingester with these limits. */
function openIngester(limits: Partial<QuarantineLimits>) {
  parts = site.volt.ingestion.parts({ quarantine: limits })
  const pipeline = new SharedPipeline(parts, new IngestionCounters())
  return async (...messages: readonly ReturnType<typeof useless>[]) => {
    await pipeline.process(decoders.decode(messages))
    return stored()
  }
}

async function stored() {
  const all = await site.database.db.collection('ingest_quarantine').find().sort({ lastReceivedAt: 1 }).toArray()
  return { all, bytes: all.reduce((total, { storedBytes }) => total + Number(storedBytes), 0) }
}

const countBy = (all: Awaited<ReturnType<typeof stored>>['all']) => {
  const counts: Record<string, number> = {}
  for (const { source } of all) counts[String(source)] = (counts[String(source)] ?? 0) + 1
  return counts
}

describe('the quarantine', () => {
  it('never takes more than its budget, whatever comes, and counts what it has dropped', async () => {
    const take = openIngester({ maximumBytes: 60_000 })
    const topic = v2Topic(devices[0]!, 'power')
    let sent = 0
    for (const size of [10, 3_000, 20, 40_000, 5_000, 5_000, 5_000, 100]) {
      const messages = Array.from({ length: 4 }, () => useless(topic, size))
      sent += messages.length
      const { all, bytes } = await take(...messages)
      expect(bytes).toBeLessThanOrEqual(60_000)
      const { size: dropped } = await parts.quarantine.dropped()
      expect(dropped).toBe(sent - all.length)
    }
    expect(parts.quarantine.budget).toMatchObject({ maximumBytes: 60_000, bytes: (await stored()).bytes })
  })

  it('says about what a message takes', async () => {
    const take = openIngester({})
    await take(useless(v2Topic(devices[0]!, 'power'), 20_000))
    const { bytes } = await stored()
    const [stats] = await site.database.db
      .collection('ingest_quarantine')
      .aggregate([{ $group: { _id: null, size: { $sum: { $bsonSize: '$$ROOT' } } } }])
      .toArray()
    expect(Math.abs(bytes - Number(stats?.size))).toBeLessThan(500)
  })

  it('drops the flood of one source before what another has sent', async () => {
    const take = openIngester({ maximumBytes: 300_000 })
    const [quiet, loud] = devices.map((device) => v2Topic(device, 'power'))
    const evidence = [
      useless(quiet!),
      useless('esp32/state', 100, { mac: devices[0]!.macAddress }),
      useless('esp32/state'),
    ]
    await take(...evidence)
    for (let round = 0; round < 10; round += 1) {
      await take(...Array.from({ length: 20 }, () => useless(loud!, 3_000)))
    }
    const { all, bytes } = await stored()
    expect(bytes).toBeLessThanOrEqual(300_000)
    expect(countBy(all)).toMatchObject({
      [devices[0]!.macAddress!]: 1,
      [`shared ${devices[0]!.macAddress}`]: 1,
      others: 1,
    })
    // Of the flood the newest stay.
    const kept = all.filter(({ source }) => source === devices[1]!.macAddress)
    expect(kept.length).toBeGreaterThan(20)
    expect(Number(kept.at(-1)?.receivedAt)).toBe(1_700_000_000_000 + serial)
  })

  it('has one share for all whom nobody knows, whatever names they choose', async () => {
    const take = openIngester({ maximumMessages: 50 })
    await take(useless(v2Topic(devices[0]!, 'power')))
    for (let round = 0; round < 8; round += 1) {
      await take(...Array.from({ length: 20 }, (_, at) => useless(`autovolt/v2/0200000000${round}${at % 10}/power`)))
    }
    const { all } = await stored()
    expect(all.length).toBeLessThanOrEqual(50)
    expect(countBy(all)).toMatchObject({ [devices[0]!.macAddress!]: 1 })
    expect(Object.keys(countBy(all))).toHaveLength(2)
  })

  it('is within its limits also where several write', async () => {
    const takers = Array.from({ length: 3 }, () => openIngester({ maximumBytes: 100_000 }))
    const topic = v2Topic(devices[0]!, 'power')
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(takers.map((take) => take(useless(topic, 2_000), useless(topic, 2_000))))
    }
    // Each may have written a sixteenth that the others have not seen, and one batch.
    expect((await stored()).bytes).toBeLessThanOrEqual(100_000 + 3 * (100_000 / 16 + 9_000))
  })

  it('drops what is too old', async () => {
    const take = openIngester({ maximumAgeMs: 1000 })
    await take(useless(v2Topic(devices[0]!, 'power')))
    expect(await parts.quarantine.prune()).toBe(1)
    expect(await parts.quarantine.dropped()).toEqual({ age: 1, size: 0 })
  })
})
