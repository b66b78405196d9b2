import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Boot, BootClock } from '../../../src/ingestion/relay/boot-clock.js'
import { runs } from '../../support/extent.js'

const second = 1000
const minute = 60 * second
const day = 24 * 60 * minute
const wrap = 2 ** 32
const start = Date.parse('2026-03-01T00:00:00Z')

/** A clock that has placed one message, sent this long after the start. */
function clockAt(runMs: number): BootClock {
  const clock = new BootClock(undefined)
  clock.read(runMs % wrap, start + runMs, start + runMs)
  return clock
}

const live = (clock: BootClock, uptimeMs: number, arrivalMs: number) => clock.read(uptimeMs, arrivalMs, arrivalMs)

describe('the boot clock', () => {
  it('knows the start from the first message', () => {
    const { boot, atMs, isNewBoot } = live(new BootClock(undefined), 5 * minute, start + 5 * minute)
    expect(boot).toMatchObject({ startedMs: start, runMs: 5 * minute })
    expect([atMs, isNewBoot]).toEqual([start + 5 * minute, false])
  })

  it('places a message that a stall has delayed by its own clock, and what comes after it in the same run', () => {
    const clock = clockAt(minute)
    const stalled = live(clock, 2 * minute, start + 2 * minute + 40 * second)
    expect(stalled).toMatchObject({ atMs: start + 2 * minute, isNewBoot: false })
    for (let n = 3; n < 20; n += 1) {
      const { boot, atMs, isNewBoot } = live(clock, n * minute, start + n * minute + 100)
      expect([boot.id, isNewBoot]).toEqual([stalled.boot.id, false])
      expect(Math.abs(atMs - start - n * minute)).toBeLessThan(second)
    }
  })

  it.each([15, 60, 600])('is corrected where the clock of the device is %i s fast', (seconds) => {
    const clock = clockAt(minute)
    const fast = seconds * second
    for (let n = 2; n < 10; n += 1) {
      const { atMs, isNewBoot } = live(clock, n * minute + fast, start + n * minute)
      expect([atMs, isNewBoot]).toEqual([start + n * minute, false])
    }
  })

  it.each([15, 60, 600])('is corrected where the clock of the device is %i s slow', (seconds) => {
    const clock = clockAt(2 * day)
    const slow = seconds * second
    const placed = Array.from({ length: 10 }, (_, n) => {
      const runMs = 2 * day + (n + 1) * 30 * minute
      const { atMs, isNewBoot } = live(clock, runMs - slow, start + runMs)
      expect(isNewBoot).toBe(false)
      return start + runMs - atMs
    })
    expect(placed.at(-1)).toBe(0)
  })

  it('takes a smaller time since boot for a restart, and nothing else', () => {
    const clock = clockAt(10 * minute)
    const first = clock.boot as Boot
    const restarted = live(clock, 5 * second, start + 20 * minute)
    expect(restarted).toMatchObject({ isNewBoot: true, atMs: start + 20 * minute })
    expect(restarted.boot.startedMs).toBe(start + 20 * minute - 5 * second)
    expect(restarted.boot.id).not.toBe(first.id)
    expect(live(clock, 6 * second, start + 20 * minute + second)).toMatchObject({ isNewBoot: false })
  })

  it('does not take a message that comes again for a restart', () => {
    const clock = clockAt(10 * minute)
    live(clock, 11 * minute, start + 11 * minute)
    const again = live(clock, 10 * minute, start + 30 * minute - 20 * minute + 2 * minute)
    expect(again).toMatchObject({ isNewBoot: false, isLate: true, runMs: 10 * minute, atMs: start + 10 * minute })
    expect(live(clock, 11 * minute, start + 25 * minute)).toMatchObject({ isNewBoot: false, atMs: start + 11 * minute })
    expect(live(clock, 26 * minute, start + 26 * minute)).toMatchObject({ isNewBoot: false, atMs: start + 26 * minute })
  })

  it('knows a message of the run before when it comes again after a restart', () => {
    const clock = clockAt(10 * minute)
    const { id } = clock.boot as Boot
    live(clock, 5 * second, start + 20 * minute)
    const again = live(clock, 10 * minute, start + 21 * minute)
    expect(again).toMatchObject({ boot: { id }, isNewBoot: false, isLate: true, atMs: start + 10 * minute })
    expect(live(clock, 2 * minute, start + 22 * minute)).toMatchObject({ isNewBoot: false, isLate: false })
  })

  it('goes on when the milliseconds wrap after 49.7 days', () => {
    const clock = clockAt(wrap - minute)
    const { id } = clock.boot as Boot
    const after = live(clock, minute, start + wrap + minute)
    expect(after).toMatchObject({ boot: { id }, isNewBoot: false, runMs: wrap + minute, atMs: start + wrap + minute })
    expect(live(clock, 2 * minute, start + 2 * wrap + 2 * minute)).toMatchObject({
      boot: { id },
      runMs: 2 * wrap + 2 * minute,
    })
    expect(live(clock, minute, start + 2 * wrap + 10 * minute + 3 * day)).toMatchObject({ isNewBoot: true })
  })

  it('wraps although the clock has drifted by minutes until then', () => {
    const clock = clockAt(day)
    expect(live(clock, 5 * second, start + wrap + 5 * minute)).toMatchObject({
      isNewBoot: false,
      runMs: wrap + 5 * second,
    })
  })

  it('goes on in another process where this one ended', () => {
    const known = clockAt(10 * minute).boot as Boot
    const clock = new BootClock(known)
    expect(live(clock, 11 * minute, start + 11 * minute)).toMatchObject({ boot: { id: known.id }, isNewBoot: false })
    expect(live(clock, minute, start + 40 * minute)).toMatchObject({ isNewBoot: true })
  })

  it('places what was held up while nobody listened by the clock, however late it comes', () => {
    const clock = clockAt(10 * minute)
    const arrival = start + 9 * 60 * minute
    const heldUp = clock.read(12 * minute, arrival, start + 11 * minute)
    expect(heldUp).toMatchObject({ atMs: start + 12 * minute, isNewBoot: false })
    expect(clock.read(540 * minute, arrival, start + 11 * minute)).toMatchObject({ atMs: arrival, isNewBoot: false })
  })

  it('corrects the start of a run whose first messages were held up', () => {
    const clock = clockAt(10 * minute)
    const arrival = start + 60 * minute
    const heldUp = clock.read(minute, arrival, start + 11 * minute)
    expect(heldUp.isNewBoot).toBe(true)
    const later = clock.read(30 * minute, arrival, start + 11 * minute)
    expect(later).toMatchObject({ isNewBoot: false, boot: { id: heldUp.boot.id, startedMs: start + 30 * minute } })
  })

  it('knows of no more runs than there were, whatever the delays and the drift', () => {
    const run = fc.array(
      fc.record({
        waitMs: fc.integer({ min: second, max: 3 * day }),
        delayMs: fc.oneof(
          { weight: 4, arbitrary: fc.integer({ min: 0, max: 500 }) },
          fc.integer({ min: 0, max: 2 * minute }),
        ),
      }),
      { minLength: 1, maxLength: 15 },
    )
    fc.assert(
      fc.property(
        fc.array(run, { minLength: 1, maxLength: 3 }),
        fc.double({ min: -1e-4, max: 1e-4, noNaN: true }),
        (runs, drift) => {
          const clock = new BootClock(undefined)
          const ids = new Set<string>()
          let nowMs = start
          let lastArrivalMs = start
          for (const messages of runs) {
            nowMs += 30 * second
            const startedMs = nowMs
            for (const { waitMs, delayMs } of messages) {
              nowMs += waitMs
              // TCP keeps the order: what comes after a stall waits for it.
              const arrivalMs = Math.max(lastArrivalMs, nowMs + delayMs)
              lastArrivalMs = arrivalMs
              const runMs = Math.round((nowMs - startedMs) * (1 + drift))
              const { boot, atMs } = live(clock, runMs % wrap, arrivalMs)
              ids.add(boot.id)
              expect(atMs).toBeLessThanOrEqual(arrivalMs)
            }
          }
          expect(ids.size).toBeLessThanOrEqual(runs.length)
        },
      ),
      { numRuns: runs(700) },
    )
  })
})
