import { describe, expect, it } from 'vitest'
import { gapLimitMs, kwhFromMws, mwsFromPower, mwsFromWh, whFromMws, wsFromMws } from '../../src/metering/index.js'

describe('energy units', () => {
  it('computes a power over a time in whole milliwatt-seconds', () => {
    expect(mwsFromPower(1, 1)).toBe(1)
    expect(mwsFromPower(60, 3_600_000)).toBe(216_000_000)
    expect(mwsFromPower(0.1, 3)).toBe(0)
    expect(mwsFromPower(-2.5, 1_000)).toBe(-2_500)
  })

  it('never gives a negative zero', () => expect(Object.is(mwsFromPower(-0.1, 1), 0)).toBe(true))

  it('computes watt-hours in whole milliwatt-seconds, free of binary noise', () => {
    expect(mwsFromWh(1)).toBe(3_600_000)
    expect(mwsFromWh(35.6 * 1_000)).toBe(128_160_000_000)
    expect(mwsFromWh(0.1) + mwsFromWh(0.2)).toBe(mwsFromWh(0.3))
  })

  it('shows milliwatt-seconds as W·s, Wh and kWh', () => {
    expect(wsFromMws(1_500)).toBe(1.5)
    expect(whFromMws(5_400_000)).toBe(1.5)
    expect(kwhFromMws(5_400_000_000)).toBe(1.5)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e20])('refuses %s, which cannot be kept exactly', (value) => {
    expect(() => mwsFromPower(value, 1)).toThrow(RangeError)
    expect(() => mwsFromWh(value)).toThrow(RangeError)
  })
})

describe('the gap limit', () => {
  it('is three reporting periods', () => expect(gapLimitMs(30_000)).toBe(90_000))
  it('is at least a minute', () => expect(gapLimitMs(10_000)).toBe(60_000))
  it('is five minutes where no period is declared', () => expect(gapLimitMs(undefined)).toBe(300_000))
  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('takes a period of %s for none', (period) => {
    expect(gapLimitMs(period)).toBe(300_000)
  })
})
