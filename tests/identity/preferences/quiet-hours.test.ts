import { describe, expect, it } from 'vitest'
import { quietUntil } from '../../../src/identity/preferences/quiet-hours.js'
import { runPython } from '../../support/python.js'

/** Days on which clocks are put forward and back, one with half an hour, one at midnight. */
const days = [
  ['Asia/Kolkata', '2026-03-02T12:00:00+00:00'],
  ['Europe/Berlin', '2026-03-28T18:00:00+00:00'],
  ['Europe/Berlin', '2026-10-24T18:00:00+00:00'],
  ['Australia/Lord_Howe', '2026-04-04T06:00:00+00:00'],
  ['Australia/Lord_Howe', '2026-10-03T06:00:00+00:00'],
  ['Africa/Cairo', '2026-04-23T14:00:00+00:00'],
  ['America/St_Johns', '2011-11-05T20:00:00+00:00'],
] as const
const hours = [
  { from: '22:00', to: '07:00' },
  { from: '00:30', to: '02:30' },
  { from: '23:30', to: '00:00' },
  { from: '13:00', to: '14:00' },
] as const

describe.each(days)('in %s, from %s on', (zone, start) => {
  it.each(hours)(
    'quiet hours from $from to $to end when an independent clock shows their end',
    async ({ from, to }) => {
      const minutes = 1_300
      const { output } = await runPython('identity/preferences/quiet-hours.py', [
        zone,
        from,
        to,
        start,
        String(minutes),
      ])
      const expected = output.trim().split('\n')
      const ends = Array.from({ length: minutes }, (_, minute) => {
        const instant = new Date(Date.parse(start) + minute * 60_000)
        return quietUntil({ from, to }, instant, zone)?.toISOString() ?? '-'
      })
      expect(ends).toEqual(expected)
    },
  )
})

it('is the next beginning of hours that are the whole day', () => {
  const until = quietUntil({ from: '08:00', to: '08:00' }, new Date('2026-03-02T12:00:00Z'), 'UTC')
  expect(until?.toISOString()).toBe('2026-03-03T08:00:00.000Z')
})
