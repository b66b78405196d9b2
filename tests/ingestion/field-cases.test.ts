import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { EnergySource } from '../../src/devices/device.js'
import { DecoderSet } from '../../src/ingestion/decoder-set.js'
import { instantOf } from '../../src/ingestion/ledger-event.js'
import { IngestionCounters } from '../../src/ingestion/pipeline.js'
import { SharedPipeline } from '../../src/ingestion/shared-pipeline.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'
import { openSite, type Site } from '../mqtt/support/site.js'
import { aSwitch } from '../support/builders.js'

const file = new URL('../../../shared/data/field-cases.jsonl', import.meta.url)
const isThere = existsSync(file)

interface FieldCase {
  readonly id: string
  readonly input: {
    readonly payloadHex: string
    readonly payload: object
    readonly messages: readonly object[]
    readonly zone: string
    readonly times: readonly string[]
    readonly arrival: string
  }
  readonly right: { readonly entries: number; readonly wh: number }
}

/** The input of a case, and what is right. */
function fieldCase(id: string): FieldCase {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  const found = lines.map((line): FieldCase => JSON.parse(line)).find((one) => one.id === id)
  if (found === undefined) throw new Error(`there is no case ${id}`)
  return found
}

let site: Site
let counters: IngestionCounters

/** Gives the payloads to a device of version 2 whose switch is metered so. */
async function take(payloads: readonly (object | Buffer)[], energySource: EnergySource = 'power') {
  site = await openSite()
  counters = new IngestionCounters()
  const switches = [aSwitch({ gpio: 16, energySource })]
  await site.device({ macAddress: 'aabbccddee01', switches, reportingPeriodMs: 60_000 })
  const pipeline = new SharedPipeline(site.volt.ingestion.parts(), counters)
  const receivedAt = new Date('2026-11-21T09:05:00Z')
  const messages = payloads.map((one) => ({
    topic: 'autovolt/v2/aabbccddee01/power',
    payload: Buffer.isBuffer(one) ? one : Buffer.from(JSON.stringify(one)),
    receivedAt,
  }))
  await pipeline.process(new DecoderSet([v2Decoder()]).decode(messages))
  return messages
}

const entries = () => site.volt.ledger.find({}, { sort: { timestamp: 1 } })
const reading = (more: object, at = 1) => ({
  id: `1-${at}`,
  boot: '1',
  seq: at,
  time: `2026-11-21T09:0${at}:00.000Z`,
  gpio: 16,
  state: true,
  ...more,
})

describe.skipIf(!isThere)('what was reported from the field', () => {
  it('14: a terminator after whole JSON is no cut', async () => {
    const { input, right } = fieldCase('14')
    await take([Buffer.from(input.payloadHex, 'hex')])
    expect(await entries()).toHaveLength(right.entries)
  })

  it('15: a power beside a counter that is null', async () => {
    const { input, right } = fieldCase('15')
    await take(input.messages)
    expect(await entries()).toHaveLength(right.entries)
    expect(Number((await entries()).at(-1)?.cumulativeEnergy) / 3_600).toBe(right.wh)
  })

  it('15c: a side value that is null', async () => {
    const { input, right } = fieldCase('15c')
    await take([input.payload])
    expect(await entries()).toHaveLength(right.entries)
  })

  it('r12: one grammar of time', () => {
    const { input, right } = fieldCase('r12')
    const arrivalMs = Date.parse(input.arrival)
    const decoder = v2Decoder()
    const got = input.times.map((time) => {
      const payload = Buffer.from(JSON.stringify({ ...reading({ powerW: 5 }), time }))
      const message = { topic: 'autovolt/v2/aabbccddee01/power', payload, receivedAt: new Date(arrivalMs) }
      const [decoded] = new DecoderSet([decoder]).decode([message])
      if (decoded === undefined || !('reports' in decoded.decoding)) throw new Error('no report')
      const { atMs, flags } = instantOf(decoded.decoding.reports[0]?.time, input.zone, arrivalMs, 0)
      return flags[0] ?? new Date(atMs).toISOString().replace('.000', '')
    })
    expect(got).toEqual(right)
  })
})

