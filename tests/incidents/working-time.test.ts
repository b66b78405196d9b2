import fc from 'fast-check'
import { expect, it } from 'vitest'
import { afterWorkingTime, type WorkingSite } from '../../src/incidents/cases/working-time.js'

const hourMs = 3_600_000
const weekdays = [1, 2, 3, 4, 5]

function site(overrides: Partial<WorkingSite> = {}): WorkingSite {
  const workingHours = [{ weekdays, from: '09:00', until: '17:00' }]
  return { timeZone: 'Asia/Kolkata', workingHours, holidays: new Set(), ...overrides }
}

const after = (start: string, hours: number, at = site()) =>
  afterWorkingTime(new Date(start), hours * hourMs, at)?.toISOString()

it('counts all hours where nothing is said of working hours', () => {
  expect(after('2026-03-06T22:00:00Z', 8, site({ workingHours: undefined }))).toBe('2026-03-07T06:00:00.000Z')
})

it('goes on the next morning, and over a weekend on Monday', () => {
  // Friday 15:00 in Kolkata: two hours until 17:00, two more from Monday 09:00.
  expect(after('2026-03-06T09:30:00Z', 4)).toBe('2026-03-09T05:30:00.000Z')
  // Before and after the hours it begins with the next ones.
  expect(after('2026-03-09T00:00:00Z', 1)).toBe('2026-03-09T04:30:00.000Z')
  expect(after('2026-03-09T14:00:00Z', 1)).toBe('2026-03-10T04:30:00.000Z')
  // Eight hours are the whole day.
  expect(after('2026-03-09T03:30:00Z', 8)).toBe('2026-03-09T11:30:00.000Z')
})

it('leaves holidays out', () => {
  expect(after('2026-03-06T11:30:00Z', 1, site({ holidays: new Set(['2026-03-09']) }))).toBe('2026-03-10T04:30:00.000Z')
})

it('counts hours that overlap once, and a day until its end', () => {
  const workingHours = [
    { weekdays, from: '09:00', until: '13:00' },
    { weekdays, from: '12:00', until: '14:00' },
  ]
  expect(after('2026-03-09T03:30:00Z', 5, site({ workingHours }))).toBe('2026-03-09T08:30:00.000Z')
  const late = [{ weekdays: [1], from: '20:00', until: '24:00' }]
  expect(after('2026-03-09T00:00:00Z', 4, site({ workingHours: late }))).toBe('2026-03-09T18:30:00.000Z')
})

it('counts the hours that there are on a day on which clocks change', () => {
  const night = { timeZone: 'Europe/Berlin', workingHours: [{ weekdays: [7], from: '01:00', until: '05:00' }] }
  // From 01:00 to 05:00 three hours go by on 29 March 2026, and five on 25 October.
  expect(after('2026-03-28T12:00:00Z', 3, site(night))).toBe('2026-03-29T03:00:00.000Z')
  expect(after('2026-10-24T12:00:00Z', 5, site(night))).toBe('2026-10-25T04:00:00.000Z')
})

it('is never due where nobody works', () => {
  const holidays = new Set(Array.from({ length: 900 }, (_, at) => dayAfter('2026-03-01', at)))
  expect(after('2026-03-02T00:00:00Z', 1, site({ holidays }))).toBeUndefined()
})

const dayAfter = (day: string, days: number) =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 24 * hourMs).toISOString().slice(0, 10)

it('agrees with counting minute by minute', () => {
  const clock = (minutes: number) => new Date(minutes * 60_000).toISOString().slice(11, 16)
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20_000 }),
      fc.integer({ min: 1, max: 1_500 }),
      fc.integer({ min: 0, max: 1_300 }),
      fc.integer({ min: 10, max: 130 }),
      fc.subarray(['2026-03-03', '2026-03-06', '2026-03-09']),
      (start, minutes, from, length, days) => {
        const startMs = Date.parse('2026-03-02T00:00:00Z') + start * 60_000
        const holidays = new Set(days)
        const workingHours = [{ weekdays, from: clock(from), until: clock(from + length) }]
        const found = afterWorkingTime(new Date(startMs), minutes * 60_000, site({ workingHours, holidays }))
        const foundMs = found?.getTime() ?? 0
        expect(minutesWorked(startMs, foundMs, from, from + length, holidays)).toBe(minutes)
        expect(minutesWorked(startMs, foundMs - 60_000, from, from + length, holidays)).toBe(minutes - 1)
      },
    ),
    { numRuns: 200 },
  )
})

/** Minute by minute, in a zone whose clocks never change. */
function minutesWorked(fromMs: number, untilMs: number, from: number, until: number, holidays: ReadonlySet<string>) {
  let worked = 0
  for (let atMs = fromMs; atMs < untilMs; atMs += 60_000) {
    const local = new Date(atMs + 5.5 * hourMs)
    const minute = 60 * local.getUTCHours() + local.getUTCMinutes()
    if (minute < from || minute >= until || local.getUTCDay() % 6 === 0) continue
    if (!holidays.has(local.toISOString().slice(0, 10))) worked += 1
  }
  return worked
}
