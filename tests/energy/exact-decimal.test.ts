import fc from 'fast-check'
import { Decimal128 } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { exactOf, toDecimal } from '../../src/energy/exact-decimal.js'

const largest = 10n ** 34n - 1n
const wholeNumbers = fc.oneof(
  fc.bigInt({ min: -largest, max: largest }),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.bigInt({ min: -1000n, max: 1000n }),
)

describe('an exact decimal', () => {
  it('has the bytes that the driver gives the number', () => {
    fc.assert(
      fc.property(wholeNumbers, (value) => {
        expect(toDecimal(value).bytes).toEqual(Decimal128.fromString(value.toString()).bytes)
      }),
      { numRuns: 3000, examples: [[0n], [largest], [-largest], [2n ** 64n], [-(2n ** 64n)]] },
    )
  })

  it('is read back as the number that it was', () => {
    fc.assert(
      fc.property(wholeNumbers, (value) => {
        expect(exactOf(toDecimal(value))).toBe(value)
        expect(exactOf(Decimal128.fromString(value.toString()))).toBe(value)
      }),
      { numRuns: 3000 },
    )
  })

  it('is read where the server has given it an exponent, or made it a plain 0', () => {
    expect(exactOf(Decimal128.fromString('1.2E+4'))).toBe(12_000n)
    expect(exactOf(Decimal128.fromString('-34E+3'))).toBe(-34_000n)
    expect(exactOf(0)).toBe(0n)
  })

  it('is refused where it is no whole number', () => {
    expect(() => exactOf(Decimal128.fromString('1.5'))).toThrow(RangeError)
    expect(() => exactOf(Decimal128.fromString('NaN'))).toThrow(SyntaxError)
    expect(() => exactOf(Decimal128.fromString('Infinity'))).toThrow(SyntaxError)
  })

  it('of more digits than there are is refused', () => {
    expect(() => toDecimal(largest * 10n + 1n)).toThrow()
  })
})
