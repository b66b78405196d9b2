import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instantOfLocalTime } from '../../src/metering/index.js'
import { runs } from '../support/extent.js'

const utc = (text: string) => Date.parse(`${text}Z`)

describe('a local time without a zone', () => {
  it('is read in the zone', () => {
    expect(instantOfLocalTime('2024-01-01T05:30:00', 'Asia/Kolkata')).toEqual({
      instantMs: utc('2024-01-01T00:00'),
      ambiguous: false,
    })
    expect(instantOfLocalTime('2024-07-01T12:00', 'Europe/Berlin')).toEqual({
      instantMs: utc('2024-07-01T10:00'),
      ambiguous: false,
    })
    expect(instantOfLocalTime('2024-02-29T23:59:59.25', 'UTC')?.instantMs).toBe(utc('2024-02-29T23:59:59.250'))
    expect(instantOfLocalTime('2024-01-01T00:00:00.123999', 'UTC')?.instantMs).toBe(utc('2024-01-01T00:00:00.123'))
  })

  it('in the repeated hour is its earlier instant, or its second on demand, and ambiguous', () => {
    const text = '2024-10-27T02:30:00'

    expect(instantOfLocalTime(text, 'Europe/Berlin')).toEqual({ instantMs: utc('2024-10-27T00:30'), ambiguous: true })
    expect(instantOfLocalTime(text, 'Europe/Berlin', { second: true })).toEqual({
      instantMs: utc('2024-10-27T01:30'),
      ambiguous: true,
    })
  })

  it('is ambiguous from the first repeated moment until the last', () => {
    const ambiguous = (text: string) => instantOfLocalTime(text, 'Europe/Berlin')?.ambiguous

    expect(ambiguous('2024-10-27T01:59:59.999')).toBe(false)
    expect(ambiguous('2024-10-27T02:00:00')).toBe(true)
    expect(ambiguous('2024-10-27T02:59:59.999')).toBe(true)
    expect(ambiguous('2024-10-27T03:00:00')).toBe(false)
  })

  it('that is not repeated is the same on demand of a second', () => {
    const text = '2024-06-01T02:30:00'

    expect(instantOfLocalTime(text, 'Europe/Berlin', { second: true })).toEqual(
      instantOfLocalTime(text, 'Europe/Berlin'),
    )
  })

  it('that is skipped is later by as much as is skipped', () => {
    expect(instantOfLocalTime('2024-03-31T02:30', 'Europe/Berlin')).toEqual({
      instantMs: utc('2024-03-31T01:30'),
      ambiguous: false,
    })
    expect(instantOfLocalTime('2024-10-06T02:10', 'Australia/Lord_Howe')?.instantMs).toBe(utc('2024-10-05T15:40'))
    expect(instantOfLocalTime('2018-11-04T00:00', 'America/Sao_Paulo')?.instantMs).toBe(utc('2018-11-04T03:00'))
    expect(instantOfLocalTime('2011-12-30T12:00', 'Pacific/Apia')?.instantMs).toBe(utc('2011-12-30T22:00'))
  })

  it.each([
    '',
    'now',
    '2024-01-01',
    '2024-01-01 00:00:00',
    '2024-01-01T24:00:00',
    '2024-01-01T00:60:00',
    '2024-01-01T00:00:60',
    '2024-02-30T00:00:00',
    '2023-02-29T00:00:00',
    '2024-01-01T00:00:00Z',
    '2024-01-01T00:00:00+01:00',
    '2024-01-01T00:00:00.',
    '2024-1-1T0:0',
  ])('is not %j', (text) => expect(instantOfLocalTime(text, 'UTC')).toBeUndefined())

  it('refuses a zone that is not known', () => {
    expect(() => instantOfLocalTime('2024-01-01T00:00', 'Mars/Olympus')).toThrow(RangeError)
  })

  it('leads back to every instant from what clocks showed then, in every zone', () => {
    const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'))
    const seconds = fc.integer({ min: utc('1950-01-01T00:00') / 1_000, max: utc('2038-01-01T00:00') / 1_000 })
    fc.assert(
      fc.property(zone, seconds, (timeZone, second) => {
        const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
        const text = format.format(second * 1_000).replace(' ', 'T')
        const first = instantOfLocalTime(text, timeZone)
        const later = instantOfLocalTime(text, timeZone, { second: true })
        expect([first?.instantMs, later?.instantMs]).toContain(second * 1_000)
        expect(first?.ambiguous).toBe(first?.instantMs !== later?.instantMs)
      }),
      { numRuns: runs(500) },
    )
  })
})
