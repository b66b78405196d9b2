import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bandsOverlap,
  costOf,
  cutsBetween,
  splitStretch,
  sumMoney,
  type TariffBand,
  type TariffVersion,
  tariffOf,
} from '../../src/metering/index.js'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const utc = (text: string) => Date.parse(`${text}Z`)
const iso = (instantMs: number) => new Date(instantMs).toISOString().slice(0, 16)
const version = (startsAt: string, pricePerKwh: number, more: Partial<TariffVersion> = {}): TariffVersion => ({
  startsAt: new Date(`${startsAt}Z`),
  pricePerKwh,
  ...more,
})
const night: TariffBand = { from: '22:00', to: '06:00', pricePerKwh: 4 }

describe('the version in force', () => {
  const versions = [version('2026-02-01T00:00', 8), version('2026-01-01T00:00', 7), version('2027-01-01T00:00', 9)]
  const { versionAt } = tariffOf(versions)

  it('holds from its start until the next one starts', () => {
    const priceAt = (text: string) => versionAt(utc(text))?.pricePerKwh
    expect(priceAt('2025-12-31T23:59:59.999')).toBeUndefined()
    expect(priceAt('2026-01-01T00:00')).toBe(7)
    expect(priceAt('2026-01-31T23:59:59.999')).toBe(7)
    expect(priceAt('2026-02-01T00:00')).toBe(8)
    expect(priceAt('2080-01-01T00:00')).toBe(9)
  })

  it('is none of a tariff without versions', () => {
    const none = tariffOf([])
    expect(none.versionAt(0)).toBeUndefined()
    expect(none.priceAt(0, 'UTC')).toBeUndefined()
    expect(none.priceCutsBetween(0, 9e12, 'UTC')).toEqual([])
  })

  it('cannot be two', () => {
    expect(() => tariffOf([version('2026-01-01T00:00', 7), version('2026-01-01T00:00', 8)])).toThrow(RangeError)
  })
})

describe('the price', () => {
  const priceAt = (text: string, one: TariffVersion, timeZone = 'UTC') =>
    tariffOf([one]).priceAt(utc(text), timeZone)?.pricePerKwh

  it('is that of the band, on the weekdays on which it starts, else the base price', () => {
    const one = version('2020-01-01T00:00', 8, {
      bands: [
        { ...night, days: [5] },
        { days: [6, 7], from: '10:00', to: '12:30', pricePerKwh: 1 },
      ],
    })
    const friday = '2026-03-06'
    expect(priceAt(`${friday}T21:59`, one)).toBe(8)
    expect(priceAt(`${friday}T22:00`, one)).toBe(4)
    expect(priceAt('2026-03-07T05:59', one)).toBe(4)
    expect(priceAt('2026-03-07T06:00', one)).toBe(8)
    expect(priceAt('2026-03-07T22:00', one)).toBe(8)
    expect(priceAt('2026-03-08T12:29', one)).toBe(1)
    expect(priceAt('2026-03-08T12:30', one)).toBe(8)
  })

  it('goes on from Sunday night into Monday, and before 1970', () => {
    const sunday = version('1960-01-01T00:00', 8, { bands: [{ ...night, days: [7] }] })
    for (const monday of ['2026-03-09', '1969-12-29']) {
      expect(priceAt(`${monday}T05:59`, sunday)).toBe(4)
      expect(priceAt(`${monday}T06:00`, sunday)).toBe(8)
    }
  })

  it('holds for whole days where a band ends when it starts, or at midnight', () => {
    for (const to of ['00:00', '24:00']) {
      const weekend = version('2020-01-01T00:00', 8, { bands: [{ days: [6, 7], from: '00:00', to, pricePerKwh: 2 }] })
      const cuts = tariffOf([weekend]).priceCutsBetween(utc('2026-03-05T00:00'), utc('2026-03-12T00:00'), 'UTC')
      expect(cuts.map(iso)).toEqual(['2026-03-07T00:00', '2026-03-09T00:00'])
    }
  })

  it('has the taxes on it, each on the price alone, rounded half-even once', () => {
    const taxed = (pricePerKwh: number, ...percents: number[]) =>
      priceAt('2026-01-01T00:00', {
        ...version('2020-01-01T00:00', pricePerKwh),
        taxes: percents.map((percent) => ({ name: 'tax', percent })),
      })
    expect(taxed(7.5, 18)).toBe(8.85)
    expect(taxed(10, 19, 5)).toBe(12.4)
    expect(taxed(0.1, 0.0001)).toBe(0.1)
    expect(taxed(0.000001, 50)).toBe(0.000002)
    expect(taxed(0.000003, 50)).toBe(0.000004)
    expect(taxed(0.000005, 50)).toBe(0.000008)
    expect(taxed(-0.000005, 50)).toBe(-0.000008)
    expect(taxed(-0.05, 25)).toBe(-0.0625)
    expect(() => taxed(1, 0.00001)).toThrow(RangeError)
    expect(() => taxed(1.0000001, 1)).toThrow(RangeError)
  })

  it('is undefined before the first version', () => {
    expect(priceAt('2019-12-31T23:59', version('2020-01-01T00:00', 8))).toBeUndefined()
  })
})

