import { connectAsync } from 'mqtt'
import { beforeEach, expect, it } from 'vitest'
import type { Device } from '../../src/devices/device.js'
import type { Ingestion } from '../../src/mqtt/ingestion.js'
import { type AedesBroker, startAedes } from '../support/aedes.js'
import { aSwitch } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { secret } from './support/payloads.js'
import { signed } from './support/signed.js'
import { openSite, type Site, v2Topic } from './support/site.js'

type Spoken = readonly [topic: string, payload: string]

let site: Site
let broker: AedesBroker
let ingestion: Ingestion
let device: Device
let publish: (message: Spoken) => Promise<unknown>

beforeEach(async () => {
  site = await openSite()
  broker = await startAedes()
  const switches = [aSwitch({ gpio: 16, powerRating: 60 })]
  device = await site.device({ authentication: undefined, reportingPeriodMs: 60_000, switches })
  ingestion = await site.ingest({ url: broker.url })
  const speaking = await connectAsync(broker.url)
  cleanUpLater(() => speaking.endAsync(true))
  publish = ([topic, payload]) => speaking.publishAsync(topic, payload, { qos: 1 })
})

function spoken(kind: string, boot: string, seq: number | undefined, content: object = {}): Spoken {
  const topic = v2Topic(device, kind)
  const envelope = seq === undefined ? { boot } : { id: `${boot}-${seq}`, boot, seq }
  return [topic, signed(topic, secret, { ...envelope, ...content })]
}

const moved = (boot: string, seq: number, state: boolean, more: object = {}) =>
  spoken('switch', boot, seq, { gpio: 16, state, cause: 'manual', ...more })
const now = () => ({ time: Date.now() })

/** Says them one after the other. @returns for which reasons those were refused that were. */
async function take(...messages: readonly Spoken[]): Promise<(string | undefined)[]> {
  const reasons: (string | undefined)[] = []
  for (const message of messages) {
    const { processed, quarantined } = ingestion.status()
    await publish(message)
    await eventually('it is processed', () => ingestion.status().processed > processed)
    const isRefused = ingestion.status().quarantined > quarantined
    const [last] = isRefused ? await site.volt.quarantine.find({}, { sort: { lastReceivedAt: -1 }, limit: 1 }) : []
    reasons.push(last?.reason)
  }
  return reasons
}

/** All that messages could have changed. */
async function everything() {
  const { database, volt } = site
  const stored = await volt.devices.get(device._id)
  const spans = await database.db.collection('life_spans').find().toArray()
  return { stored, spans, entries: await volt.ledger.find({}, { sort: { sequence: 1 } }) }
}

const restart = async () => {
  await ingestion.close()
  ingestion = await site.ingest({ url: broker.url })
}

it('recorded messages of a run that is over change nothing, by whichever process they are taken', async () => {
  const taken = [moved('1', 2, true), spoken('heartbeat', '1', 3)]
  // The second was recorded on its way, and never came.
  const recorded = [moved('1', 1, false), moved('1', 4, false), spoken('heartbeat', '1', 5), ...taken]
  expect(await take(spoken('heartbeat', '1', 0, now()), recorded[0]!, ...taken)).toEqual(Array(4).fill(undefined))
  expect(await take(spoken('heartbeat', '2', 0, now()), moved('2', 1, true, now()))).toEqual([undefined, undefined])
  const before = await everything()
  expect(before.stored).toMatchObject({ boot: { id: '2' }, pastRuns: ['1'], run: { boot: '2', sequences: [0, 1] } })
  expect(before.entries.at(-1)).toMatchObject({ eventType: 'switch_on' })
  expect(await take(...recorded)).toEqual(Array(5).fill('not_fresh'))
  await restart()
  expect(await take(...recorded)).toEqual(Array(5).fill('not_fresh'))
  expect(await everything()).toEqual(before)
})

