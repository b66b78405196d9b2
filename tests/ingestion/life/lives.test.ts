import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Device } from '../../../src/devices/device.js'
import { DecoderSet } from '../../../src/ingestion/decoder-set.js'
import { IngestionCounters } from '../../../src/ingestion/pipeline.js'
import { SharedPipeline } from '../../../src/ingestion/shared-pipeline.js'
import { v2Decoder } from '../../../src/mqtt/v2-decoder.js'
import { openSite, type Site, v2Topic } from '../../mqtt/support/site.js'
import { aSwitch } from '../../support/builders.js'
import { runs } from '../../support/extent.js'

const decoders = new DecoderSet([v2Decoder()])
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const startMs = Date.parse('2026-03-02T00:00:00Z')
const arrivalMs = Date.parse('2026-03-02T20:00:00Z')
const day = { from: '2026-03-02', to: '2026-03-02' }
let site: Site
let device: Device

beforeAll(async () => {
  site = await openSite()
})
beforeEach(beginAnew)

const written = [
  'power_consumption_ledger',
  'life_spans',
  'daily_aggregates',
  'monthly_aggregates',
  'rollup_cursors',
  'device_consumption_ledger',
]

/** Empties what ingestion has written, and registers another device with one lamp of 100 W. */
async function beginAnew(): Promise<void> {
  for (const name of written) await site.database.db.collection(name).deleteMany({})
  device = await site.device({ switches: [aSwitch({ gpio: 16, powerRating: 100 })] })
}

interface Message {
  readonly kind: 'switch' | 'heartbeat'
  readonly atMs: number
  readonly boot: string
  readonly seq: number
  readonly on?: boolean
}

/** As it comes out of a backlog: all at once, whenever it was sent. */
function received({ kind, atMs, boot, seq, on }: Message) {
  const event = kind === 'switch' ? { gpio: 16, state: on, cause: 'manual' } : {}
  const payload = Buffer.from(JSON.stringify({ id: `${boot}-${seq}`, boot, seq, time: atMs, ...event }))
  return { topic: v2Topic(device, kind), payload, receivedAt: new Date(arrivalMs) }
}

const aPipeline = () => new SharedPipeline(site.volt.ingestion.parts(), new IngestionCounters())
const take = (pipeline: SharedPipeline, messages: readonly Message[]) =>
  pipeline.process(decoders.decode(messages.map(received)))

function heartbeats(fromMs: number, toMs: number, boot = '1', seq = 1): Message[] {
  const count = Math.floor((toMs - fromMs) / 30_000) + 1
  return Array.from({ length: count }, (_, n) => ({ kind: 'heartbeat', atMs: fromMs + n * 30_000, boot, seq: seq + n }))
}

const switched = (atMs: number, on: boolean, boot: string, seq: number): Message => ({
  kind: 'switch',
  atMs,
  boot,
  seq,
  on,
})

/** The one day of the one device: energy, and how it is known. */
async function daily() {
  const [found] = await site.volt.energy.dailyByClassroom(day)
  return found
}

/** That roll-ups and intervals say what the ledger says, kept as they were and made anew. */
async function expectAgreement(): Promise<void> {
  const { rollUps, intervals } = site.volt
  expect(await rollUps.verify(day)).toMatchObject({ valid: true, differences: [] })
  expect(await rollUps.rebuild(day)).toEqual({ days: 0, months: 0 })
  await intervals.derive({ from: new Date(startMs), to: new Date(startMs + 24 * hourMs) })
  const { items } = await intervals.getConsumptionHistory(device._id, 1, 1000)
  const [rolledUp] = await site.database.db.collection('daily_aggregates').find().toArray()
  expect(items.reduce((sum, { energy_mws }) => sum + energy_mws, 0)).toBe(rolledUp?.energy_mws ?? 0)
  const head = await site.volt.ledger.findOne({ switchId: device.switches[0]!._id }, { sort: { sequence: -1 } })
  expect(Math.round((head?.cumulativeEnergy ?? 0) * 1000)).toBe(rolledUp?.energy_mws ?? 0)
}