describe('bands', () => {
  it('must not hold at one time', () => {
    expect(bandsOverlap([night, { from: '06:00', to: '22:00', pricePerKwh: 1 }])).toBe(false)
    expect(bandsOverlap([night, { days: [3], from: '05:59', to: '07:00', pricePerKwh: 1 }])).toBe(true)
    expect(
      bandsOverlap([
        { ...night, days: [7] },
        { days: [1], from: '05:00', to: '07:00', pricePerKwh: 1 },
      ]),
    ).toBe(true)
    expect(bandsOverlap([{ ...night, days: [2, 2] }])).toBe(true)
    const overlapping = version('2026-01-01T00:00', 1, { bands: [night, night] })
    expect(() => tariffOf([overlapping])).toThrow(RangeError)
  })
})

describe('price cuts', () => {
  const nightly = tariffOf([
    version('2020-01-01T00:00', 8, { bands: [{ from: '02:30', to: '06:00', pricePerKwh: 4 }] }),
  ])
  const cuts = (from: string, to: string, timeZone: string) =>
    nightly.priceCutsBetween(utc(from), utc(to), timeZone).map(iso)

  it('are where the band starts and ends by the clocks of the zone', () => {
    expect(cuts('2026-03-02T00:00', '2026-03-03T00:00', 'Asia/Kathmandu')).toEqual([
      '2026-03-02T00:15',
      '2026-03-02T20:45',
    ])
  })

  it('are twice in a repeated hour, and where a skipped hour ends', () => {
    expect(cuts('2026-10-24T23:00', '2026-10-25T12:00', 'Europe/Berlin')).toEqual([
      '2026-10-25T00:30',
      '2026-10-25T01:00',
      '2026-10-25T01:30',
      '2026-10-25T05:00',
    ])
    expect(cuts('2026-03-28T23:00', '2026-03-29T12:00', 'Europe/Berlin')).toEqual([
      '2026-03-29T01:00',
      '2026-03-29T04:00',
    ])
  })

  it('are where another version starts, also at the same price', () => {
    const { priceCutsBetween } = tariffOf([version('2026-01-01T00:00', 7), version('2026-02-01T10:07', 7)])
    expect(priceCutsBetween(0, utc('2027-01-01T00:00'), 'UTC').map(iso)).toEqual([
      '2026-01-01T00:00',
      '2026-02-01T10:07',
    ])
  })

  it('are inside the stretch, its ends excluded', () => {
    expect(cuts('2026-03-02T02:30', '2026-03-02T06:00', 'UTC')).toEqual([])
    expect(cuts('2026-03-02T02:30', '2026-03-02T02:30', 'UTC')).toEqual([])
    expect(cuts('2026-03-02T06:00', '2026-03-02T02:30', 'UTC')).toEqual([])
  })
})

