import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { validateData } from '../../src/core/validate.js'
import { measurementEntity } from '../../src/energy/measurement/measurement.js'
import { admittedReport } from '../../src/ingestion/admitted-report.js'
import { notAReading } from '../../src/ingestion/ledger-event.js'
import type { GivenReport } from '../../src/ingestion/report.js'
import { aMeasurement } from '../support/builders.js'

const from = { device: { macAddress: 'aa-bb-cc-dd-ee-01' }, credential: { kind: 'broker' } } as const
const reading = (values: object) => ({ kind: 'reading', ...from, gpio: 16, ...values }) as GivenReport
const admitted = (given: unknown) => admittedReport(given as GivenReport)
const leftOutOf = (given: GivenReport) => {
  const report = admittedReport(given)
  return 'kind' in report ? (report.leftOut ?? []) : undefined
}

describe('a reading of any decoder', () => {
  const unusable = ['61.5', '', [], {}, true, Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1e300]
  const names = ['powerW', 'energyWh', 'voltage', 'current', 'powerFactor', 'frequency', 'temperature'] as const

  it.each(names)('takes null as %s for not reported', (name) => {
    expect(admitted(reading({ [name]: null }))).toEqual(admitted(reading({})))
    expect(leftOutOf(reading({ [name]: undefined }))).toEqual([])
  })

  it.each(names)('is left without %s where that is none, and says so', (name) => {
    for (const value of unusable.filter((one) => one !== '')) {
      const report = admitted(reading({ [name]: value, on: true }))
      expect(report).toMatchObject({ kind: 'reading', on: true, [name]: undefined, leftOut: [name] })
    }
  })

  it('is none only if what the switch is metered by cannot be used, or nothing can', () => {
    const refusal = (energySource: 'counter' | 'power' | 'rated', values: object) => {
      const report = admittedReport(reading(values))
      return 'kind' in report && report.kind === 'reading' ? notAReading(report, { energySource }) : 'no reading'
    }
    expect(refusal('power', { powerW: 5, energyWh: 'x', voltage: 'x' })).toBeUndefined()
    expect(refusal('power', { powerW: 'x', energyWh: 5 })).toMatch(/power/)
    expect(refusal('counter', { powerW: 'x', energyWh: 5 })).toBeUndefined()
    expect(refusal('counter', { powerW: 5, energyWh: -1 })).toMatch(/counter/)
    expect(refusal('rated', { powerW: 5, energyWh: 'x' })).toBeUndefined()
    expect(refusal('rated', { powerW: 'x', energyWh: null })).toMatch(/neither/)
    expect(refusal('power', { powerW: null, energyWh: null })).toMatch(/neither/)
    expect(refusal('power', { powerW: 0, energyWh: null })).toBeUndefined()
  })

  it('has no value that a time series would refuse', () => {
    const value = fc.oneof(fc.double(), fc.integer(), fc.anything())
    fc.assert(
      fc.property(fc.record(Object.fromEntries(names.map((name) => [name, value]))), (values) => {
        const report = admittedReport(reading(values))
        if (!('kind' in report) || report.kind !== 'reading') throw new Error('no reading')
        const { powerW: power, energyWh: counter_wh, voltage, current, powerFactor: power_factor, frequency } = report
        const fields = { power, counter_wh, voltage, current, power_factor, frequency }
        const measurement = { ...aMeasurement(), ...fields }
        expect(() => validateData(measurementEntity.inputSchema, measurement)).not.toThrow()
      }),
    )
  })
})

