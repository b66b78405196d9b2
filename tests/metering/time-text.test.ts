import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instantOfLocalTime, parseTimeText } from '../../src/metering/index.js'

const instant = (ms: number) => ({ kind: 'instant', ms })
const local = (text: string) => ({ kind: 'local', text })
const nineUtc = Date.UTC(2026, 10, 21, 9, 0, 5)

describe('a text that is a time', () => {
  it.each([
    ['2026-11-21T09:00:05Z', instant(nineUtc)],
    ['2026-11-21T09:00:05.000Z', instant(nineUtc)],
    ['2026-11-21t09:00:05z', instant(nineUtc)],
    ['2026-11-21 09:00:05z', instant(nineUtc)],
    ['2026-11-21 14:30:05+05:30', instant(nineUtc)],
    ['2026-11-20T23:59:05-09:01', instant(nineUtc)],
    ['2026-11-21T09:00:05-00:00', instant(nineUtc)],
    ['2026-11-21T09:00:05.1Z', instant(nineUtc + 100)],
    ['2026-11-21T09:00:05.123999999999Z', instant(nineUtc + 123)],
    ['2024-02-29T00:00:00Z', instant(Date.UTC(2024, 1, 29))],
    ['0000-01-01T00:00:00Z', instant(Date.parse('0000-01-01T00:00:00Z'))],
    // The examples of RFC 3339, section 5.8.
    ['1990-12-31T23:59:60Z', instant(Date.UTC(1991, 0, 1))],
    ['1990-12-31T15:59:60-08:00', instant(Date.UTC(1991, 0, 1))],
    ['2026-11-21T14:30:05', local('2026-11-21T14:30:05')],
    ['2026-11-21 14:30:05', local('2026-11-21T14:30:05')],
    ['2026-11-21t14:30:05.25', local('2026-11-21T14:30:05.25')],
    ['2026-11-21T14:30:05.1234567891234', local('2026-11-21T14:30:05.123456789')],
  ])('is %s', (text, expected) => expect(parseTimeText(text)).toEqual(expected))
})

describe('a text in another form', () => {
  it.each([
    '',
    'now',
    'yesterday Z',
    '02/01/2026 10:00:00+00:00',
    '2026-11-21',
    '2026-11-21Z',
    '2026-11-21T09:00Z',
    '2026-11-21T09:00',
    '2026-11-21T09Z',
    '2026-11-21T09:00:05+0530',
    '2026-11-21T09:00:05+05',
    '2026-11-21T09:00:05+24:00',
    '2026-11-21T09:00:05+05:60',
    '2026-11-21T09:00:05 Z',
    '2026-11-21T09:00:05Z ',
    ' 2026-11-21T09:00:05Z',
    '2026-11-21T09:00:05Z\n',
    '2026-11-21  09:00:05',
    '2026-11-21_09:00:05',
    '2026-11-21T09:00:05.Z',
    '2026-11-21T09:00:05,5Z',
    '2026-11-21T09:00:05UTC',
    '2026-11-21T09:00:05 Europe/Berlin',
    '2026-11-21T09:00:05[Europe/Berlin]',
    '2026-11-21T24:00:00Z',
    '2026-11-21T09:60:00Z',
    '2026-11-21T09:00:61Z',
    '2026-11-21T09:00:60Z',
    '2026-11-21T23:59:60',
    '2026-02-30T00:00:00Z',
    '2023-02-29T00:00:00',
    '2026-00-10T00:00:00Z',
    '2026-13-10T00:00:00Z',
    '26-11-21T09:00:05Z',
    '+002026-11-21T09:00:05Z',
    '-000001-01-01T00:00:00Z',
    '20261121T090005Z',
    'Sat, 21 Nov 2026 09:00:05 GMT',
    '1763715600000',
    '٢٠٢٦-11-21T09:00:05Z',
    `2026-11-21T09:00:05.${'0'.repeat(100)}Z`,
  ])('is no time: %j', (text) => expect(parseTimeText(text)).toBeUndefined())
})

it('is what it was written from, in either separator and case', () => {
  const ms = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2199, 11, 31) })
  fc.assert(
    fc.property(
      ms,
      fc.constantFrom('T', 't', ' '),
      fc.constantFrom('Z', 'z', '+00:00', ''),
      (atMs, separator, zone) => {
        const text = new Date(atMs).toISOString().replace('T', separator).replace('Z', zone)
        const time = parseTimeText(text)
        const readMs = time?.kind === 'local' ? instantOfLocalTime(time.text, 'UTC')?.instantMs : time?.ms
        expect([time?.kind, readMs]).toEqual([zone === '' ? 'local' : 'instant', atMs])
      },
    ),
  )
})