describe('a backlog that is worked off at once', () => {
  const on = switched(startMs, true, '1', 0)
  const eightHours = heartbeats(startMs + 30_000, startMs + 8 * hourMs)

  it('costs a lamp nothing', async () => {
    await take(aPipeline(), [on, ...eightHours])
    expect(await daily()).toMatchObject({
      energyKwh: 0.8,
      measuredSeconds: 8 * 3600,
      estimatedSeconds: 0,
      missingSeconds: 0,
    })
    await take(aPipeline(), [switched(startMs + 8 * hourMs + 1000, false, '1', 1000)])
    const head = await site.volt.ledger.findOne({}, { sort: { sequence: -1 } })
    expect(head?.cumulativeEnergy).toBe(100 * (8 * 3600 + 1))
    expect(await site.volt.ledger.count()).toBe(2)
  })

  it('nor with a restart of the ingester, and then of the device', async () => {
    await take(aPipeline(), [on, ...eightHours])
    await take(aPipeline(), [switched(startMs + 9 * hourMs, false, '2', 0)])
    await site.volt.rollUps.update()
    expect(await daily()).toMatchObject({ energyKwh: 0.8, measuredSeconds: 9 * 3600, missingSeconds: 0 })
    await expectAgreement()
  })

  it('nor where a live message was faster', async () => {
    const pipeline = aPipeline()
    await take(pipeline, [on])
    await take(aPipeline(), heartbeats(startMs + 8 * hourMs, startMs + 8 * hourMs, '1', 961))
    expect(await daily()).toMatchObject({ energyKwh: 0.8, estimatedSeconds: 8 * 3600 })
    await site.volt.rollUps.update()
    for (let at = 0; at < eightHours.length; at += 100) await take(pipeline, eightHours.slice(at, at + 100))
    expect(await daily()).toMatchObject({ energyKwh: 0.8, measuredSeconds: 8 * 3600, estimatedSeconds: 0 })
    await site.volt.rollUps.update()
    await expectAgreement()
  })

  it('nor where it comes backwards, message by message', async () => {
    const pipeline = aPipeline()
    for (const message of eightHours.slice(-40).toReversed()) await take(pipeline, [message])
    await take(pipeline, [switched(startMs + 7 * hourMs + 40 * minuteMs, true, '1', 0)])
    expect(await daily()).toMatchObject({ measuredSeconds: 20 * 60, estimatedSeconds: 0, missingSeconds: 0 })
    expect(await site.volt.ledger.count()).toBe(1)
  })
})

it('what a restart was believed to have cost is given back by signs of life from before it', async () => {
  await take(aPipeline(), [switched(startMs, true, '1', 0)])
  await take(aPipeline(), heartbeats(startMs + 2 * hourMs, startMs + 3 * hourMs, '2', 0))
  expect(await daily()).toMatchObject({ energyKwh: 0 })
  await take(aPipeline(), heartbeats(startMs + 30_000, startMs + hourMs, '1', 1))
  expect(await daily()).toMatchObject({ energyKwh: 0.1, measuredSeconds: 3 * 3600 })
})

it('a restart that is found to have been earlier does not take back what was switched on after it', async () => {
  await take(aPipeline(), [switched(startMs, true, '1', 0)])
  await take(aPipeline(), [
    switched(startMs + 2 * hourMs, true, '2', 10),
    ...heartbeats(startMs + 2 * hourMs, startMs + 3 * hourMs, '2', 11),
  ])
  await take(aPipeline(), [
    switched(startMs + hourMs, true, '2', 0),
    ...heartbeats(startMs + hourMs, startMs + 2 * hourMs, '2', 1),
  ])
  expect(await daily()).toMatchObject({ energyKwh: 0.2, measuredSeconds: 3 * 3600 })
})

it('a message that the broker had kept is no sign of life', async () => {
  await take(aPipeline(), [switched(startMs, true, '1', 0)])
  const kept = heartbeats(startMs + hourMs, startMs + hourMs).map((one) => ({ ...received(one), isRetained: true }))
  await aPipeline().process(decoders.decode(kept))
  expect(await site.volt.devices.get(device._id)).toMatchObject({ lastSignOfLifeAt: new Date(startMs) })
})

/** Runs of a device, each with heartbeats and switch events, some of them after a silence. */
const stories: fc.Arbitrary<Message[]> = fc
  .array(
    fc.array(
      fc.record({
        waitMs: fc.oneof(
          { weight: 5, arbitrary: fc.integer({ min: 1000, max: 300_000 }) },
          fc.integer({ min: 300_001, max: 2 * hourMs }),
        ),
        on: fc.option(fc.boolean(), { nil: undefined, freq: 2 }),
      }),
      { minLength: 1, maxLength: 10 },
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((runs) => {
    let atMs = startMs
    return runs.flatMap((run, boot) =>
      run.map(({ waitMs, on }, seq): Message => {
        atMs += waitMs
        return on === undefined
          ? { kind: 'heartbeat', atMs, boot: String(boot), seq }
          : switched(atMs, on, String(boot), seq)
      }),
    )
  })

describe('signs of life', () => {
  it('come to the same energy, time and roll-ups in whatever order, batches and processes they are taken', async () => {
    const arrivals = stories.chain((story) =>
      fc.tuple(
        fc.constant(story),
        fc.shuffledSubarray([...story, ...story.slice(0, 3)], { minLength: story.length }),
        fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 }),
      ),
    )
    await fc.assert(
      fc.asyncProperty(arrivals, async ([story, shuffled, sizes]) => {
        await beginAnew()
        await take(aPipeline(), story)
        const expected = await daily()
        await beginAnew()
        const pipelines = [aPipeline(), aPipeline()]
        const all = [...shuffled, ...story.filter((message) => !shuffled.includes(message))]
        for (let at = 0, batch = 0; at < all.length; batch += 1) {
          const size = sizes[batch % sizes.length] ?? 1
          const [first, second] = [all.slice(at, at + size), all.slice(at + size, at + 2 * size)]
          await Promise.all([take(pipelines[0]!, first), take(pipelines[1]!, second)])
          if (batch % 2 === 0) await site.volt.rollUps.update()
          at += 2 * size
        }
        await site.volt.rollUps.update()
        expect(await daily()).toEqual(expected)
        await expectAgreement()
      }),
      { numRuns: runs(6) },
    )
  }, 600_000)
})
