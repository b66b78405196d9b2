import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  civilDayOf,
  civilHourStart,
  civilMonthOf,
  civilSpans,
  cutsBetween,
  daysOfCivilMonth,
  endOfCivilDay,
  isTimeZone,
  nextCivilHour,
  startOfCivilDay,
} from '../../src/metering/index.js'
import { runs } from '../support/extent.js'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const utc = (text: string) => Date.parse(`${text}Z`)
const iso = (instantMs: number) => new Date(instantMs).toISOString().slice(0, 16)

const ZONES = [
  'UTC',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Havana',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Beirut',
  'Europe/Dublin',
  'America/St_Johns',
  'America/Goose_Bay',
]

/** What a clock in the zone shows, straight from Intl. */
function clock(timeZone: string) {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  const offset = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset', hour: 'numeric' })
  return {
    day: (instantMs: number) => format.format(instantMs).slice(0, 10),
    hour: (instantMs: number) =>
      `${format.format(instantMs).slice(0, 13)} ${offset.format(instantMs).split(' ').at(-1)}`,
  }
}

describe('civil days', () => {
  it('are those that clocks in the zone show', () => {
    for (const timeZone of ZONES) {
      const { day } = clock(timeZone)
      fc.assert(
        fc.property(fc.integer({ min: utc('1990-01-01T00:00'), max: utc('2037-12-31T00:00') }), (instantMs) => {
          expect(civilDayOf(instantMs, timeZone)).toBe(day(instantMs))
        }),
        { numRuns: runs(70) },
      )
    }
  })

  it('start at the first minute that clocks show them, in every week with a change of the clocks', () => {
    for (const timeZone of ZONES) {
      const { day } = clock(timeZone)
      for (const year of [2011, 2018, 2024]) {
        for (const changeMs of daysAroundChanges(timeZone, year)) {
          const date = day(changeMs)
          let startMs = Math.floor((changeMs - 30 * HOUR_MS) / MINUTE_MS) * MINUTE_MS
          while (day(startMs) < date) startMs += MINUTE_MS
          expect(iso(startOfCivilDay(date, timeZone))).toBe(iso(startMs))
        }
      }
    }
  })

  it('are of 23 and of 25 hours where clocks change', () => {
    const hours = (day: string, timeZone: string) =>
      (endOfCivilDay(day, timeZone) - startOfCivilDay(day, timeZone)) / HOUR_MS

    expect(hours('2024-03-31', 'Europe/Berlin')).toBe(23)
    expect(hours('2024-10-27', 'Europe/Berlin')).toBe(25)
    expect(hours('2024-03-10', 'America/New_York')).toBe(23)
    expect(hours('2024-11-03', 'America/New_York')).toBe(25)
    expect(hours('2024-10-06', 'Australia/Lord_Howe')).toBe(23.5)
    expect(hours('2024-04-07', 'Australia/Lord_Howe')).toBe(24.5)
    expect(hours('2024-06-01', 'Asia/Kathmandu')).toBe(24)
  })

  it('start at one where midnight does not exist', () => {
    expect(iso(startOfCivilDay('2018-11-04', 'America/Sao_Paulo'))).toBe('2018-11-04T03:00')
    expect(civilDayOf(utc('2018-11-04T02:59:59.999'), 'America/Sao_Paulo')).toBe('2018-11-03')
    expect(civilDayOf(utc('2018-11-04T03:00'), 'America/Sao_Paulo')).toBe('2018-11-04')
  })

  it('start at the first midnight where the hour after it is repeated', () => {
    expect(iso(startOfCivilDay('2024-11-03', 'America/Havana'))).toBe('2024-11-03T04:00')
  })

  it('are visited twice where clocks were put back from just after midnight to before it', () => {
    // Newfoundland until 2011: at 00:01 back to 23:01.
    const spans = (from: string, to: string) =>
      civilSpans({ from, to }, 'America/St_Johns').map(({ fromMs, toMs }) => [iso(fromMs), iso(toMs)])

    expect(spans('2010-11-06', '2010-11-06')).toEqual([
      ['2010-11-06T02:30', '2010-11-07T02:30'],
      ['2010-11-07T02:31', '2010-11-07T03:30'],
    ])
    expect(spans('2010-11-07', '2010-11-07')).toEqual([
      ['2010-11-07T02:30', '2010-11-07T02:31'],
      ['2010-11-07T03:30', '2010-11-08T03:30'],
    ])
    expect(spans('2010-11-06', '2010-11-07')).toEqual([['2010-11-06T02:30', '2010-11-08T03:30']])
    expect(cutsBetween(utc('2010-11-06T12:00'), utc('2010-11-07T12:00'), 'America/St_Johns', 'day').map(iso)).toEqual([
      '2010-11-07T02:30',
      '2010-11-07T02:31',
      '2010-11-07T03:30',
    ])
  })

  it('have the minutes that clocks show them, in days around every change of the clocks', () => {
    for (const timeZone of ZONES) {
      const { day } = clock(timeZone)
      for (const year of [2009, 2010, 2011, 2024]) {
        for (const changeMs of daysAroundChanges(timeZone, year)) {
          const date = day(changeMs)
          const spans = civilSpans({ from: date, to: date }, timeZone)
          expect(startOfCivilDay(date, timeZone)).toBe(spans[0]?.fromMs)
          expect(endOfCivilDay(date, timeZone)).toBe(spans.at(-1)?.toMs)
          const fromMs = Math.floor((changeMs - 30 * HOUR_MS) / MINUTE_MS) * MINUTE_MS
          const expected: number[] = []
          for (let atMs = fromMs; atMs < fromMs + 60 * HOUR_MS; atMs += MINUTE_MS)
            if (day(atMs) === date) expected.push(atMs)
          const minutes = spans.flatMap((span) =>
            Array.from({ length: (span.toMs - span.fromMs) / MINUTE_MS }, (_, at) => span.fromMs + at * MINUTE_MS),
          )
          expect(minutes).toEqual(expected)
        }
      }
    }
  })

  it('may not exist: Apia had no 30th of December 2011', () => {
    expect(endOfCivilDay('2011-12-29', 'Pacific/Apia')).toBe(startOfCivilDay('2011-12-31', 'Pacific/Apia'))
    expect(startOfCivilDay('2011-12-30', 'Pacific/Apia')).toBe(startOfCivilDay('2011-12-31', 'Pacific/Apia'))
    expect(endOfCivilDay('2011-12-30', 'Pacific/Apia')).toBe(startOfCivilDay('2011-12-30', 'Pacific/Apia'))
    expect(civilSpans({ from: '2011-12-30', to: '2011-12-30' }, 'Pacific/Apia')).toEqual([])
    expect(civilDayOf(utc('2011-12-30T09:59:59.999'), 'Pacific/Apia')).toBe('2011-12-29')
    expect(civilDayOf(utc('2011-12-30T10:00'), 'Pacific/Apia')).toBe('2011-12-31')
  })

  it('know leap years', () => {
    const isFollowedBy = (day: string, next: string) =>
      endOfCivilDay(day, 'Asia/Kolkata') === startOfCivilDay(next, 'Asia/Kolkata')

    expect(isFollowedBy('2024-02-28', '2024-02-29')).toBe(true)
    expect(isFollowedBy('2024-02-29', '2024-03-01')).toBe(true)
    expect(isFollowedBy('2023-02-28', '2023-03-01')).toBe(true)
    expect(isFollowedBy('1900-02-28', '1900-03-01')).toBe(true)
  })

  it('are those that clocks show in every zone that there is, around the changes of a year', () => {
    for (const timeZone of Intl.supportedValuesOf('timeZone')) {
      const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' })
      for (const month of ['2010-11', '2011-03', '2011-10']) {
        const fromMs = utc(`${month}-01T00:00`)
        const instants = Array.from({ length: 31 * 18 }, (_, at) => fromMs + at * 81 * MINUTE_MS)
        const days = instants.map((instantMs) => civilDayOf(instantMs, timeZone))
        expect(days).toEqual(instants.map((instantMs) => format.format(instantMs)))
      }
    }
  })

  it('contain the instants at which clocks show them, in every zone that there is', () => {
    const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'))
    const instant = fc.integer({ min: utc('1900-01-01T00:00'), max: utc('2040-01-01T00:00') })
    fc.assert(
      fc.property(zone, instant, (timeZone, instantMs) => {
        const day = civilDayOf(instantMs, timeZone)
        const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' })
        expect(day).toBe(format.format(instantMs))
        const spans = civilSpans({ from: day, to: day }, timeZone)
        expect(spans.some(({ fromMs, toMs }) => fromMs <= instantMs && instantMs < toMs)).toBe(true)
        expect(spans.map(({ fromMs }) => civilDayOf(fromMs, timeZone))).toEqual(spans.map(() => day))
        expect(spans.map(({ toMs }) => civilDayOf(toMs - 1, timeZone))).toEqual(spans.map(() => day))
        expect(civilDayOf(endOfCivilDay(day, timeZone), timeZone) > day).toBe(true)
      }),
      { numRuns: runs(500) },
    )
  })

  it.each(['2024-02-30', '2023-02-29', '2024-13-01', '2024-1-1', '', '2024-01-01T00:00', 'today'])(
    'refuse %s',
    (day) => {
      expect(() => startOfCivilDay(day, 'UTC')).toThrow(RangeError)
    },
  )
})