// Around changes of the clocks by an hour and by half of one, a leap day, zones of 30 and 45 minutes, a day that is left out.
const places: readonly [string, string][] = [
  ['Europe/Berlin', '2026-03-29T00:00'],
  ['Europe/Berlin', '2026-10-25T00:00'],
  ['America/New_York', '2026-11-01T05:00'],
  ['Asia/Kolkata', '2028-02-28T18:30'],
  ['Asia/Kathmandu', '2026-06-01T00:00'],
  ['Australia/Lord_Howe', '2026-04-04T15:00'],
  ['Pacific/Chatham', '2026-09-26T14:00'],
  ['Pacific/Apia', '2011-12-30T10:00'],
  ['Africa/Casablanca', '2026-03-22T02:00'],
]
const minuteOfDay = fc.oneof(fc.integer({ min: 0, max: 1439 }), fc.constantFrom(0, 60, 90, 120, 150, 180))
const price = fc.integer({ min: -2, max: 5 })
const clockTime = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
const band: fc.Arbitrary<TariffBand> = fc.record(
  {
    days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 7 }),
    from: minuteOfDay.map(clockTime),
    to: minuteOfDay.map(clockTime),
    pricePerKwh: price,
  },
  { requiredKeys: ['from', 'to', 'pricePerKwh'] },
)
const bands = fc.array(band, { maxLength: 4 }).map((all) => {
  const kept: TariffBand[] = []
  for (const one of all) if (!bandsOverlap([...kept, one])) kept.push(one)
  return kept
})

/** A place, and versions that start around its instant, two days long. */
const situation = fc.constantFrom(...places).chain(([timeZone, text]) => {
  const fromMs = utc(text) - DAY_MS
  const startMinutes = fc.uniqueArray(fc.integer({ min: -100, max: 2 * 1440 }), { maxLength: 4 })
  const versions = startMinutes.chain((minutes) =>
    fc.tuple(
      ...minutes.map((minute) =>
        fc.record({ startsAt: fc.constant(new Date(fromMs + minute * MINUTE_MS)), pricePerKwh: price, bands }),
      ),
    ),
  )
  return fc.record({ timeZone: fc.constant(timeZone), fromMs: fc.constant(fromMs), versions })
})

/** What the definition says, read off the clocks of Intl minute by minute. */
function slowPrice(versions: readonly TariffVersion[], instantMs: number, local: { weekday: number; minute: number }) {
  const [inForce] = versions
    .filter(({ startsAt }) => startsAt.getTime() <= instantMs)
    .sort((a, b) => b.startsAt.getTime() - a.startsAt.getTime())
  if (inForce === undefined) return 'none'
  const minuteOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
  const holds = ({ days = [1, 2, 3, 4, 5, 6, 7], from, to }: TariffBand) => {
    const [start, end] = [minuteOf(from), minuteOf(to)]
    const yesterday = ((local.weekday + 5) % 7) + 1
    if (start < end) return days.includes(local.weekday) && local.minute >= start && local.minute < end
    return (days.includes(local.weekday) && local.minute >= start) || (days.includes(yesterday) && local.minute < end)
  }
  const found = inForce.bands?.find(holds)
  return `${inForce.startsAt.toISOString()} ${found?.pricePerKwh ?? inForce.pricePerKwh}`
}

const clocks = new Map<string, (instantMs: number) => { weekday: number; minute: number }>()

/** The weekday and the minute of the day that clocks show, read once for each instant. */
function clockOf(timeZone: string) {
  const known = clocks.get(timeZone)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hourCycle: 'h23',
    timeStyle: undefined,
    hour: '2-digit',
    minute: '2-digit',
  })
  const names = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
  const shown = new Map<number, { weekday: number; minute: number }>()
  const clock = (instantMs: number) => {
    const seen = shown.get(instantMs)
    if (seen !== undefined) return seen
    const parts = Object.fromEntries(format.formatToParts(instantMs).map(({ type, value }) => [type, value]))
    const read = {
      weekday: names.indexOf(parts.weekday ?? '') + 1,
      minute: Number(parts.hour) * 60 + Number(parts.minute),
    }
    shown.set(instantMs, read)
    return read
  }
  clocks.set(timeZone, clock)
  return clock
}