describe('a value beside the one that the switch is metered by', () => {
  it.each<[string, EnergySource, object, string[]]>([
    ['a voltage that is a text', 'power', { powerW: 60, voltageV: '231' }, ['voltage']],
    ['a power factor above one', 'power', { powerW: 60, powerFactor: 1.7 }, ['powerFactor']],
    ['a counter that runs backwards below zero', 'power', { powerW: 60, energyWh: -5 }, ['energyWh']],
    ['a temperature of a broken sensor', 'counter', { energyWh: 5, temperatureC: -300 }, ['temperature']],
    ['a power beside a counter', 'counter', { energyWh: 5, powerW: 'n/a' }, ['powerW']],
    ['several at once', 'power', { powerW: 60, currentA: {}, frequencyHz: [] }, ['current', 'frequency']],
    ['a firmware that is no text', 'power', { powerW: 60, firmware: 7 }, ['firmwareVersion']],
    ['a state that is none', 'power', { powerW: 60, state: 'on' }, ['on']],
  ])('is left out, and noted, where it is %s', async (_, energySource, values, leftOut) => {
    await take([reading(values)], energySource)
    expect(await entries()).toHaveLength(1)
    expect(await site.volt.quarantine.count()).toBe(0)
    expect(counters).toMatchObject({ processed: 1, entries: 1, quarantined: 0, notes: 1 })
    expect(counters.lastNote).toEqual({
      detail: `left out: ${leftOut.join(', ')}`,
      macAddress: 'AA:BB:CC:DD:EE:01',
      at: new Date('2026-11-21T09:05:00Z'),
    })
  })

  it.each<[string, EnergySource, object]>([
    ['a power that is none', 'power', { powerW: 'n/a', energyWh: 5 }],
    ['a counter that is none', 'counter', { powerW: 60, energyWh: '5' }],
    ['nothing at all', 'rated', { powerW: null, energyWh: null, voltageV: 231 }],
  ])('spoils the reading only where the switch is metered by it: %s', async (_, energySource, values) => {
    await take([reading(values)], energySource)
    expect((await entries()).filter(({ eventType }) => eventType === 'power_reading')).toEqual([])
    expect(await site.volt.quarantine.find()).toMatchObject([{ reason: 'not_a_reading' }])
    expect(counters).toMatchObject({ quarantined: 1, notes: 0 })
  })

  it.each(['energyWh', 'voltageV', 'currentA', 'powerFactor', 'frequencyHz', 'temperatureC', 'state', 'firmware'])(
    'is not reported where %s is null',
    async (name) => {
      await take([reading({ powerW: 60, [name]: null })])
      expect(await entries()).toHaveLength(1)
      expect(counters).toMatchObject({ quarantined: 0, notes: 0 })
    },
  )
})

describe('a payload that is no whole JSON', () => {
  const whole = JSON.stringify(reading({ powerW: 60 }))
  it.each<[string, string, string]>([
    ['cut in an object', whole.slice(0, -10), 'truncated'],
    ['cut, with a terminator', `${whole.slice(0, -10)}\0`, 'truncated'],
    ['followed by something', `${whole}x`, 'not_json'],
    ['followed by something after a terminator', `${whole}\0x`, 'not_json'],
    ['wrong inside', whole.replace(':', '='), 'not_json'],
  ])('is told apart, and kept to the last byte: %s', async (_, payload, reason) => {
    const [message] = await take([Buffer.from(payload)])
    const [kept] = await site.volt.quarantine.find()
    expect(kept).toMatchObject({ reason, payloadBytes: payload.length })
    const base64 = await site.volt.quarantine.revealSecret(kept?._id ?? '', 'payload')
    expect(Buffer.from(base64, 'base64')).toEqual(message?.payload)
  })
})

describe('a local time in the repeated hour', () => {
  const at = (time: string, arrival: string) =>
    instantOf({ kind: 'local', text: time }, 'Europe/London', Date.parse(arrival), 0)

  it('is the earlier instant, flagged, where both can be meant', () => {
    const flagged = { atMs: Date.parse('2025-10-26T00:30:00Z'), flags: ['clock_ambiguous'] }
    expect(at('2025-10-26T01:30:00', '2025-10-26T01:30:01Z')).toEqual(flagged)
    expect(at('2025-10-26T01:30:00', '2025-10-26T01:25:00Z')).toEqual(flagged)
  })

  it('is the earlier one for sure where the later would be more than five minutes ahead of the arrival', () => {
    const sure = { atMs: Date.parse('2025-10-26T00:30:00Z'), flags: [] }
    expect(at('2025-10-26T01:30:00', '2025-10-26T00:30:01Z')).toEqual(sure)
    expect(at('2025-10-26T01:30:00', '2025-10-26T01:24:59Z')).toEqual(sure)
  })

  it('is none where both are ahead', () => {
    const replaced = { atMs: Date.parse('2025-10-26T00:00:00Z'), flags: ['clock_replaced'] }
    expect(at('2025-10-26T01:30:00', '2025-10-26T00:00:00Z')).toEqual(replaced)
  })
})
