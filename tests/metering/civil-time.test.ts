import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  civilDayOf,
  civilHourStart,
  civilMonthOf,
  cutsBetween,
  isTimeZone,
  nextCivilDay,
  nextCivilHour,
  nextCivilMonth,
  startOfCivilDay,
  startOfCivilMonth,
} from '../../src/metering/index.js'

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
        { numRuns: 200 },
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
      (startOfCivilDay(nextCivilDay(day, timeZone), timeZone) - startOfCivilDay(day, timeZone)) / HOUR_MS

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

  it('stay in order where clocks were put back from just after midnight to before it', () => {
    // Newfoundland until 2011: at 00:01 back to 23:01.
    const startMs = startOfCivilDay('2010-11-07', 'America/St_Johns')

    expect(iso(startMs)).toBe('2010-11-07T02:30')
    for (let instantMs = startMs; instantMs < startMs + 25 * HOUR_MS; instantMs += MINUTE_MS) {
      expect(civilDayOf(instantMs, 'America/St_Johns')).toBe('2010-11-07')
    }
    expect(civilDayOf(startMs - 1, 'America/St_Johns')).toBe('2010-11-06')
    expect(civilDayOf(startMs + 25 * HOUR_MS, 'America/St_Johns')).toBe('2010-11-08')
  })

  it('may not exist: Apia had no 30th of December 2011', () => {
    expect(nextCivilDay('2011-12-29', 'Pacific/Apia')).toBe('2011-12-31')
    expect(nextCivilDay('2011-12-29', 'Pacific/Auckland')).toBe('2011-12-30')
    expect(startOfCivilDay('2011-12-30', 'Pacific/Apia')).toBe(startOfCivilDay('2011-12-31', 'Pacific/Apia'))
    expect(civilDayOf(utc('2011-12-30T09:59:59.999'), 'Pacific/Apia')).toBe('2011-12-29')
    expect(civilDayOf(utc('2011-12-30T10:00'), 'Pacific/Apia')).toBe('2011-12-31')
  })

  it('know leap years', () => {
    expect(nextCivilDay('2024-02-28', 'Asia/Kolkata')).toBe('2024-02-29')
    expect(nextCivilDay('2024-02-29', 'Asia/Kolkata')).toBe('2024-03-01')
    expect(nextCivilDay('2023-02-28', 'Asia/Kolkata')).toBe('2023-03-01')
    expect(nextCivilDay('1900-02-28', 'Asia/Kolkata')).toBe('1900-03-01')
  })

  it('contain the instants from their start to the next one, in every zone that there is', () => {
    const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'))
    const instant = fc.integer({ min: utc('1900-01-01T00:00'), max: utc('2040-01-01T00:00') })
    fc.assert(
      fc.property(zone, instant, (timeZone, instantMs) => {
        const day = civilDayOf(instantMs, timeZone)
        const startMs = startOfCivilDay(day, timeZone)
        const endMs = startOfCivilDay(nextCivilDay(day, timeZone), timeZone)
        expect(startMs <= instantMs && instantMs < endMs).toBe(true)
        expect(civilDayOf(startMs, timeZone)).toBe(day)
        expect(civilDayOf(endMs - 1, timeZone)).toBe(day)
        expect(civilDayOf(endMs, timeZone)).toBe(nextCivilDay(day, timeZone))
      }),
      { numRuns: 1_500 },
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
      { numRuns: 1_500 },
    )
  })
})

describe('civil months', () => {
  it('start with their first day in the zone', () => {
    expect(iso(startOfCivilMonth('2024-04', 'Europe/Berlin'))).toBe('2024-03-31T22:00')
    expect(iso(startOfCivilMonth('2024-11', 'Europe/Berlin'))).toBe('2024-10-31T23:00')
    expect(civilMonthOf(utc('2024-03-31T21:59'), 'Europe/Berlin')).toBe('2024-03')
    expect(civilMonthOf(utc('2024-03-31T22:00'), 'Europe/Berlin')).toBe('2024-04')
  })

  it('follow one another', () => {
    expect(['2024-01', '2024-02', '2023-02', '2024-04', '2024-12'].map(nextCivilMonth)).toEqual([
      '2024-02',
      '2024-03',
      '2023-03',
      '2024-05',
      '2025-01',
    ])
  })

  it.each(['2024-13', '2024', '2024-00', ''])('refuse %s', (month) => {
    expect(() => startOfCivilMonth(month, 'UTC')).toThrow(RangeError)
    expect(() => nextCivilMonth(month)).toThrow(RangeError)
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
      cutsBetween(
        startOfCivilDay(day, 'Europe/Berlin'),
        startOfCivilDay(nextCivilDay(day, 'Europe/Berlin'), 'Europe/Berlin'),
        'Europe/Berlin',
        'hour',
      ).length

    expect(['2024-03-31', '2024-06-01', '2024-10-27'].map(cuts)).toEqual([22, 23, 24])
  })

  it('for hours are also at all starts of days, and for days at all starts of months', () => {
    for (const timeZone of [...ZONES, 'America/St_Johns']) {
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
