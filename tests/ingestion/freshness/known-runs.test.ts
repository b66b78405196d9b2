import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Claim,
  freshnessOf,
  isPresentWill,
  type KnownRuns,
  withMessage,
} from '../../../src/ingestion/freshness/known-runs.js'

const nothing: KnownRuns = { current: undefined, past: [] }
const minute = 60_000

function claim(boot: string | undefined, sequence: number | undefined, more: Partial<Claim> = {}): Claim {
  const arrivalMs = more.arrivalMs ?? 1_000 * minute
  return {
    boot,
    sequence,
    run: undefined,
    connection: undefined,
    ownMs: undefined,
    arrivalMs,
    isVouched: false,
    ...more,
  }
}

/** What is known after these messages, each of which has to be new. */
function knownAfter(...claims: readonly Claim[]): KnownRuns {
  return claims.reduce((known, one) => {
    expect(freshnessOf(known, one)).toBe('present')
    return withMessage(known, one)
  }, nothing)
}

const timed = (boot: string, sequence: number, ownMs: number) => claim(boot, sequence, { ownMs })

describe('a signed message', () => {
  it('is new with a number above all of its run, and was taken with one of these', () => {
    const known = knownAfter(timed('1', 5, 0), claim('1', 6), claim('1', 9))
    expect(freshnessOf(known, claim('1', 10))).toBe('present')
    expect(freshnessOf(known, claim('1', 6))).toBe('repeated')
    expect(freshnessOf(known, claim('1', 7))).toBe('not_fresh')
    expect(freshnessOf(known, timed('1', 7, 0))).toBe('past')
    expect(freshnessOf(known, timed('1', 9, 0))).toBe('past')
  })

  it('shows nothing of the present once its run was followed, whatever it says', () => {
    const known = knownAfter(timed('1', 5, 0), timed('2', 1, minute))
    for (const sequence of [5, 6, 1_000]) {
      expect(freshnessOf(known, claim('1', sequence, { run: 99 }))).toBe('not_fresh')
      expect(freshnessOf(known, timed('1', sequence, 2 * minute))).toBe('past')
    }
  })

  it('begins a run by its own time if that is not before what was taken, or by a larger number of a run', () => {
    const known = knownAfter(claim('7', 1, { run: 7, ownMs: 10 * minute }))
    expect(freshnessOf(known, claim('x', 1))).toBe('not_fresh')
    expect(freshnessOf(known, timed('x', 1, 9 * minute))).toBe('past')
    expect(freshnessOf(known, timed('x', 1, 10 * minute))).toBe('present')
    expect(freshnessOf(known, claim('x', 1, { run: 7 }))).toBe('not_fresh')
    expect(freshnessOf(known, claim('x', 1, { run: 8 }))).toBe('present')
  })

  it('does not begin the first run that is known without either', () => {
    expect(freshnessOf(nothing, claim('1', 1))).toBe('not_fresh')
    expect(freshnessOf(nothing, claim('1', 1, { run: 0 }))).toBe('present')
    expect(freshnessOf(nothing, timed('1', 1, 0))).toBe('present')
  })

  it('cannot be of a run whose number is below one that was shown, though many have followed', () => {
    const runs = Array.from({ length: 500 }, (_, run) => claim(`boot-${run}`, 1, { run }))
    const known = knownAfter(...runs)
    expect(known.past).toHaveLength(64)
    for (const old of runs.slice(0, -1)) expect(freshnessOf(known, { ...old, sequence: 99 })).toBe('not_fresh')
  })

  it('shows nothing of the present without a run, or a number of its own', () => {
    for (const one of [claim(undefined, 1), claim('1', undefined)]) {
      expect(freshnessOf(nothing, one)).toBe('not_fresh')
      expect(freshnessOf(nothing, { ...one, ownMs: 0 })).toBe('past')
      expect(freshnessOf(nothing, { ...one, isVouched: true })).toBe('present')
    }
  })

  it('is not present twice, in whatever order messages come and come again', () => {
    const message = fc.record({ boot: fc.nat(3), sequence: fc.nat(5), isTimed: fc.boolean(), isNumbered: fc.boolean() })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), (messages) => {
        const present = new Set<string>()
        let known = nothing
        for (const { boot, sequence, isTimed, isNumbered } of messages) {
          const ownMs = isTimed ? boot * minute + sequence : undefined
          const one = claim(String(boot), sequence, {
            ownMs,
            run: isNumbered ? boot : undefined,
            arrivalMs: boot * minute,
          })
          if (freshnessOf(known, one) !== 'present') continue
          expect(present).not.toContain(`${boot} ${sequence}`)
          present.add(`${boot} ${sequence}`)
          known = withMessage(known, one)
        }
      }),
    )
  })
})

describe('a last will', () => {
  const connected = (connection: number, sequence: number) => claim('1', sequence, { ownMs: 0, connection })

  it('is that of the connection that the device has now', () => {
    const known = knownAfter(connected(1, 1), connected(2, 7))
    expect(isPresentWill(known, claim('1', undefined, { connection: 2 }))).toBe(true)
    expect(isPresentWill(known, claim('1', undefined, { connection: 1 }))).toBe(false)
    expect(isPresentWill(known, claim('1', undefined))).toBe(false)
  })

  it('is of the present run at least, where the device does not number its connections', () => {
    const known = knownAfter(timed('1', 1, 0), timed('2', 1, minute))
    expect(isPresentWill(known, claim('2', undefined))).toBe(true)
    for (const boot of ['1', '3', undefined]) expect(isPresentWill(known, claim(boot, undefined))).toBe(false)
    // Without a signature the broker says it, now: but not of a run that is over.
    expect(isPresentWill(known, claim(undefined, undefined, { isVouched: true }))).toBe(true)
    expect(isPresentWill(known, claim('1', undefined, { isVouched: true }))).toBe(false)
  })
})
