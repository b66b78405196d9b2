import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  costOf,
  currencyDigits,
  formatMoney,
  isCurrency,
  isPrice,
  type Money,
  NO_MONEY,
  roundMoney,
  sumMoney,
} from '../../src/metering/index.js'

const KWH_MWS = 3_600_000_000
const euros = (cents: number): Money => costOf(KWH_MWS, cents / 100)

describe('the cost of energy', () => {
  it('is energy times price', () => {
    expect(roundMoney(costOf(2.5 * KWH_MWS, 0.3), 2)).toBe(0.75)
    expect(formatMoney(costOf(1_000 * KWH_MWS, 0.284_937), 6)).toBe('284.937000')
  })

  it('may be negative, with the price or the energy', () => {
    expect(formatMoney(costOf(KWH_MWS, -0.05), 2)).toBe('-0.05')
    expect(roundMoney(costOf(-KWH_MWS, 0.05), 2)).toBe(-0.05)
  })

  it('adds up without a rounding: a third of a cent, three times, is a cent', () => {
    const third = costOf(KWH_MWS / 3, 0.01)

    expect(formatMoney(sumMoney([third, third, third]), 15)).toBe('0.010000000000000')
    expect(sumMoney([])).toEqual(NO_MONEY)
  })

  it('does not depend on the order of the sum, or on how energy at one price is divided', () => {
    const entry = fc.tuple(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: -1e6, max: 1e7 }))
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
        const costs = entries.map(([energyMws, micros]) => costOf(energyMws, micros / 1e6))
        const halves = entries.flatMap(([energyMws, micros]) => {
          const half = Math.floor(energyMws / 2)
          return [costOf(half, micros / 1e6), costOf(energyMws - half, micros / 1e6)]
        })
        expect(sumMoney(costs.toReversed())).toEqual(sumMoney(costs))
        expect(sumMoney(halves)).toEqual(sumMoney(costs))
      }),
    )
  })

  it.each([0.1 + 0.2, 0.123_456_7, Number.NaN, Number.POSITIVE_INFINITY, 1e12])('refuses a price of %s', (price) => {
    expect(isPrice(price)).toBe(false)
    expect(() => costOf(1, price)).toThrow(RangeError)
  })

  it.each([0, 0.3, 7.25, 0.000_001, -0.05, 1_234_567.123_456])('takes a price of %s', (price) => {
    expect(isPrice(price)).toBe(true)
  })

  it.each([0.5, Number.NaN, 2 ** 60])('refuses an energy of %s mW·s', (energyMws) => {
    expect(() => costOf(energyMws, 1)).toThrow(RangeError)
  })
})

describe('rounding money', () => {
  it.each([
    { exact: 0.125, rounded: '0.12' },
    { exact: 0.135, rounded: '0.14' },
    { exact: 0.145, rounded: '0.14' },
    { exact: 0.145_001, rounded: '0.15' },
    { exact: 0.144_999, rounded: '0.14' },
    { exact: -0.125, rounded: '-0.12' },
    { exact: -0.135, rounded: '-0.14' },
    { exact: -0.004, rounded: '0.00' },
    { exact: 12.5, rounded: '12.50' },
  ])('$exact is $rounded', ({ exact, rounded }) => {
    expect(formatMoney(costOf(KWH_MWS, exact), 2)).toBe(rounded)
  })

  it('to no decimals goes to the even whole number', () => {
    expect([0.5, 1.5, 2.5].map((price) => formatMoney(costOf(KWH_MWS, price), 0))).toEqual(['0', '2', '2'])
  })

  it('once at the end is not rounding each', () => {
    const halfCents = [euros(0.5), euros(0.5), euros(0.5), euros(0.5)]

    expect(roundMoney(sumMoney(halfCents), 2)).toBe(0.02)
    expect(halfCents.reduce((sum, amount) => sum + roundMoney(amount, 2), 0)).toBe(0)
  })

  it.each([-1, 1.5, 16, Number.NaN])('refuses %s digits', (digits) => {
    expect(() => roundMoney(NO_MONEY, digits)).toThrow(RangeError)
  })
})

describe('the digits of a currency', () => {
  it.each([
    ['EUR', 2],
    ['INR', 2],
    ['JPY', 0],
    ['KWD', 3],
    ['CLF', 4],
    ['HUF', 2],
    ['IDR', 2],
    ['IQD', 3],
  ] as const)('of %s are %d, by ISO 4217', (currency, digits) => expect(currencyDigits(currency)).toBe(digits))

  it.each(['eur', 'Euro', '', 'ABC', 'toString'])('are refused for %s', (currency) => {
    expect(isCurrency(currency)).toBe(false)
    expect(() => currencyDigits(currency)).toThrow(RangeError)
  })
})
