import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PowerReading, powerStretch, powerStretches, sumStretches } from '../../src/metering/index.js'

const at = (atMs: number, powerW: number, more: Partial<PowerReading> = {}): PowerReading => ({
  atMs,
  powerW,
  gapLimitMs: 60_000,
  ...more,
})

const readings = fc.array(
  fc.record({
    atMs: fc.nat({ max: 500_000 }),
    powerW: fc.oneof(
      { weight: 6, arbitrary: fc.double({ min: -3_000, max: 3_000, noNaN: true }) },
      { weight: 1, arbitrary: fc.constant(undefined) },
    ),
    gapLimitMs: fc.constantFrom(60_000, 300_000),
    sequence: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
  }),
  { maxLength: 20 },
)

describe('measured power', () => {
  it('holds until the next reading', () => {
    expect(powerStretches([at(0, 100), at(10_000, 40), at(15_000, 0)])).toEqual([
      { fromMs: 0, toMs: 10_000, consumedMws: 1_000_000, producedMws: 0, quality: 'measured' },
      { fromMs: 10_000, toMs: 15_000, consumedMws: 200_000, producedMws: 0, quality: 'measured' },
    ])
  })

  it('is production where it is negative', () => {
    expect(powerStretch(at(0, -100), { atMs: 10_000 })).toMatchObject({ consumedMws: 0, producedMws: 1_000_000 })
  })

  it('holds for the gap limit and not a millisecond longer', () => {
    expect(powerStretch(at(0, 100), { atMs: 60_000 })).toMatchObject({ consumedMws: 6_000_000, quality: 'measured' })
    expect(powerStretch(at(0, 100), { atMs: 60_001 })).toEqual({
      fromMs: 0,
      toMs: 60_001,
      consumedMws: 0,
      producedMws: 0,
      quality: 'missing',
    })
  })

  it('of two readings at one instant is that of the later by sequence', () => {
    const first = at(5_000, 7, { sequence: 1 })
    const second = at(5_000, 9, { sequence: 2 })

    expect(powerStretches([second, at(0, 1), at(6_000, 0), first])).toMatchObject([
      { fromMs: 0, toMs: 5_000, consumedMws: 5_000 },
      { fromMs: 5_000, toMs: 6_000, consumedMws: 9_000 },
    ])
  })

  it('ends at a reading that was refused, from which nothing is known', () => {
    const refused = { ...at(10_000, 0), powerW: undefined }
    const missing = { consumedMws: 0, quality: 'missing' }

    expect(powerStretches([at(0, 100), refused, at(15_000, 40), at(20_000, 0)])).toMatchObject([
      { fromMs: 0, toMs: 10_000, consumedMws: 1_000_000, quality: 'measured' },
      { fromMs: 10_000, toMs: 15_000, ...missing },
      { fromMs: 15_000, toMs: 20_000, consumedMws: 200_000, quality: 'measured' },
    ])
  })

  it('is that of the reading which was refused once, and accepted another time', () => {
    const place = { boot: 'b', sequence: 3 }
    const refused = { ...at(5_000, 0, { ...place, digest: 'z' }), powerW: undefined }

    expect(powerStretches([refused, at(5_000, 7, { ...place, digest: 'a' }), at(6_000, 0)])).toMatchObject([
      { consumedMws: 7_000, quality: 'measured' },
    ])
  })

  it('refuses a reading that is before the one it is to follow, and a power that is no number', () => {
    expect(() => powerStretch(at(1, 1), { atMs: 0 })).toThrow(RangeError)
    expect(() => powerStretch(at(0, Number.NaN), { atMs: 1 })).toThrow(RangeError)
  })

  it('gives the same stretches in whatever order and however often the readings arrive', () => {
    const arrivals = readings.chain((all) => {
      const twice = [...all, ...all]
      return fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray(twice, { minLength: twice.length, maxLength: twice.length }),
      )
    })
    fc.assert(
      fc.property(arrivals, ([all, arrived]) => {
        expect(powerStretches(arrived)).toEqual(powerStretches(all))
      }),
    )
  })

  it('is the same computed pair by pair as for the whole list', () => {
    const distinct = fc.uniqueArray(
      readings.filter((list) => list.length > 0).map((list) => list[0] ?? at(0, 0)),
      {
        selector: ({ atMs }) => atMs,
        maxLength: 20,
      },
    )
    fc.assert(
      fc.property(distinct, (list) => {
        const sorted = list.toSorted((a, b) => a.atMs - b.atMs)
        const pairwise = sorted.slice(1).map((to, index) => powerStretch(sorted[index] ?? to, to))
        expect(powerStretches(list)).toEqual(pairwise)
      }),
    )
  })

  it('changes only the stretch that a late reading falls into', () => {
    const late = at(5_000, 300)
    const before = [at(0, 100), at(10_000, 100), at(20_000, 0)]

    const change =
      sumStretches(powerStretches([...before, late])).consumedMws - sumStretches(powerStretches(before)).consumedMws

    expect(change).toBe(200 * 5_000)
  })
})