describe('civil hours', () => {
  it('start where the hour or the offset that clocks show changes', () => {
    for (const timeZone of ZONES) {
      const { hour } = clock(timeZone)
      for (const changeMs of daysAroundChanges(timeZone, 2024)) {
        let expectedMs = Number.NaN
        const fromMs = Math.floor(changeMs / HOUR_MS) * HOUR_MS
        for (let instantMs = fromMs - 2 * HOUR_MS; instantMs < fromMs + 4 * HOUR_MS; instantMs += 5 * MINUTE_MS) {
          if (hour(instantMs) !== hour(instantMs - 1)) {
            if (!Number.isNaN(expectedMs)) expect(iso(nextCivilHour(expectedMs, timeZone))).toBe(iso(instantMs))
            expectedMs = instantMs
          }
          if (Number.isNaN(expectedMs)) continue
          expect(iso(civilHourStart(instantMs + 1_234, timeZone))).toBe(iso(expectedMs))
        }
      }
    }
  })

  it('of zones of 30 and 45 minutes start between the hours of UTC', () => {
    expect(iso(civilHourStart(utc('2024-01-01T12:00'), 'Asia/Kolkata'))).toBe('2024-01-01T11:30')
    expect(iso(nextCivilHour(utc('2024-01-01T12:00'), 'Asia/Kolkata'))).toBe('2024-01-01T12:30')
    expect(iso(civilHourStart(utc('2024-01-01T12:00'), 'Asia/Kathmandu'))).toBe('2024-01-01T11:15')
    expect(iso(nextCivilHour(utc('2024-01-01T12:15'), 'Asia/Kathmandu'))).toBe('2024-01-01T13:15')
  })

  it('are cut by half an hour where Lord Howe changes its clocks', () => {
    const forward = cutsBetween(utc('2024-10-05T14:00'), utc('2024-10-05T17:00'), 'Australia/Lord_Howe', 'hour')
    const back = cutsBetween(utc('2024-04-06T13:30'), utc('2024-04-06T16:30'), 'Australia/Lord_Howe', 'hour')

    expect(forward.map(iso)).toEqual(['2024-10-05T14:30', '2024-10-05T15:30', '2024-10-05T16:00'])
    expect(back.map(iso)).toEqual(['2024-04-06T14:00', '2024-04-06T15:00', '2024-04-06T15:30'])
  })

  it('are never longer than an hour, and contain their instants, in every zone that there is', () => {
    const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'))
    const instant = fc.integer({ min: utc('1900-01-01T00:00'), max: utc('2040-01-01T00:00') })
    fc.assert(
      fc.property(zone, instant, (timeZone, instantMs) => {
        const startMs = civilHourStart(instantMs, timeZone)
        const endMs = nextCivilHour(instantMs, timeZone)
        expect(startMs <= instantMs && instantMs < endMs && endMs - startMs <= HOUR_MS).toBe(true)
        expect(civilHourStart(endMs - 1, timeZone)).toBe(startMs)
        expect(civilHourStart(endMs, timeZone)).toBe(endMs)
      }),
      { numRuns: runs(500) },
    )
  })
})

