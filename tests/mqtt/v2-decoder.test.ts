import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAuthentic } from '../../src/ingestion/credential.js'
import type { Decoding } from '../../src/ingestion/report.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'
import { bareMac, decode, hopeless, prototypeKeys, reasonFor, secret } from './support/payloads.js'

const decoder = v2Decoder()
const topicOf = (kind: string) => `autovolt/v2/${bareMac}/${kind}`
const from = { device: { macAddress: bareMac }, credential: { kind: 'broker' } }

const envelope = { id: '17-204', boot: '17', seq: 204, time: 1_763_715_600_000, firmware: '2.1.0' }
const told = {
  messageId: '17-204',
  boot: '17',
  sequence: 204,
  time: 1_763_715_600_000,
  firmwareVersion: '2.1.0',
}
const moved = { ...envelope, gpio: 16, state: true, cause: 'manual', userId: 'u-81', userName: 'A. Rao' }
const read = { ...envelope, gpio: 16, state: true, powerW: 61.5, energyWh: 10_482.7, voltageV: 231.2, currentA: 0.27 }
const without = (object: object, key: string) =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))

describe('the decoder of version 2', () => {
  it('listens to its topics, whose messages carry their own order', () => {
    expect(decoder).toMatchObject({
      order: 'device',
      filters: ['switch', 'refused', 'firmware_failed', 'power', 'heartbeat', 'status'].map(
        (kind) => `autovolt/v2/+/${kind}`,
      ),
    })
    expect(v2Decoder({ prefix: 'lab' }).filters[0]).toBe('lab/v2/+/switch')
  })

  it.each([
    [
      'a relay that was moved',
      'switch',
      moved,
      { kind: 'switch', ...told, gpio: 16, on: true, cause: 'manual', userId: 'u-81', userName: 'A. Rao' },
    ],
    [
      'a relay that was moved for no known cause',
      'switch',
      without(moved, 'cause'),
      { kind: 'switch', cause: undefined },
    ],
    [
      'a meter',
      'power',
      { ...read, powerFactor: 0.98, temperatureC: 41.5 },
      {
        kind: 'reading',
        ...told,
        gpio: 16,
        on: true,
        powerW: 61.5,
        energyWh: 10_482.7,
        voltage: 231.2,
        current: 0.27,
        powerFactor: 0.98,
        temperature: 41.5,
      },
    ],
    ['a meter that produces', 'power', { ...read, powerW: -61.5 }, { kind: 'reading', powerW: -61.5 }],
    ['a meter without a counter', 'power', without(read, 'energyWh'), { kind: 'reading', powerW: 61.5 }],
    // Whether the values can be is for those to say who know the device.
    ['a meter that says nothing', 'power', { ...envelope, gpio: 16 }, { kind: 'reading', powerW: undefined }],
    ['a heartbeat', 'heartbeat', { ...envelope, uptimeMs: 812_345 }, { kind: 'heartbeat', ...told }],
    ['a device whose clock is not set', 'heartbeat', without(envelope, 'time'), { kind: 'heartbeat', time: undefined }],
    ['online', 'status', { status: 'online', boot: '17' }, { kind: 'status', online: true }],
    ['a last will', 'status', { status: 'offline' }, { kind: 'status', online: false }],
  ])('understands %s', (_, kind, payload, report) => {
    expect(decode(decoder, topicOf(kind), payload)).toMatchObject({ reports: [{ ...from, ...report }] })
  })

  it.each(hopeless)('refuses %s', (_, payload, reason) => {
    for (const kind of ['switch', 'power', 'heartbeat', 'status']) {
      expect(decode(decoder, topicOf(kind), payload)).toMatchObject({ reason, macAddress: bareMac })
    }
  })

  const bad: [what: string, kind: string, payload: object, reason?: string][] = [
    ...['id', 'boot', 'seq', 'gpio', 'state'].map((key): [string, string, object] => [
      `a moved relay without ${key}`,
      'switch',
      without(moved, key),
    ]),
    ...['id', 'boot', 'seq', 'gpio'].map((key): [string, string, object] => [
      `a reading without ${key}`,
      'power',
      without(read, key),
    ]),
    ...['id', 'boot', 'seq'].map((key): [string, string, object] => [
      `a heartbeat without ${key}`,
      'heartbeat',
      without(envelope, key),
    ]),
    ['an id that is empty', 'heartbeat', { ...envelope, id: '' }],
    ['an id that is too long', 'heartbeat', { ...envelope, id: 'i'.repeat(65) }],
    ['an id that is a number', 'heartbeat', { ...envelope, id: 17 }],
    ['a boot that is an object', 'heartbeat', { ...envelope, boot: { $ne: '' } }],
    ['a sequence that is negative', 'heartbeat', { ...envelope, seq: -1 }],
    ['a sequence between two', 'heartbeat', { ...envelope, seq: 1.5 }],
    ['a sequence that no double can tell from the next', 'heartbeat', { ...envelope, seq: 2 ** 53 }],
    ['a state that is a number', 'switch', { ...moved, state: 1 }],
    ['a gpio past all', 'switch', { ...moved, gpio: 256 }],
    ['a status that nobody knows', 'status', { status: 'asleep' }],
    ['a topic that is not of version 2', 'reboot', envelope, 'unknown_topic'],
    ['a command, which is for devices', 'command', { id: 'x', time: 1, gpio: 16, state: true }, 'unknown_topic'],
  ]

  it.each(bad)('refuses %s, and says whose it was', (_, kind, payload, reason = 'invalid') => {
    expect(decode(decoder, topicOf(kind), payload)).toMatchObject({ reason, macAddress: bareMac })
  })

  // Whether a value can be used is for those to say who know what the switch is metered by.
  it.each([
    { powerW: '61.5' },
    { powerW: null },
    { energyWh: {} },
    { voltageV: 1e7 },
    { powerFactor: 1.5 },
    { state: 1 },
    { time: 'yesterday' },
    { time: [1] },
  ])('hands values on as they are: %j', (odd) => {
    const [value] = Object.values(odd)
    const decoding = decode(decoder, topicOf('power'), { ...read, ...odd })
    expect('reports' in decoding && Object.values(decoding.reports[0] ?? {})).toContainEqual(value)
  })

  it.each(['AABBCCDDEE01', 'aabbccddeE01', 'aa:bb:cc:dd:ee:01', 'aa-bb-cc-dd-ee-01', ' aabbccddee01', 'aabbccddee0'])(
    'takes nothing on a topic with the address %j, which an access control list need not know',
    (address) => {
      expect(reasonFor(decoder, `autovolt/v2/${address}/switch`, moved)).toBe('unknown_topic')
    },
  )

  it('takes null for not reported', () => {
    const nulls = { time: null, firmware: null, cause: null, userId: null, userName: null }
    const decoding = decode(decoder, topicOf('switch'), { ...moved, ...nulls })
    expect(decoding).toMatchObject({ reports: [{ kind: 'switch', cause: null, time: null }] })
    expect(decode(decoder, topicOf('status'), { status: 'online', boot: null })).toHaveProperty('reports')
  })

  it('takes a number that overflows for infinite, and leaves the judgement to others', () => {
    const payload = JSON.stringify(read).replace('61.5', '1e999')
    expect(decode(decoder, topicOf('power'), payload)).toMatchObject({
      reports: [{ powerW: Number.POSITIVE_INFINITY }],
    })
  })

  it('finds a message that was cut anywhere to be cut', () => {
    const whole = Buffer.from(JSON.stringify(moved))
    for (let length = 1; length < whole.length; length += 1) {
      expect(reasonFor(decoder, topicOf('switch'), whole.subarray(0, length))).toBe('truncated')
    }
  })

  it('is not led astray by the names of prototypes', () => {
    for (const key of prototypeKeys) {
      const payload = `{"${key}":{"gpio":16},${JSON.stringify(without(moved, 'gpio')).slice(1)}`
      expect(reasonFor(decoder, topicOf('switch'), payload)).toBe('invalid')
    }
  })

  it('answers to whatever comes, always the same', () => {
    const anything = fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from))
    const kinds = fc.constantFrom('switch', 'power', 'heartbeat', 'status', 'nonsense', '')
    fc.assert(
      fc.property(anything, kinds, (payload, kind) => {
        expect(decoder.decode(topicOf(kind), payload)).toEqual(decoder.decode(topicOf(kind), payload))
      }),
    )
  })
})

