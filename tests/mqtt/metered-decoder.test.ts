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
      time: 1_763_715_600_000,
      sequence: 9,
      firmwareVersion: '3.0',
      vitals: { uptimeSeconds: 812, signalStrength: -61, freeHeap: 180_000, status: 'online' },
    })
  })

  // Whether a value can be used is for those to say who know what the switch is metered by.
  it('hands values on as they are', () => {
    const odd = { ...read, uptime_seconds: '812', signal_strength: null, wifi_rssi: 5000, power_w: '60', status: 7 }
    expect(reportOf({ ...odd, timestamp: 'yesterday', sequence_no: -1, switch_state: { s1: 'on' } })).toMatchObject({
      kind: 'reading',
      powerW: '60',
      on: 'on',
      time: 'yesterday',
      sequence: -1,
      vitals: { uptimeSeconds: '812', signalStrength: 5000, status: 7 },
    })
    for (const states of ['on', [true], 5])
      expect(reportOf({ ...read, switch_state: states })).toMatchObject({ on: states })
  })

  it('takes what may be left out, or null, for not reported', () => {
    expect(reportOf({ ...names, power_w: 5 })).toMatchObject({ kind: 'reading', powerW: 5, on: undefined })
    expect(reportOf({ ...read, timestamp: null, switch_state: null, sequence_no: null })).toMatchObject({
      kind: 'reading',
      time: null,
      on: null,
    })
    expect(reportOf(names)).toMatchObject({ kind: 'heartbeat' })
    expect(reportOf({ ...names, power_w: null, energy_wh_total: null })).toMatchObject({ kind: 'heartbeat' })
    expect(reportOf({ ...read, switch_state: { s1: null }, classroom: null })).toMatchObject({ kind: 'reading' })
  })

  it('takes the state of its own load, or of the only one', () => {
    const states = { s1: true, s2: false }
    expect(reportOf({ ...read, switch_state: states }, 'hall/telemetry')).toMatchObject({ on: false })
    expect(reportOf({ ...read, switch_state: states })).toMatchObject({ on: undefined })
    expect(reportOf({ ...read, switch_state: { toString: true } }, 'hall/telemetry')).toMatchObject({ on: undefined })
  })

  it('knows its load by the id in any spelling', () => {
    const id = '65f0c0ffee0000000000abcd'
    const own = meteredDecoder({ t: { device, gpio: 1, switchId: id.toUpperCase() } })
    const decoding = decode(own, 't', { ...read, switch_state: { [id]: false, s1: true } })
    expect('reports' in decoding && decoding.reports[0]).toMatchObject({ on: false })
  })

  it('takes a reading whoever it says it is, and a message without a reading only from who says so', () => {
    expect(reportOf({ power_w: 5 })).toMatchObject({ kind: 'reading', powerW: 5 })
    expect(reportOf({ ...read, esp32_name: { $gt: '' }, device_id: 5 })).toMatchObject({ kind: 'reading', device })
    expect(reasonFor(decoder, 'lab/telemetry', { power_w: null, command: 'restart' })).toBe('invalid')
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
