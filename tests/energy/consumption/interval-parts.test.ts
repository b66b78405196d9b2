import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { IntervalBuilder } from '../../../src/energy/consumption/interval-builder.js'
import { type IntervalPart, partsOf } from '../../../src/energy/consumption/interval-parts.js'
import type { CostVersion } from '../../../src/energy/tariffs/cost-version.js'
import { PriceBook } from '../../../src/energy/tariffs/price-book.js'
import { type Fact, factOf } from '../../../src/ledger/facts/fact.js'
import { civilDayOf, type EnergyStretch } from '../../../src/metering/index.js'
import { anEvent } from '../../ledger/support/events.js'

const hourMs = 3_600_000
const always = Number.NEGATIVE_INFINITY
const since = factOf(anEvent()) as Fact

/** Two versions, of which each has bands; the second starts in the middle of an hour. */
const versions = [
  { startsAt: new Date(0), pricePerKwh: 5, bands: [{ from: '18:15', to: '22:40', pricePerKwh: 9 }] },
  {
    startsAt: new Date('2026-03-29T00:20:00Z'),
    pricePerKwh: 6,
    bands: [{ from: '01:30', to: '02:45', pricePerKwh: 3 }],
  },
].map((version) => ({ ...version, _id: new ObjectId(), tariff: 'default', currency: 'INR' }) as unknown as CostVersion)

/** Places where clocks are 30 or 45 minutes off, or change by an hour or by half of one, or skip a day. */
const places = [
  ['Asia/Kolkata', '2026-03-29T00:00:00Z'],
  ['Asia/Kathmandu', '2026-03-29T00:00:00Z'],
  ['Europe/Berlin', '2026-03-29T01:00:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00:00Z'],
  ['America/St_Johns', '2026-03-08T05:30:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
  ['America/Havana', '2026-11-01T05:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['UTC', '2024-02-29T00:00:00Z'],
] as const

const stretchAround = (instant: string): fc.Arbitrary<EnergyStretch> =>
  fc
    .record({
      before: fc.integer({ min: -3 * hourMs, max: 60 * hourMs }),
      durationMs: fc.oneof(fc.integer({ min: 1, max: 3 * hourMs }), fc.integer({ min: 1, max: 90 * hourMs })),
      consumedMws: fc.oneof(fc.nat({ max: 20 }), fc.integer({ min: 0, max: 3e12 })),
      producedMws: fc.nat({ max: 1e6 }),
      quality: fc.constantFrom('measured' as const, 'estimated' as const),
    })
    .map(({ before, durationMs, ...rest }) => {
      const fromMs = Date.parse(instant) - before
      // No meter tells of more than a gigawatt.
      return { ...rest, fromMs, toMs: fromMs + durationMs, consumedMws: Math.min(rest.consumedMws, durationMs * 1e9) }
    })

const sumOf = (parts: readonly IntervalPart[], name: 'consumedMws' | 'producedMws') =>
  parts.reduce((sum, { stretch }) => sum + stretch[name], 0)

/** What clocks show, asked of the platform. */
function localHourOf(timeZone: string): (atMs: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  return (atMs) => format.format(atMs).slice(0, 13)
}

describe.each(places)('a stretch of energy in %s around %s', (timeZone, instant) => {
  it('is cut at hours and prices, with all of its energy and time', () => {
    const localHour = localHourOf(timeZone)
    const calendar = new PriceBook('', versions).calendarOf('default', timeZone)
    fc.assert(
      fc.property(stretchAround(instant), (stretch) => {
        const parts = [...partsOf({ stretch, since }, calendar, always)]
        expect(sumOf(parts, 'consumedMws')).toBe(stretch.consumedMws)
        expect(sumOf(parts, 'producedMws')).toBe(stretch.producedMws)
        expect(parts[0]?.stretch.fromMs).toBe(stretch.fromMs)
        expect(parts.at(-1)?.stretch.toMs).toBe(stretch.toMs)
        const wrong = parts.filter(({ stretch: part, slot }, index) => {
          const isNext = part.fromMs === (parts[index - 1]?.stretch.toMs ?? stretch.fromMs) && part.toMs > part.fromMs
          const isInSlot = part.fromMs >= slot.startMs && part.toMs <= slot.endMs && slot.endMs - slot.startMs <= hourMs
          const isInHour = localHour(part.toMs - 1) === localHour(part.fromMs)
          const isInDay = civilDayOf(part.toMs - 1, timeZone) === civilDayOf(part.fromMs, timeZone)
          return !(isNext && isInSlot && isInHour && isInDay && part.consumedMws <= 100_000 * 3_600_000)
        })
        expect(wrong).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  it('is cut in the same way whatever part of it is asked for', () => {
    const calendar = new PriceBook('', versions).calendarOf('default', timeZone)
    fc.assert(
      fc.property(stretchAround(instant), fc.integer({ min: -4, max: 62 }), (stretch, before) => {
        const afterMs = Date.parse(instant) - before * 1.01 * hourMs
        const all = [...partsOf({ stretch, since }, calendar, always)]
        const after = all.filter((part) => calendar.hourAt(part.hourMs).endMs > afterMs)
        expect([...partsOf({ stretch, since }, calendar, afterMs)]).toEqual(after)
      }),
      { numRuns: 40 },
    )
  })
})

describe('parts of one hour', () => {
  const calendar = new PriceBook('', []).calendarOf('default', 'Asia/Kathmandu')
  const startMs = Date.parse('2026-03-01T10:15:00Z')
  const reading = (second: number, energyMws: number, quality: EnergyStretch['quality'] = 'measured') => ({
    fromMs: startMs + second * 1000,
    toMs: startMs + (second + 10) * 1000,
    consumedMws: energyMws,
    producedMws: 0,
    quality,
  })
  const intervalsOf = (stretches: readonly EnergyStretch[], fact = since) => {
    const builder = new IntervalBuilder()
    for (const stretch of stretches) {
      for (const part of partsOf({ stretch, since: fact }, calendar, always)) builder.add(part, { first: 1, last: 2 })
    }
    builder.end()
    return builder.intervals.map(({ fromMs, toMs, onMs, consumedMws, quality }) => {
      return [(fromMs - startMs) / 1000, (toMs - startMs) / 1000, onMs / 1000, consumedMws, quality]
    })
  }

  it('make one interval, however often a meter reports', () => {
    const readings = Array.from({ length: 360 }, (_, index) => reading(index * 10, index % 3 === 0 ? 0 : 5))
    expect(intervalsOf(readings)).toEqual([[0, 3600, 2400, 1200, 'measured']])
  })

  it('are kept apart where they are known in another way, or something is missing', () => {
    const stretches = [
      reading(0, 5),
      reading(10, 5, 'estimated'),
      reading(20, 0, 'missing'),
      reading(30, 5),
      reading(50, 5),
    ]
    expect(intervalsOf(stretches)).toEqual([
      [0, 10, 10, 5, 'measured'],
      [10, 20, 10, 5, 'estimated'],
      [30, 40, 10, 5, 'measured'],
      [50, 60, 10, 5, 'measured'],
    ])
  })

  it('are nothing where nothing was used', () => {
    expect(intervalsOf([reading(0, 0), reading(10, 0), reading(20, 0, 'missing')])).toEqual([])
  })
})
