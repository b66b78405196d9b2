import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareReadings, type ReadingOrder } from '../../src/metering/index.js'
import { runs } from '../support/extent.js'

const order: fc.Arbitrary<ReadingOrder> = fc.record({
  atMs: fc.nat({ max: 2 }),
  boot: fc.constantFrom(undefined, '', '0', '1', '01', '9', '10', 'a', 'b1'),
  sequence: fc.constantFrom(undefined, 0, 1, 2),
  digest: fc.constantFrom(undefined, 'aa', 'ab'),
})

describe('the order of readings', () => {
  it('is by time first', () => {
    expect(compareReadings({ atMs: 1, boot: '9', sequence: 9, digest: 'ff' }, { atMs: 2 })).toBe(-1)
  })

  it('is by boot before sequence', () => {
    expect(compareReadings({ atMs: 1, boot: '1', sequence: 9 }, { atMs: 1, boot: '2', sequence: 0 })).toBe(-1)
  })

  it('counts boots', () => {
    expect(compareReadings({ atMs: 1, boot: '9' }, { atMs: 1, boot: '10' })).toBe(-1)
  })

  it('is by digest where time, boot and sequence agree', () => {
    expect(compareReadings({ atMs: 1, sequence: 3, digest: 'b' }, { atMs: 1, sequence: 3, digest: 'a' })).toBe(1)
  })

  it('is total, antisymmetric and transitive', () => {
    fc.assert(
      fc.property(order, order, order, (a, b, c) => {
        expect(compareReadings(a, b)).toBe(0 - compareReadings(b, a))
        const same = a.atMs === b.atMs && a.boot === b.boot && a.sequence === b.sequence && a.digest === b.digest
        expect(compareReadings(a, b) === 0).toBe(same)
        if (compareReadings(a, b) <= 0 && compareReadings(b, c) <= 0)
          expect(compareReadings(a, c)).toBeLessThanOrEqual(0)
      }),
      { numRuns: runs(5000) },
    )
  })
})
