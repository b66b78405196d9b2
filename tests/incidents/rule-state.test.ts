import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RuleLimits, type RuleState, stepped } from '../../src/incidents/rules/rule-state.js'
import { type NaiveEvent, type NaiveReading, naiveEvents } from './support/naive-rule.js'

const never: RuleState = { phase: 'normal', sinceMs: 0, lastMs: 0 }

function eventsOf(readings: readonly NaiveReading[], limits: RuleLimits): NaiveEvent[] {
  let state = never
  return readings.flatMap(({ atMs, value, isActive }) => {
    const step = stepped(state, atMs, value, limits, isActive)
    state = step.state
    return step.event === undefined ? [] : [{ event: step.event, atMs }]
  })
}

const limits: RuleLimits = { raiseAt: 30, clearAt: 28, holdMs: 20, clearHoldMs: 10, gapMs: 15 }
const readings = (...values: readonly number[]) => values.map((value, at) => ({ atMs: 1_000 + at * 10, value }))

describe('a rule', () => {
  it('opens when the value has stayed, and closes when it has stayed away', () => {
    expect(eventsOf(readings(29, 30, 31, 29, 30, 30, 30, 29, 28, 29, 28, 27, 30), limits)).toEqual([
      { event: 'open', atMs: 1_060 },
      { event: 'close', atMs: 1_110 },
    ])
  })

  it('counts no time in which nothing was measured', () => {
    const paused = [
      { atMs: 1_000, value: 31 },
      { atMs: 1_016, value: 31 },
      { atMs: 1_030, value: 31 },
    ]
    expect(eventsOf(paused, limits)).toEqual([])
    expect(eventsOf([...paused, { atMs: 1_036, value: 31 }], limits)).toEqual([{ event: 'open', atMs: 1_036 }])
  })

  it('begins nothing at times at which it does not hold, and ends what has begun', () => {
    const at = (atMs: number, value: number, isActive: boolean) => ({ atMs, value, isActive })
    const night = [at(1_000, 31, false), at(1_010, 31, false), at(1_020, 31, false)]
    expect(eventsOf(night, limits)).toEqual([])
    const begun = [
      at(1_000, 31, true),
      at(1_010, 31, true),
      at(1_020, 31, true),
      at(1_030, 20, false),
      at(1_040, 20, false),
    ]
    expect(eventsOf(begun, limits)).toEqual([
      { event: 'open', atMs: 1_020 },
      { event: 'close', atMs: 1_040 },
    ])
  })
})

const someLimits = fc
  .record({
    raiseAt: fc.integer({ min: 3, max: 8 }),
    below: fc.integer({ min: 0, max: 3 }),
    holdMs: fc.integer({ min: 0, max: 30 }),
    clearHoldMs: fc.integer({ min: 0, max: 30 }),
    gapMs: fc.integer({ min: 3, max: 20 }),
  })
  .map(({ below, ...rest }) => ({ ...rest, clearAt: rest.raiseAt - below }))

const someReadings = fc
  .array(
    fc.record({
      afterMs: fc.integer({ min: 1, max: 12 }),
      value: fc.integer({ min: 0, max: 10 }),
      isActive: fc.boolean(),
    }),
    {
      maxLength: 200,
    },
  )
  .map((steps) => {
    let atMs = 1_000
    return steps.map(({ afterMs, value, isActive }) => {
      atMs += afterMs
      return { atMs, value, isActive: isActive || value % 3 > 0 }
    })
  })

describe('any readings', () => {
  it('open and close as the naive model says', () => {
    fc.assert(
      fc.property(someReadings, someLimits, (list, some) => {
        expect(eventsOf(list, some)).toEqual(naiveEvents(list, some))
      }),
      { numRuns: 2_000 },
    )
  })

  it('close once for each opening, and never sooner than they have to stay', () => {
    fc.assert(
      fc.property(someReadings, someLimits, (list, some) => {
        const events = eventsOf(list, some)
        for (const [place, { event, atMs }] of events.entries()) {
          expect(event).toBe(place % 2 === 0 ? 'open' : 'close')
          const before = events[place - 1]
          if (before === undefined) continue
          expect(atMs - before.atMs).toBeGreaterThanOrEqual(event === 'open' ? some.holdMs : some.clearHoldMs)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