describe('for any versions and bands, around changes of the clocks', () => {
  it('cuts are exactly where the price or the version changes, and prices what the clocks of the zone say', () => {
    fc.assert(
      fc.property(situation, ({ timeZone, fromMs, versions }) => {
        const tariff = tariffOf(versions)
        const clock = clockOf(timeZone)
        const toMs = fromMs + 2 * DAY_MS
        const changes: number[] = []
        let before = slowPrice(versions, fromMs, clock(fromMs))
        for (let atMs = fromMs; atMs < toMs; atMs += MINUTE_MS) {
          const slow = slowPrice(versions, atMs, clock(atMs))
          if (slow !== before) changes.push(atMs)
          before = slow
          const fast = tariff.priceAt(atMs, timeZone)
          const shown = fast === undefined ? 'none' : `${fast.version.startsAt.toISOString()} ${fast.pricePerKwh}`
          if (shown !== slow) throw new Error(`${iso(atMs)}: ${shown}, and not ${slow}`)
        }
        expect(tariff.priceCutsBetween(fromMs, toMs, timeZone).map(iso)).toEqual(changes.map(iso))
      }),
      { numRuns: 80 },
    )
  })

  it('cuts of a stretch are those of its parts, and where it is parted', () => {
    fc.assert(
      fc.property(situation, fc.double({ min: 0, max: 1, noNaN: true }), ({ timeZone, fromMs, versions }, share) => {
        const { priceCutsBetween } = tariffOf(versions)
        const toMs = fromMs + 2 * DAY_MS
        const middleMs = Math.floor(fromMs + share * (toMs - fromMs))
        const whole = priceCutsBetween(fromMs, toMs, timeZone)
        const [first, second] = [
          priceCutsBetween(fromMs, middleMs, timeZone),
          priceCutsBetween(middleMs, toMs, timeZone),
        ]
        expect([...first, ...second]).toEqual(whole.filter((cutMs) => cutMs !== middleMs))
      }),
    )
  })

  it('energy and cost are conserved across every split', () => {
    const energy = fc.integer({ min: 0, max: 10 ** 12 })
    fc.assert(
      fc.property(situation, energy, energy, ({ timeZone, fromMs, versions }, consumedMws, producedMws) => {
        const { priceAt, priceCutsBetween } = tariffOf(versions)
        const toMs = fromMs + 2 * DAY_MS - 7 * HOUR_MS
        const stretch = { fromMs, toMs, consumedMws, producedMws, quality: 'measured' as const }
        const cuts = [...priceCutsBetween(fromMs, toMs, timeZone), ...cutsBetween(fromMs, toMs, timeZone, 'hour')]
        const parts = splitStretch(stretch, cuts)
        const sum = (values: number[]) => values.reduce((all, value) => all + value, 0)
        expect(sum(parts.map((part) => part.consumedMws))).toBe(consumedMws)
        expect(sum(parts.map((part) => part.producedMws))).toBe(producedMws)
        // The price at a part's start is that of all of it, so its cost is that of its pieces.
        for (const part of parts) {
          const price = priceAt(part.fromMs, timeZone)?.pricePerKwh
          expect(priceAt(part.toMs - 1, timeZone)?.pricePerKwh).toBe(price)
          if (price === undefined) continue
          const pieces = splitStretch(part, [part.fromMs + 1, part.fromMs + Math.floor((part.toMs - part.fromMs) / 3)])
          expect(sumMoney(pieces.map((piece) => costOf(piece.consumedMws, price)))).toEqual(
            costOf(part.consumedMws, price),
          )
        }
      }),
    )
  })
})