describe('a signed message of version 2', () => {
  const proof = { secret, required: 'signature' } as const
  const topic = topicOf('switch')
  const sign = (message: object, key = secret, forTopic = topic) => {
    const unsigned = JSON.stringify(message).slice(0, -1)
    return `${unsigned},"hmac":"${createHmac('sha256', key).update(`${forTopic}\n${unsigned}`).digest('hex')}"}`
  }
  const isTaken = (payload: string, onTopic = topic) => {
    const decoding: Decoding = decode(decoder, onTopic, payload)
    return 'reports' in decoding && decoding.reports.every(({ credential }) => isAuthentic(credential, proof))
  }
  const right = sign(moved)

  it('proves to be its device’s, with digits in either case', () => {
    expect(isTaken(right)).toBe(true)
    expect(isTaken(right.replace(/"hmac":"(.*)"/, (_, digits: string) => `"hmac":"${digits.toUpperCase()}"`))).toBe(
      true,
    )
  })

  it.each([
    ['another key', sign(moved, 'another-device-secret-01')],
    ['the secret of nobody', sign(moved, '')],
    ['another topic', sign(moved, secret, topicOf('power'))],
    ['a member changed', right.replace('"state":true', '"state":false')],
    ['a member added', right.replace('{', '{"gpio":17,')],
    ['no signature', JSON.stringify(moved)],
    ['an empty signature', JSON.stringify({ ...moved, hmac: '' })],
    ['a signature of zeros', JSON.stringify({ ...moved, hmac: '0'.repeat(64) })],
    ['a signature that is not the last member', right.replace(/\}$/, ',"more":1}')],
    ['a space before the signature', right.replace(',"hmac"', ', "hmac"')],
    ['a second signature', right.replace(/\}$/, `,"hmac":"${'0'.repeat(64)}"}`)],
    ['a digit missing', right.replace(/.("\})$/, '$1')],
  ])('is not believed with %s', (_, payload) => {
    expect(isTaken(payload)).toBe(false)
  })

  it('is believed with the terminator of a text in C behind it', () => {
    expect(isTaken(`${right}\0`)).toBe(true)
  })

  it('is not believed on the topic of another device', () => {
    expect(isTaken(right, 'autovolt/v2/aabbccddee02/switch')).toBe(false)
  })

  it('is not believed by a device that has no secret', () => {
    const decoding = decode(decoder, topic, right)
    const credential = 'reports' in decoding ? decoding.reports[0]?.credential : undefined
    expect(credential !== undefined && isAuthentic(credential, { secret: undefined, required: 'broker' })).toBe(false)
  })
})
