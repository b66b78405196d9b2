import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deployedDecoder } from '../../src/mqtt/deployed-decoder.js'
import { decode, hopeless, mac, prototypeKeys, reasonFor, secret } from './support/payloads.js'

const decoder = deployedDecoder({ statusTopics: ['esp32/status/{mac}', 'esp32/all'] })
const device = { macAddress: mac }
const credential = { kind: 'secret', secret }

const snapshot = { mac, secret, switches: [{ gpio: 16, state: true, manual_override: false }] }
const event = { mac, secret, type: 'switch_event', gpio: 16, state: true, source: 'backend', timestamp: 812_345 }
const press = { mac, secret, type: 'manual_switch', gpio: 16, state: false, physicalPin: 25, timestamp: 812_345 }
const heartbeat = { mac, status: 'heartbeat', heap: 181_234, uptime: 812_345 }
const without = (object: object, key: string) =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))

describe('the decoder of the deployed firmware', () => {
  it('listens to its topics, whose order is that of arrival', () => {
    expect(decoder).toMatchObject({
      order: 'arrival',
      filters: ['esp32/state', 'esp32/telemetry', 'esp32/status/+', 'esp32/all'],
    })
    expect(deployedDecoder({ prefix: 'lab' }).filters).toEqual(['lab/state', 'lab/telemetry'])
  })

  it.each([
    ['a snapshot', 'state', snapshot, { kind: 'snapshot', switches: [{ gpio: 16, on: true }] }],
    ['a snapshot of no relays', 'state', { mac, secret, switches: [] }, { kind: 'snapshot', switches: [] }],
    [
      'a relay that was moved by command',
      'telemetry',
      { ...event, userId: 'u-1', userName: 'Ann' },
      {
        kind: 'switch',
        gpio: 16,
        on: true,
        cause: 'backend',
        messageId: 'switch_event',
        time: { kind: 'uptime', ms: 812_345 },
        userId: 'u-1',
        userName: 'Ann',
      },
    ],
    [
      'a relay that was moved by hand',
      'telemetry',
      { ...event, source: 'manual' },
      { kind: 'switch', cause: 'manual' },
    ],
    ['a wall switch', 'telemetry', press, { kind: 'switch', on: false, cause: 'manual', messageId: 'manual_switch' }],
    ['a wall switch without a pin', 'telemetry', without(press, 'physicalPin'), { kind: 'switch', gpio: 16 }],
    ['a time since boot just before it wraps', 'telemetry', { ...press, timestamp: 2 ** 32 - 1 }, { kind: 'switch' }],
    ['members that nobody knows', 'telemetry', { ...press, colour: 'red' }, { kind: 'switch', gpio: 16 }],
  ])('understands %s', (_, topic, payload, report) => {
    expect(decode(decoder, `esp32/${topic}`, payload)).toMatchObject({ reports: [{ device, credential, ...report }] })
  })

  it.each([
    ['a heartbeat', heartbeat],
    ['a heartbeat with nothing else', { mac, status: 'heartbeat' }],
    // Whatever it claims: a heartbeat proves nothing.
    ['a heartbeat with a secret', { ...heartbeat, secret }],
  ])('understands %s, which shows no credential', (_, payload) => {
    expect(decode(decoder, 'esp32/telemetry', payload)).toEqual({
      reports: [{ kind: 'heartbeat', device, credential: { kind: 'none' } }],
    })
  })

  it('takes online and offline from a topic that names the device', () => {
    const status = (payload: string) => decode(decoder, 'esp32/status/aabbccddee01', payload)
    const report = { kind: 'status', device: { macAddress: 'aabbccddee01' }, credential: { kind: 'broker' } }
    expect(status('online')).toEqual({ reports: [{ ...report, online: true }] })
    expect(status('offline')).toEqual({ reports: [{ ...report, online: false }] })
    expect(status('offline\0\0')).toEqual({ reports: [{ ...report, online: false }] })
    for (const other of ['', 'Online', 'online ', '{"status":"online"}', 'offline'.repeat(9_999)]) {
      expect(status(other)).toMatchObject({ reason: 'invalid', macAddress: 'aabbccddee01' })
    }
  })

  it('learns nothing from a status topic that all devices share', () => {
    expect(decode(decoder, 'esp32/all', 'offline')).toEqual({ reports: [] })
  })

  it.each(hopeless)('refuses %s', (_, payload, reason) => {
    expect(reasonFor(decoder, 'esp32/state', payload)).toBe(reason)
    expect(reasonFor(decoder, 'esp32/telemetry', payload)).toBe(reason)
  })

  const bad: readonly (readonly [what: string, topic: string, payload: object])[] = [
    ...['mac', 'switches'].map((key) => [`a snapshot without ${key}`, 'state', without(snapshot, key)] as const),
    ...['mac', 'gpio', 'state', 'timestamp', 'type'].map(
      (key) => [`an event without ${key}`, 'telemetry', without(event, key)] as const,
    ),
    ...['mac', 'gpio', 'state', 'timestamp'].map(
      (key) => [`a press without ${key}`, 'telemetry', without(press, key)] as const,
    ),
    ['a heartbeat without mac', 'telemetry', without(heartbeat, 'mac')],
    ['a gpio that is a text', 'telemetry', { ...event, gpio: '16' }],
    ['a gpio between two', 'telemetry', { ...event, gpio: 16.5 }],
    ['a gpio below none', 'telemetry', { ...event, gpio: -1 }],
    ['a gpio past all', 'telemetry', { ...event, gpio: 256 }],
    ['a state that is a number', 'telemetry', { ...event, state: 1 }],
    ['a state that is a text', 'telemetry', { ...event, state: 'true' }],
    ['a type that nobody knows', 'telemetry', { ...event, type: 'reset' }],
    ['a time before the boot', 'telemetry', { ...event, timestamp: -1 }],
    ['a time past the wrap', 'telemetry', { ...event, timestamp: 2 ** 32 + 1 }],
    ['a time that is a text', 'telemetry', { ...event, timestamp: '812345' }],
    ['a time that overflows', 'telemetry', { ...event, timestamp: null }],
    ['a mac that is too short', 'telemetry', { ...event, mac: 'AA:BB' }],
    ['a mac that is an object', 'telemetry', { ...event, mac: { $gt: '' } }],
    ['switches that are an object', 'state', { ...snapshot, switches: { 0: {} } }],
    ['a relay that is null', 'state', { ...snapshot, switches: [null] }],
    ['a relay without a state', 'state', { ...snapshot, switches: [{ gpio: 16 }] }],
    ['more relays than there can be', 'state', { ...snapshot, switches: Array(65).fill({ gpio: 1, state: true }) }],
    ['an event on the topic of snapshots', 'state', event],
    ['a snapshot on the topic of events', 'telemetry', snapshot],
  ]

  it.each(bad)('refuses %s', (_, topic, payload) => {
    const decoding = decode(decoder, `esp32/${topic}`, payload)
    expect(decoding).toMatchObject({ reason: 'invalid' })
    expect(JSON.stringify(decoding)).not.toContain(secret)
  })

  it.each([
    ['missing', without(snapshot, 'secret')],
    ['null', { ...snapshot, secret: null }],
    ['empty', { ...snapshot, secret: '' }],
    ['too long', { ...snapshot, secret: 's'.repeat(257) }],
    ['an object', { ...snapshot, secret: { $ne: null } }],
    ['a number', { ...snapshot, secret: 1234567890123456 }],
  ])('takes a secret that is %s for one that proves nothing', (_, payload) => {
    expect(decode(decoder, 'esp32/state', payload)).toMatchObject({
      reports: [{ kind: 'snapshot', credential: { kind: 'none' } }],
    })
    const moved = { ...event, secret: (payload as { secret?: unknown }).secret }
    expect(decode(decoder, 'esp32/telemetry', moved)).toMatchObject({ reports: [{ credential: { kind: 'none' } }] })
  })

  it('leaves it to others which relays of a snapshot can be used, as long as one can', () => {
    const switches = [{ gpio: 16, state: true }, null, { gpio: 17, state: 'on' }]
    expect(decode(decoder, 'esp32/state', { ...snapshot, switches })).toMatchObject({
      reports: [{ switches: [{ gpio: 16, on: true }, null, { gpio: 17, on: 'on' }] }],
    })
  })

  it('takes null for not reported, and a heartbeat whatever else it says', () => {
    const nulls = { userId: null, userName: null, source: null }
    expect(decode(decoder, 'esp32/telemetry', { ...event, ...nulls })).toHaveProperty('reports')
    const odd = { userName: 'n'.repeat(257), source: 'magic' }
    expect(decode(decoder, 'esp32/telemetry', { ...event, ...odd })).toMatchObject({
      reports: [{ userName: odd.userName, cause: 'magic' }],
    })
    expect(decode(decoder, 'esp32/telemetry', { ...heartbeat, heap: '?', uptime: -1 })).toHaveProperty('reports')
  })

  it('says which device a refused message names, and which fields are wrong, but not what they hold', () => {
    expect(decode(decoder, 'esp32/telemetry', { ...event, gpio: 'here is my password' })).toEqual({
      reason: 'invalid',
      detail: 'missing or not as expected: gpio',
      macAddress: mac,
    })
  })

  it('finds a message that was cut anywhere to be cut, and never makes a report of it', () => {
    const whole = JSON.stringify({ ...event, userName: 'A "quoted" näme' })
    for (let length = 1; length < Buffer.byteLength(whole); length += 1) {
      const decoding = decode(decoder, 'esp32/telemetry', Buffer.from(whole).subarray(0, length))
      expect(decoding).toMatchObject({ reason: 'truncated' })
      if (length > 26) expect(decoding).toMatchObject({ macAddress: mac })
    }
  })

  it('is not led astray by the names of prototypes', () => {
    for (const key of prototypeKeys) {
      const payload = `{"${key}":{"gpio":16,"state":true},${JSON.stringify(without(event, 'gpio')).slice(1)}`
      expect(reasonFor(decoder, 'esp32/telemetry', payload)).toBe('invalid')
    }
    expect({}).not.toHaveProperty('gpio')
  })

  it('answers to whatever comes, always the same', () => {
    const anything = fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from), fc.string().map(Buffer.from))
    const topics = fc.constantFrom('esp32/state', 'esp32/telemetry', 'esp32/status/aabbccddee01', 'esp32/all')
    fc.assert(
      fc.property(anything, topics, (payload, topic) => {
        expect(decoder.decode(topic, payload)).toEqual(decoder.decode(topic, payload))
      }),
    )
  })
})