describe('civil months', () => {
  it('are those of their days in the zone', () => {
    expect(civilMonthOf(utc('2024-03-31T21:59'), 'Europe/Berlin')).toBe('2024-03')
    expect(civilMonthOf(utc('2024-03-31T22:00'), 'Europe/Berlin')).toBe('2024-04')
  })

  it('end with their last day', () => {
    expect(['2024-01', '2024-02', '2023-02', '2024-04', '2024-12'].map(daysOfCivilMonth)).toEqual([
      { from: '2024-01-01', to: '2024-01-31' },
      { from: '2024-02-01', to: '2024-02-29' },
      { from: '2023-02-01', to: '2023-02-28' },
      { from: '2024-04-01', to: '2024-04-30' },
      { from: '2024-12-01', to: '2024-12-31' },
    ])
  })

  it.each(['2024-13', '2024', '2024-00', ''])('refuse %s', (month) => {
    expect(() => daysOfCivilMonth(month)).toThrow(RangeError)
  })
})

describe('cuts', () => {
  it('are inside the stretch, not at its ends', () => {
    const midnight = utc('2024-01-01T23:00')

    expect(cutsBetween(midnight, midnight + DAY_MS, 'Europe/Berlin', 'day')).toEqual([])
    expect(cutsBetween(midnight - 1, midnight + DAY_MS + 1, 'Europe/Berlin', 'day')).toEqual([
      midnight,
      midnight + DAY_MS,
    ])
    expect(cutsBetween(midnight, midnight, 'Europe/Berlin', 'hour')).toEqual([])
    expect(cutsBetween(midnight, midnight - 1, 'Europe/Berlin', 'hour')).toEqual([])
  })

  it('are 22, 23 and 24 for hours of a short, a common and a long day', () => {
    const cuts = (day: string) =>
      cutsBetween(startOfCivilDay(day, 'Europe/Berlin'), endOfCivilDay(day, 'Europe/Berlin'), 'Europe/Berlin', 'hour')
        .length

    expect(['2024-03-31', '2024-06-01', '2024-10-27'].map(cuts)).toEqual([22, 23, 24])
  })

  it('for hours are also at all starts of days, and for days at all starts of months', () => {
    for (const timeZone of ZONES) {
      const [fromMs, toMs] = [utc('2010-10-25T00:07'), utc('2012-01-09T00:00')]
      const hours = new Set(cutsBetween(fromMs, toMs, timeZone, 'hour'))
      const days = cutsBetween(fromMs, toMs, timeZone, 'day')
      const months = cutsBetween(fromMs, toMs, timeZone, 'month')
      expect(days.length).toBeGreaterThan(430)
      expect(months).toHaveLength(15)
      expect(days.every((cutMs) => hours.has(cutMs))).toBe(true)
      expect(months.every((cutMs) => days.includes(cutMs))).toBe(true)
    }
  })
})