it('recorded messages of the present run change nothing either', async () => {
  const taken = [spoken('heartbeat', '1', 0, now()), moved('1', 1, false), spoken('heartbeat', '1', 2)]
  await take(...taken, moved('1', 4, true, now()))
  const before = await everything()
  await restart()
  // What came with a time is known by that; the third of them was never taken.
  expect(await take(...taken, moved('1', 3, false))).toEqual([undefined, undefined, undefined, 'not_fresh'])
  expect(await everything()).toEqual(before)
  expect(ingestion.status()).toMatchObject({ repeated: 2, entries: 0 })
})

it('a message with a time of its own is a fact of that time, also of a run that is over, once', async () => {
  const atMs = Date.now() - 30_000
  const late = moved('1', 1, true, { time: atMs })
  await take(spoken('heartbeat', '1', 0, { time: atMs - 1000 }), spoken('heartbeat', '2', 0, now()))
  const { stored } = await everything()
  for (const _ of [1, 2]) expect(await take(late)).toEqual([undefined])
  const after = await everything()
  expect(after.entries.filter(({ eventType }) => eventType === 'switch_on')).toMatchObject([
    { timestamp: new Date(atMs) },
  ])
  const { status, statusAt, lastSeenAt, boot, run, pastRuns } = stored
  expect(after.stored).toMatchObject({ status, statusAt, lastSeenAt, boot, run, pastRuns })
})

it('a run is begun by a message without a time only if its number is larger than any before', async () => {
  const first = { run: 7 }
  expect(await take(moved('7', 1, true, first))).toEqual([undefined])
  expect(await take(moved('8', 1, false), moved('6', 1, false, { run: 6 }))).toEqual(['not_fresh', 'not_fresh'])
  expect((await everything()).stored).toMatchObject({ boot: { id: '7' }, switches: [{ state: true }] })
  expect(await take(moved('9', 1, false, { run: 9 }), moved('7', 2, true, first))).toEqual([undefined, 'not_fresh'])
  const { stored } = await everything()
  expect(stored).toMatchObject({ boot: { id: '9' }, run: { number: 9 }, switches: [{ state: false }] })
})

it('a recorded last will of an earlier connection or run shows nobody offline', async () => {
  const status = (boot: string, word: string, connection: number, seq?: number) =>
    spoken('status', boot, seq, { status: word, connection, ...(seq !== undefined && now()) })
  const wills = [status('1', 'offline', 1), status('2', 'offline', 1)]
  await take(status('1', 'online', 1, 0), wills[0]!)
  expect((await everything()).stored).toMatchObject({ status: 'offline' })
  await take(status('2', 'online', 1, 0), status('2', 'online', 2, 1))
  const before = await everything()
  expect(before.stored).toMatchObject({ status: 'online' })
  expect(await take(...wills, spoken('status', '2', undefined, { status: 'offline' }))).toEqual(
    Array(3).fill('not_fresh'),
  )
  // Nor does a recorded word that it is there say so.
  await take(status('2', 'offline', 2))
  expect(await take(spoken('status', '2', undefined, { status: 'online' }))).toEqual(['not_fresh'])
  expect((await everything()).stored).toMatchObject({ status: 'offline', lastSeenAt: before.stored.lastSeenAt })
})

it('what was refused as not fresh is so when it is replayed; what was fresh is a fact of when it came', async () => {
  await take(spoken('heartbeat', '1', 0, now()), spoken('heartbeat', '2', 0, now()))
  const wrongPin = spoken('switch', '2', 1, { gpio: 17, state: true, cause: 'manual' })
  expect(await take(moved('1', 1, true), wrongPin)).toEqual(['not_fresh', 'unknown_switch'])
  const [light] = device.switches
  await site.volt.devices.update(device._id, { switches: [light!, aSwitch({ gpio: 17 })] })
  expect(await ingestion.replayQuarantine()).toEqual({ used: 1, refused: 1, skipped: 0 })
  const entries = (await everything()).entries.filter(({ eventType }) => eventType === 'switch_on')
  expect(entries).toHaveLength(1)
})
