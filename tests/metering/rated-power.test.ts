import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ratedPowerStretches, ratedStretches, type SwitchState } from '../../src/metering/index.js'

const HOUR_MS = 3_600_000
const KWH_MWS = 3_600_000_000

const on = (atMs: number, more: Partial<SwitchState> = {}): SwitchState => ({
  atMs,
  on: true,
  ratedPowerW: 1_000,
  ...more,
})
const off = (atMs: number, more: Partial<SwitchState> = {}): SwitchState => ({ ...on(atMs, more), on: false })

const alive = (atMs: number, more: Partial<SwitchState> = {}): SwitchState => ({ ...on(atMs, more), on: undefined })
const restart = (atMs: number, silentSinceMs: number, boot: string) =>
  alive(atMs, { silentSinceMs, boot, isRestart: true })

const states = fc.uniqueArray(
  fc.record({
    atMs: fc.nat({ max: 1_000 }),
    on: fc.boolean(),
    ratedPowerW: fc.constantFrom(0, 7.5, 60),
    silentSinceMs: fc.option(fc.nat({ max: 1_000 }), { nil: undefined }),
  }),
  { selector: ({ atMs }) => atMs, maxLength: 12 },
)

describe('rated power while on', () => {
  it('counts from switch-on to switch-off, however long', () => {
    expect(ratedPowerStretches([on(0), off(100 * HOUR_MS)])).toEqual([
      { fromMs: 0, toMs: 100 * HOUR_MS, consumedMws: 100 * KWH_MWS, producedMws: 0, quality: 'measured' },
    ])
  })

  it('is nothing while off, and that is measured', () => {
    expect(ratedStretches(off(0), on(HOUR_MS))).toMatchObject([{ consumedMws: 0, quality: 'measured' }])
  })

  it('is that of the state it was switched on with', () => {
    expect(ratedStretches(on(0), off(HOUR_MS, { ratedPowerW: 60 }))).toMatchObject([{ consumedMws: KWH_MWS }])
  })

  it('is estimated for a silence from which the switch comes back on', () => {
    expect(ratedStretches(on(0), on(3 * HOUR_MS, { silentSinceMs: HOUR_MS }))).toMatchObject([
      { fromMs: 0, toMs: HOUR_MS, consumedMws: KWH_MWS, quality: 'measured' },
      { fromMs: HOUR_MS, toMs: 3 * HOUR_MS, consumedMws: 2 * KWH_MWS, quality: 'estimated' },
    ])
  })

  it('counts to the last sign of life if the switch comes back off, and the rest is missing', () => {
    expect(ratedStretches(on(0), off(3 * HOUR_MS, { silentSinceMs: HOUR_MS }))).toMatchObject([
      { fromMs: 0, toMs: HOUR_MS, consumedMws: KWH_MWS, quality: 'measured' },
      { fromMs: HOUR_MS, toMs: 3 * HOUR_MS, consumedMws: 0, quality: 'missing' },
    ])
  })

  it('is missing for a silence in which an off switch came on, and estimated to be nothing if it stayed off', () => {
    expect(ratedStretches(off(0), on(3, { silentSinceMs: 1 }))).toMatchObject([
      { fromMs: 0, toMs: 1, consumedMws: 0, quality: 'measured' },
      { fromMs: 1, toMs: 3, consumedMws: 0, quality: 'missing' },
    ])
    expect(ratedStretches(off(0), off(3, { silentSinceMs: 1 }))).toMatchObject([
      { quality: 'measured' },
      { fromMs: 1, toMs: 3, consumedMws: 0, quality: 'estimated' },
    ])
  })

  it('is silent from the earlier state on, if it was already silent then', () => {
    expect(ratedStretches(on(10), on(20, { silentSinceMs: 5 }))).toMatchObject([
      { fromMs: 10, toMs: 20, consumedMws: 10_000, quality: 'estimated' },
    ])
  })

  it('ends at the last sign of life before a reboot', () => {
    const rebooted = ratedPowerStretches([on(0), off(HOUR_MS), on(2 * HOUR_MS), off(3 * HOUR_MS)])

    expect(rebooted.map(({ consumedMws }) => consumedMws)).toEqual([KWH_MWS, 0, KWH_MWS])
  })

  it('of a switch that is still on counts to the last sign of life', () => {
    expect(ratedPowerStretches([on(0)], { lastSignOfLifeMs: HOUR_MS })).toMatchObject([
      { consumedMws: KWH_MWS, toMs: HOUR_MS },
    ])
    expect(ratedPowerStretches([on(0)])).toEqual([])
    expect(ratedPowerStretches([on(HOUR_MS)], { lastSignOfLifeMs: 0 })).toEqual([])
    expect(ratedPowerStretches([], { lastSignOfLifeMs: HOUR_MS })).toEqual([])
  })

  it('goes on after a sign of life as before, with the rating that it had', () => {
    expect(
      ratedPowerStretches([alive(0), on(HOUR_MS), alive(2 * HOUR_MS, { ratedPowerW: 5 }), off(3 * HOUR_MS)]),
    ).toEqual(
      [HOUR_MS, 2 * HOUR_MS].map((fromMs) => ({
        fromMs,
        toMs: fromMs + HOUR_MS,
        consumedMws: KWH_MWS,
        producedMws: 0,
        quality: 'measured',
      })),
    )
  })

  it('keeps the energy of a silence before a sign of life, as an estimate', () => {
    const after = ratedPowerStretches([on(0), alive(3 * HOUR_MS, { silentSinceMs: HOUR_MS }), off(4 * HOUR_MS)])
    expect(after.map(({ quality, toMs }) => [quality, toMs / HOUR_MS])).toEqual([
      ['measured', 1],
      ['estimated', 3],
      ['measured', 4],
    ])
  })

  it('is silent no longer where a sign of life is found in a silence', () => {
    const found = [on(0), alive(2 * HOUR_MS), alive(3 * HOUR_MS, { silentSinceMs: HOUR_MS }), off(4 * HOUR_MS)]
    expect(ratedPowerStretches(found).map(({ quality, toMs }) => [quality, toMs / HOUR_MS])).toEqual([
      ['measured', 2],
      ['estimated', 3],
      ['measured', 4],
    ])
  })

  it('is off from the last sign of life before a restart until a state is reported', () => {
    const states = [on(0, { boot: '1' }), restart(2 * HOUR_MS, HOUR_MS, '2'), on(3 * HOUR_MS, { boot: '2' })]
    expect(ratedPowerStretches(states, { lastSignOfLifeMs: 4 * HOUR_MS })).toMatchObject([
      { toMs: HOUR_MS, consumedMws: KWH_MWS },
      { toMs: 2 * HOUR_MS, consumedMws: 0, quality: 'measured' },
      { toMs: 3 * HOUR_MS, consumedMws: 0 },
      { toMs: 4 * HOUR_MS, consumedMws: KWH_MWS },
    ])
  })

  it('believes no restart after another fact of the same boot', () => {
    const states = [
      on(0, { boot: '1' }),
      restart(HOUR_MS, 0, '2'),
      on(2 * HOUR_MS, { boot: '2' }),
      alive(3 * HOUR_MS, { boot: '2' }),
      restart(3 * HOUR_MS, 0, '2'),
    ]
    const stretches = ratedPowerStretches(states, { lastSignOfLifeMs: 4 * HOUR_MS })
    expect(stretches.map(({ consumedMws }) => consumedMws / KWH_MWS)).toEqual([0, 0, 1, 1])
  })

  it('refuses states in the wrong order and a negative rating', () => {
    expect(() => ratedStretches(on(1), off(0))).toThrow(RangeError)
    expect(() => ratedStretches(on(0, { ratedPowerW: -1 }), off(1))).toThrow(RangeError)
    expect(() => ratedStretches(on(0, { ratedPowerW: Number.NaN }), off(1))).toThrow(RangeError)
  })

  it('gives the same stretches in whatever order and however often the states arrive, and pair by pair', () => {
    const arrivals = states.chain((all) => {
      const twice = [...all, ...all]
      return fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray(twice, { minLength: twice.length, maxLength: twice.length }),
      )
    })
    fc.assert(
      fc.property(
        arrivals,
        fc.option(fc.nat({ max: 1_500 }), { nil: undefined }),
        ([all, arrived], lastSignOfLifeMs) => {
          const stretches = ratedPowerStretches(all, { lastSignOfLifeMs })
          expect(ratedPowerStretches(arrived, { lastSignOfLifeMs })).toEqual(stretches)
          const sorted = all.toSorted((a, b) => a.atMs - b.atMs)
          const pairwise = sorted.slice(1).flatMap((to, index) => ratedStretches(sorted[index] ?? to, to))
          expect(stretches.slice(0, pairwise.length)).toEqual(pairwise)
        },
      ),
    )
  })
})
