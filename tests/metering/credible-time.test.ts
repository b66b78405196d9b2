import { describe, expect, it } from 'vitest'
import { credibleTime, DEFAULT_EARLIEST_CREDIBLE_MS } from '../../src/metering/index.js'

const arrivalMs = Date.UTC(2024, 5, 1)
const timeOf = (deviceTimeMs: number | undefined, earliestMs?: number) =>
  credibleTime({ deviceTimeMs, arrivalMs, earliestMs })

describe("a reading's time", () => {
  it("is the device's where it is credible", () => {
    expect(timeOf(arrivalMs - 86_400_000)).toEqual({ atMs: arrivalMs - 86_400_000, clockReplaced: false })
  })

  it('may be five minutes ahead and not more', () => {
    expect(timeOf(arrivalMs + 300_000)).toEqual({ atMs: arrivalMs + 300_000, clockReplaced: false })
    expect(timeOf(arrivalMs + 300_001)).toEqual({ atMs: arrivalMs, clockReplaced: true })
  })

  it('may not be before 2020, unless a replay of old data says so', () => {
    expect(timeOf(DEFAULT_EARLIEST_CREDIBLE_MS)).toMatchObject({ clockReplaced: false })
    expect(timeOf(DEFAULT_EARLIEST_CREDIBLE_MS - 1)).toEqual({ atMs: arrivalMs, clockReplaced: true })
    expect(timeOf(0, 0)).toEqual({ atMs: 0, clockReplaced: false })
  })

  it('is the arrival, flagged, where the device has none', () => {
    expect(timeOf(undefined)).toEqual({ atMs: arrivalMs, clockReplaced: true })
    expect(timeOf(Number.NaN)).toEqual({ atMs: arrivalMs, clockReplaced: true })
  })
})
