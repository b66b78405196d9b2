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

  it('is read in each of its forms, whatever the exponent', () => {
    const exponents = fc.integer({ min: -6176, max: 6111 })
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
        fc.nat(20),
        exponents,
        (value, zeros, exponent) => {
          const unit = 10n ** BigInt(zeros)
          expect(exactOf(Decimal128.fromString(`${value * unit}E-${zeros}`))).toBe(value)
          expect(exactOf(Decimal128.fromString(`${value}E+${zeros}`))).toBe(value * unit)
          expect(exactOf(Decimal128.fromString(`0E${exponent}`))).toBe(0n)
          if (exponent >= 0) {
            expect(exactOf(Decimal128.fromString(`${value}E+${exponent}`))).toBe(value * 10n ** BigInt(exponent))
          }
        },
      ),
      {
        numRuns: 500,
        examples: [
          [1n, 0, 6111],
          [-5n, 3, -6176],
          [0n, 20, 0],
        ],
      },
    )
    expect(exactOf(Decimal128.fromString('-0'))).toBe(0n)
    expect(exactOf(Decimal128.fromString('120.00'))).toBe(120n)
    expect(exactOf(Decimal128.fromString('1000E-3'))).toBe(1n)
  })

  it('is refused where it is no whole number', () => {
    for (const text of ['1.5', '-1E-1', '1E-6176', 'NaN', 'Infinity', '-Infinity']) {
      expect(() => exactOf(Decimal128.fromString(text))).toThrow(
        expect.objectContaining({ code: 'DATABASE', message: expect.stringContaining('not a whole number') }),
      )
    }
    expect(() => exactOf(0.5)).toThrow(expect.objectContaining({ code: 'DATABASE' }))
  })

  it('of digits that no canonical number has is zero, as it is for the server', () => {
    const bytes = Buffer.alloc(16, 0xff)
    bytes.writeBigUInt64LE((6176n << 49n) | ((1n << 49n) - 1n), 8)
    expect(new Decimal128(bytes).toString()).toBe('0')
    expect(exactOf(new Decimal128(bytes))).toBe(0n)
  })

  it('of more digits than there are is refused', () => {
    expect(() => toDecimal(largest * 10n + 1n)).toThrow()
  })
})
