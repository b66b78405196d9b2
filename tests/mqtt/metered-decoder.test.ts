import { describe, expect, it } from 'vitest'
import { meteredDecoder } from '../../src/mqtt/metered-decoder.js'
import { decode, hopeless, reasonFor } from './support/payloads.js'

const device = { deviceId: '65f0c0ffee0000000000abcd' }
const decoder = meteredDecoder({
  'lab/telemetry': { device, gpio: 1 },
  'hall/telemetry': { device, gpio: 2, switchId: 's2' },
})
const names = { esp32_name: 'lab', classroom: 'Lab 1', device_id: 'd1' }
const read = {
  ...names,
  timestamp: 1_763_715_600_000,
  power_w: 60.5,
  energy_wh_total: 1000.25,
  switch_state: { s1: true },
  uptime_seconds: 812,
  status: 'online',
  firmware_ver: '3.0',
  signal_strength: -61,
  free_heap: 180_000,
  wifi_rssi: -61,
  sequence_no: 9,
}
const reportOf = (payload: object, topic = 'lab/telemetry') => {
  const decoding = decode(decoder, topic, payload)
  return 'reports' in decoding ? decoding.reports[0] : undefined
}

describe('the decoder of the metered build', () => {
  it('understands a reading, on the word of the broker', () => {
    expect(reportOf(read)).toEqual({
      kind: 'reading',
      device,
      credential: { kind: 'broker' },
      gpio: 1,
      on: true,
      powerW: 60.5,
      energyWh: 1000.25,
      time: { kind: 'instant', ms: 1_763_715_600_000 },
      sequence: 9,
      firmwareVersion: '3.0',
      vitals: { uptimeSeconds: 812, signalStrength: -61, freeHeap: 180_000, status: 'online' },
    })
  })

  it('takes a reading though what the device says of itself is none', () => {
    const odd = { ...read, uptime_seconds: '812', signal_strength: null, wifi_rssi: 5000, free_heap: -1, status: '' }
    expect(reportOf(odd)).toMatchObject({ kind: 'reading', powerW: 60.5, vitals: undefined })
  })

  it('takes what may be left out, or null, for not told', () => {
    expect(reportOf({ ...names, power_w: 5 })).toMatchObject({ kind: 'reading', powerW: 5, on: undefined })
    expect(reportOf({ ...read, timestamp: null, switch_state: null, sequence_no: null })).toMatchObject({
      kind: 'reading',
      time: undefined,
      on: undefined,
    })
    expect(reportOf(names)).toMatchObject({ kind: 'heartbeat' })
  })

  it.each([
    ['2026-11-21T09:00:05Z', { kind: 'instant', ms: Date.UTC(2026, 10, 21, 9, 0, 5) }],
    ['2026-11-21T14:30:05', { kind: 'local', text: '2026-11-21T14:30:05' }],
    ['not a time Z', undefined],
  ])('reads the time %s', (timestamp, time) => {
    expect(reportOf({ ...read, timestamp })?.time).toEqual(time)
  })

  it('takes the state of its own load, or of the only one', () => {
    const states = { s1: true, s2: false }
    expect(reportOf({ ...read, switch_state: states }, 'hall/telemetry')).toMatchObject({ on: false })
    expect(reportOf({ ...read, switch_state: states })).toMatchObject({ on: undefined })
    expect(reportOf({ ...read, switch_state: { toString: true } }, 'hall/telemetry')).toMatchObject({ on: undefined })
  })

  it.each([
    ['a power that is null', { ...read, power_w: null }, 'not_a_reading'],
    ['a power that is a text', { ...read, power_w: '60' }, 'not_a_reading'],
    ['a counter that is a list', { ...read, energy_wh_total: [1] }, 'not_a_reading'],
    ['a state that is a text', { ...read, switch_state: { s1: 'on' } }, 'invalid'],
    ['a sequence that is negative', { ...read, sequence_no: -1 }, 'invalid'],
    ['no name', { ...read, esp32_name: undefined }, 'invalid'],
    ['a name that is an object', { ...read, device_id: { $gt: '' } }, 'invalid'],
  ])('refuses %s', (_, payload, reason) => {
    expect(reasonFor(decoder, 'lab/telemetry', payload)).toBe(reason)
  })

  it.each(hopeless)('refuses %s', (_, payload, reason) => {
    expect(reasonFor(decoder, 'lab/telemetry', payload)).toBe(reason)
  })

  it('takes no topic that is not mapped, whatever its name', () => {
    for (const topic of ['lab/other', 'toString', '__proto__', 'constructor']) {
      expect(reasonFor(decoder, topic, read)).toBe('unknown_topic')
    }
  })
})
