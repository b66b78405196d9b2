import { describe, expect, it } from 'vitest'
import {
  nextOccurrence,
  type Occurrence,
  type OccurrenceRules,
  type OccurrenceSite,
} from '../../src/schedules/occurrences.js'
import type { ScheduleRule } from '../../src/schedules/schedule-rule.js'
import { runPython } from '../support/python.js'

const site = (timeZone: string, more: Partial<OccurrenceSite> = {}): OccurrenceSite => ({
  timeZone,
  holidays: new Set(),
  ...more,
})
const rules = (rule: ScheduleRule, more: Partial<OccurrenceRules> = {}): OccurrenceRules => ({
  rule,
  onHolidays: 'skip',
  ...more,
})

function runs(given: OccurrenceRules, where: OccurrenceSite, from: string, count: number): Occurrence[] {
  const found: Occurrence[] = []
  for (let after = new Date(from); found.length < count; ) {
    const next = nextOccurrence(given, where, after)
    if (next === null) break
    found.push(next)
    after = next.at
  }
  return found
}
const instants = (found: readonly Occurrence[]) => found.map(({ at }) => at.toISOString())

/** Both changes of a year: of an hour, of half an hour, at midnight, on the southern half, and a zone without any. */
const changes = [
  ['Europe/Berlin', '2026-03-28'],
  ['Europe/Berlin', '2026-10-24'],
  ['America/New_York', '2026-03-07'],
  ['America/New_York', '2026-10-31'],
  ['Australia/Lord_Howe', '2026-04-04'],
  ['Australia/Lord_Howe', '2026-10-03'],
  ['Africa/Cairo', '2026-04-23'],
  ['Africa/Cairo', '2026-10-29'],
  ['America/Santiago', '2026-04-04'],
  ['America/Santiago', '2026-09-05'],
  ['America/Havana', '2026-03-07'],
  ['Asia/Beirut', '2026-03-28'],
  ['Asia/Kolkata', '2026-03-28'],
  ['Asia/Kathmandu', '2026-03-28'],
] as const
const times = ['00:00', '00:30', '01:00', '01:30', '01:59', '02:00', '02:15', '02:30', '03:00', '23:00', '23:59']

describe('a time of day', () => {
  it.each(changes)('in %s around %s runs once a day, when an independent clock shows it', async (zone, first) => {
    const { output } = await runPython('schedules/occurrences.py', [zone, first, '4', ...times])
    const expected = output
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
    for (const time of times) {
      const ofTime = expected.filter(([, at]) => at === time)
      const from = new Date(Date.parse(ofTime[0]?.[2] ?? '') - 1).toISOString()
      const found = runs(rules({ type: 'time', at: time }), site(zone), from, 4)
      expect(instants(found), time).toEqual(ofTime.map(([, , instant]) => instant))
      expect(found.map(({ key }) => key)).toEqual(ofTime.map(([day]) => `${day}T${time}`))
    }
  })

  it('is found from every minute of a repeated hour, and skips no week', () => {
    const weekly = rules({ type: 'time', at: '02:30', weekdays: [7] })
    for (let minute = 0; minute < 180; minute += 1) {
      const after = new Date(Date.parse('2026-10-25T00:00:00Z') + minute * 60_000)
      const expected = minute < 30 ? '2026-10-25T00:30:00.000Z' : '2026-11-01T01:30:00.000Z'
      expect(nextOccurrence(weekly, site('Europe/Berlin'), after)?.at.toISOString()).toBe(expected)
    }
  })

  it('runs on its weekdays, and within its validity', () => {
    const given = rules(
      { type: 'time', at: '08:00', weekdays: [1, 5] },
      { validFrom: '2026-03-03', validUntil: '2026-03-10' },
    )
    expect(runs(given, site('UTC'), '2026-01-01T00:00:00Z', 9).map(({ key }) => key)).toEqual([
      '2026-03-06T08:00',
      '2026-03-09T08:00',
    ])
  })

  it('leaves holidays out, or runs on these alone', () => {
    const where = site('Asia/Kolkata', { holidays: new Set(['2026-03-04', '2026-08-15']) })
    const keys = (onHolidays: OccurrenceRules['onHolidays'], count: number) =>
      runs(rules({ type: 'time', at: '08:00' }, { onHolidays }), where, '2026-03-02T12:00:00Z', count).map(({ key }) =>
        key.slice(0, 10),
      )
    expect(keys('skip', 2)).toEqual(['2026-03-03', '2026-03-05'])
    expect(keys('run', 2)).toEqual(['2026-03-03', '2026-03-04'])
    expect(keys('only', 3)).toEqual(['2026-03-04', '2026-08-15'])
  })

  it('does not run on a day that a zone left out', () => {
    const keys = runs(rules({ type: 'time', at: '07:00' }), site('Pacific/Apia'), '2011-12-29T00:00:00Z', 3)
    expect(keys.map(({ key }) => key.slice(0, 10))).toEqual(['2011-12-29', '2011-12-31', '2012-01-01'])
  })
})

