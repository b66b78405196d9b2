import { expect, it } from 'vitest'
import { holdsAt } from '../../src/incidents/rules/rule-times.js'

const zone = 'Europe/Berlin'
const at = (text: string) => Date.parse(text)

it('holds always where no times are given', () => {
  expect(holdsAt(undefined, 0, zone)).toBe(true)
})

it('holds by the clocks of the site, and ends before its end', () => {
  const times = [{ weekdays: [1], from: '08:00', until: '18:00' }]
  // Monday, 30 March 2026: a day after the clocks were put on.
  expect(holdsAt(times, at('2026-03-30T05:59:59Z'), zone)).toBe(false)
  expect(holdsAt(times, at('2026-03-30T06:00:00Z'), zone)).toBe(true)
  expect(holdsAt(times, at('2026-03-30T15:59:59Z'), zone)).toBe(true)
  expect(holdsAt(times, at('2026-03-30T16:00:00Z'), zone)).toBe(false)
  expect(holdsAt(times, at('2026-03-31T08:00:00Z'), zone)).toBe(false)
})

it('goes over midnight with the weekday on which it began', () => {
  const times = [{ weekdays: [3], from: '22:00', until: '07:00' }]
  // Wednesday, 4 March 2026.
  expect(holdsAt(times, at('2026-03-04T20:59:00Z'), zone)).toBe(false)
  expect(holdsAt(times, at('2026-03-04T21:00:00Z'), zone)).toBe(true)
  expect(holdsAt(times, at('2026-03-05T05:59:00Z'), zone)).toBe(true)
  expect(holdsAt(times, at('2026-03-05T06:00:00Z'), zone)).toBe(false)
  expect(holdsAt(times, at('2026-03-04T03:00:00Z'), zone)).toBe(false)
})

it('is as long as the day is on which clocks are changed', () => {
  const times = [{ from: '00:00', until: '00:00' }]
  for (let hour = 0; hour < 25; hour += 1) {
    const start = at('2026-10-24T22:00:00Z')
    expect(holdsAt(times, start + hour * 3_600_000, zone)).toBe(true)
  }
})