describe('time zones', () => {
  it.each(['UTC', 'Europe/Berlin', 'Asia/Calcutta', 'Etc/GMT+5', 'America/Argentina/Buenos_Aires'])(
    'know %s',
    (name) => {
      expect(isTimeZone(name)).toBe(true)
    },
  )

  it.each(['', 'Mars/Olympus', '+05:30', 'Europe', undefined, null, 3])('do not know %s', (name) => {
    expect(isTimeZone(name)).toBe(false)
  })

  it('that are not known are refused', () => {
    expect(() => civilDayOf(0, 'Mars/Olympus')).toThrow(RangeError)
    expect(() => civilHourStart(Number.NaN, 'UTC')).toThrow(RangeError)
  })
})

/** An instant in each day of the year before, in and after which the zone's offset changes; a common day if none does. */
function daysAroundChanges(timeZone: string, year: number): number[] {
  const { hour } = clock(timeZone)
  const found = new Set([Date.UTC(year, 5, 15, 12)])
  for (let instantMs = Date.UTC(year, 0, 1); instantMs < Date.UTC(year + 1, 0, 1); instantMs += DAY_MS) {
    const offsets = [instantMs, instantMs + DAY_MS].map((each) => hour(each).split(' ').at(-1))
    if (offsets[0] === offsets[1]) continue
    let changeMs = instantMs
    while (hour(changeMs).split(' ').at(-1) === offsets[0]) changeMs += 15 * MINUTE_MS
    for (const nearMs of [-DAY_MS, -1, 0, DAY_MS]) found.add(changeMs + nearMs)
  }
  return [...found]
}