describe('a report of any decoder', () => {
  it('names its device in one spelling', () => {
    for (const macAddress of ['AA:BB:CC:DD:EE:01', 'aabbccddee01', 'aabb.ccdd.ee01', 'aa-bb-cc-dd-ee-01'])
      expect(admitted({ ...reading({}), device: { macAddress } })).toMatchObject({
        device: { macAddress: 'AA:BB:CC:DD:EE:01' },
      })
    expect(admitted({ ...reading({}), device: { deviceId: '65F0C0FFEE0000000000ABCD' } })).toMatchObject({
      device: { deviceId: '65f0c0ffee0000000000abcd' },
    })
  })

  it('has a time only if that is one, in one grammar', () => {
    const timeOf = (time: unknown) => {
      const report = admitted({ ...reading({}), time })
      return 'kind' in report ? report.time : 'refused'
    }
    const texts: [text: string, time: unknown][] = [
      ['2026-11-21 14:30:05', { kind: 'local', text: '2026-11-21T14:30:05' }],
      ['2026-11-21t14:30:05z', { kind: 'instant', ms: Date.UTC(2026, 10, 21, 14, 30, 5) }],
      ['2026-11-21 14:30:06+05:30', { kind: 'instant', ms: Date.UTC(2026, 10, 21, 9, 0, 6) }],
      ['02/01/2026 10:00:00+00:00', undefined],
      ['yesterday Z', undefined],
    ]
    for (const [text, time] of texts) {
      expect([text, timeOf(text)]).toEqual([text, time])
      expect(timeOf({ kind: 'local', text })).toEqual(time)
    }
    expect(timeOf(1_763_715_600_000)).toEqual({ kind: 'instant', ms: 1_763_715_600_000 })
    expect(timeOf({ kind: 'instant', ms: -1 })).toEqual({ kind: 'instant', ms: -1 })
    expect(timeOf({ kind: 'uptime', ms: 5 })).toEqual({ kind: 'uptime', ms: 5 })
    for (const none of [null, undefined, '']) {
      expect([timeOf(none), leftOutOf(reading({ time: none }))]).toEqual([undefined, []])
    }
    const uptimes = [-1, 2 ** 32 + 1, '5'].map((ms) => ({ kind: 'uptime', ms }))
    const instants = [undefined, '5', Number.NaN].map((ms) => ({ kind: 'instant', ms }))
    for (const none of [{}, [1], true, 'now', { kind: 'local' }, ...uptimes, ...instants]) {
      expect([timeOf(none), leftOutOf(reading({ time: none }))]).toEqual([undefined, ['time']])
    }
  })

  it('leaves out what cannot be used of what the device says of itself', () => {
    const vitals = { uptimeSeconds: -1, signalStrength: -61, freeHeap: '5', status: 's'.repeat(51) }
    expect(admitted({ kind: 'heartbeat', ...from, vitals, firmwareVersion: 'f'.repeat(101) })).toMatchObject({
      vitals: { signalStrength: -61 },
      firmwareVersion: undefined,
      leftOut: ['firmwareVersion', 'uptimeSeconds', 'freeHeap', 'status'],
    })
    for (const none of [null, undefined, 'x', { status: '' }])
      expect(admitted({ kind: 'heartbeat', ...from, vitals: none })).not.toHaveProperty('leftOut')
  })

  it('is a move whoever and whatever caused it', () => {
    const moved = { kind: 'switch', ...from, gpio: 16, on: true }
    const odd = { cause: 'magic', userId: 81, userName: 'n'.repeat(257), sequence: -1 }
    expect(admitted({ ...moved, ...odd })).toMatchObject({
      ...{ kind: 'switch', on: true, cause: 'unknown', userId: undefined, userName: undefined, sequence: undefined },
      leftOut: ['sequence', 'cause', 'userId', 'userName'],
    })
    expect(admitted({ ...moved, cause: null, userName: '' })).toMatchObject({ cause: 'unknown', userName: undefined })
    expect(admitted({ ...moved, cause: null, userName: '' })).not.toHaveProperty('leftOut')
    expect(admitted({ ...moved, cause: 'schedule', userId: 'u-81' })).toMatchObject({
      cause: 'schedule',
      userId: 'u-81',
    })
  })

  it.each([
    ['no kind', { ...reading({}), kind: 'wish' }],
    ['no device', { ...reading({}), device: null }],
    ['a device that is a text', { ...reading({}), device: 'AA:BB:CC:DD:EE:01' }],
    ['a gpio that is a text', reading({ gpio: '16' })],
    ['a gpio past all', reading({ gpio: 256 })],
    ['no credential', { ...reading({}), credential: undefined }],
    ['an identity that is too long', { ...reading({}), messageId: 'm'.repeat(129) }],
    ['half a character as identity', { ...reading({}), messageId: '\ud83d' }],
    ['a move to no state', { kind: 'switch', ...from, gpio: 16, on: 'on', cause: 'manual' }],
    ['relays that are no list', { kind: 'snapshot', ...from, switches: {} }],
    ['more relays than there can be', { kind: 'snapshot', ...from, switches: Array(65).fill({ gpio: 1, on: true }) }],
    ['no state of the device', { kind: 'status', ...from, online: 'yes' }],
    ['nothing', null],
  ])('is refused with %s', (_, given) => {
    expect(admitted(given)).toMatchObject({ reason: 'invalid', detail: expect.not.stringContaining('magic') })
  })

  it('is the same whatever else it has, and answers to anything', () => {
    fc.assert(fc.property(fc.anything(), (given) => void expect(admitted(given)).toHaveProperty('reason', 'invalid')))
    expect(admitted({ ...reading({ powerW: 5 }), more: 1, leftOut: ['x'] })).toEqual(admitted(reading({ powerW: 5 })))
  })
})

describe('a snapshot of any decoder', () => {
  const relays = (switches: readonly unknown[]) => admitted({ kind: 'snapshot', ...from, switches })
  const [on, off] = [true, false].map((state) => ({ gpio: 16, on: state }))

  it('keeps its good relays beside the others', () => {
    const others = [null, 5, {}, { gpio: 17 }, { gpio: 'x', on: true }, { gpio: 18, on: 1 }, { gpio: -1, on: true }]
    for (const other of others) {
      expect(relays([other, on])).toMatchObject({ switches: [on], unusableSwitches: [0] })
      expect(relays([on, other])).toMatchObject({ switches: [on], unusableSwitches: [1] })
    }
    expect(relays([on])).toMatchObject({ switches: [on], unusableSwitches: undefined })
  })

  it('has no relay in two states', () => {
    expect(relays([on, { gpio: 17, on: true }, off])).toMatchObject({
      switches: [{ gpio: 17, on: true }],
      unusableSwitches: [0, 2],
    })
    expect(relays([on, on])).toMatchObject({ switches: [on, on], unusableSwitches: undefined })
  })
})