describe('a cron expression', () => {
  it('with a fixed time runs at the change where it is skipped, and once where it is repeated', () => {
    const daily = rules({ type: 'cron', expression: '30 2 * * *' })
    expect(instants(runs(daily, site('Europe/Berlin'), '2026-03-28T12:00:00Z', 2))).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ])
    expect(instants(runs(daily, site('Europe/Berlin'), '2026-10-24T12:00:00Z', 2))).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ])
  })

  it('leaves holidays out without looking at each of their minutes', () => {
    const where = site('UTC', { holidays: new Set(['2026-03-02', '2026-03-03']) })
    const each = rules({ type: 'cron', expression: '* * * * *' })
    expect(nextOccurrence(each, where, new Date('2026-03-02T00:00:00Z'))?.at).toEqual(new Date('2026-03-04T00:00:00Z'))
    const only = rules({ type: 'cron', expression: '*/20 * * * *' }, { onHolidays: 'only' })
    expect(nextOccurrence(only, where, new Date('2026-01-01T00:00:00Z'))?.at).toEqual(new Date('2026-03-02T00:00:00Z'))
  })
})

describe('the sun', () => {
  /** NOAA's equations, without those of suncalc. */
  function noaa(day: string, latitude: number, longitude: number, isRise: boolean): number {
    const radians = Math.PI / 180
    const noonMs = Date.parse(`${day}T12:00:00Z`)
    let ms = noonMs
    for (let round = 0; round < 5; round += 1) {
      const t = (ms / 86_400_000 + 2440587.5 - 2451545) / 36525
      const l0 = (280.46646 + t * (36000.76983 + t * 0.0003032)) % 360
      const m = 357.52911 + t * (35999.05029 - 0.0001537 * t)
      const e = 0.016708634 - t * (0.000042037 + 0.0000001267 * t)
      const c =
        Math.sin(m * radians) * (1.914602 - t * (0.004817 + 0.000014 * t)) +
        Math.sin(2 * m * radians) * (0.019993 - 0.000101 * t) +
        Math.sin(3 * m * radians) * 0.000289
      const omega = (125.04 - 1934.136 * t) * radians
      const lambda = (l0 + c - 0.00569 - 0.00478 * Math.sin(omega)) * radians
      const epsilon = (23 + (26 + (21.448 - t * 46.815) / 60) / 60 + 0.00256 * Math.cos(omega)) * radians
      const declination = Math.asin(Math.sin(epsilon) * Math.sin(lambda))
      const y = Math.tan(epsilon / 2) ** 2
      const equation =
        (4 / radians) *
        (y * Math.sin(2 * l0 * radians) -
          2 * e * Math.sin(m * radians) +
          4 * e * y * Math.sin(m * radians) * Math.cos(2 * l0 * radians) -
          0.5 * y * y * Math.sin(4 * l0 * radians) -
          1.25 * e * e * Math.sin(2 * m * radians))
      const cosine =
        Math.cos(90.833 * radians) / (Math.cos(latitude * radians) * Math.cos(declination)) -
        Math.tan(latitude * radians) * Math.tan(declination)
      const angle = Math.acos(cosine) / radians
      const minutes = 720 - 4 * (longitude + (isRise ? angle : -angle)) - equation
      ms = Date.parse(`${day}T00:00:00Z`) + minutes * 60_000
    }
    return ms
  }

  const places = [
    ['Pune', 'Asia/Kolkata', 18.52, 73.86],
    ['Berlin', 'Europe/Berlin', 52.52, 13.4],
    ['Denver', 'America/Denver', 39.74, -104.99],
    ['Kiritimati', 'Pacific/Kiritimati', 1.87, -157.43],
    ['Reykjavik', 'Atlantic/Reykjavik', 64.13, -21.9],
  ] as const

  it.each(places)(
    'rises and sets in %s once a day for 400 days, when NOAA says so',
    (_, timeZone, latitude, longitude) => {
      const where = site(timeZone, { place: { latitude, longitude } })
      for (const event of ['sunrise', 'sunset'] as const) {
        const found = runs(rules({ type: 'sun', event }), where, '2026-01-01T12:00:00Z', 400)
        const days = found.map(({ key }) => key.slice(0, 10))
        expect(new Set(days).size).toBe(400)
        expect(days).toEqual(days.toSorted())
        expect(Date.parse(days.at(-1) ?? '') - Date.parse(days[0] ?? '')).toBe(399 * 86_400_000)
        for (const { at } of found) {
          // NOAA's day is that of UTC: one of the two around it.
          const day = new Date(at.getTime() - 86_400_000).toISOString().slice(0, 10)
          const around = [0, 1, 2].map((add) =>
            noaa(
              new Date(Date.parse(day) + add * 86_400_000).toISOString().slice(0, 10),
              latitude,
              longitude,
              event === 'sunrise',
            ),
          )
          expect(Math.min(...around.map((ms) => Math.abs(ms - at.getTime())))).toBeLessThan(60_000)
        }
      }
    },
  )

  it('does not rise in a polar night, and is offset by minutes', () => {
    const where = site('Europe/Oslo', { place: { latitude: 69.65, longitude: 18.96 } })
    const next = nextOccurrence(rules({ type: 'sun', event: 'sunrise' }), where, new Date('2026-12-01T00:00:00Z'))
    expect(next?.key.slice(0, 7)).toBe('2027-01')
    const before = rules({ type: 'sun', event: 'sunset', offsetMinutes: -30 })
    const [early] = runs(before, site('UTC', { place: { latitude: 0, longitude: 0 } }), '2026-03-02T00:00:00Z', 1)
    const [exact] = runs(
      rules({ type: 'sun', event: 'sunset' }),
      site('UTC', { place: { latitude: 0, longitude: 0 } }),
      '2026-03-02T00:00:00Z',
      1,
    )
    expect((exact?.at.getTime() ?? 0) - (early?.at.getTime() ?? 0)).toBe(30 * 60_000)
    expect(nextOccurrence(before, site('UTC'), new Date())).toBeNull()
  })
})
