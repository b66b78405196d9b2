import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { macAddress, normalizeMacAddress } from '../../src/devices/mac-address.js'

describe('a MAC address', () => {
  it.each([
    'AA:BB:CC:DD:EE:0F',
    'aa:bb:cc:dd:ee:0f',
    'AA-BB-CC-DD-EE-0F',
    'aabb.ccdd.ee0f',
    'AABBCCDDEE0F',
    ' aa:bb:cc:dd:ee:0f ',
  ])('is understood as %j', (text) => {
    expect(normalizeMacAddress(text)).toBe('AA:BB:CC:DD:EE:0F')
    expect(macAddress().parse(text)).toBe('AA:BB:CC:DD:EE:0F')
  })

  it.each([
    '',
    'AA:BB:CC:DD:EE',
    'AA:BB:CC:DD:EE:FF:00',
    'GG:BB:CC:DD:EE:FF',
    'AA:BB:CC:DD:EE:F\u0660',
    `AABBCCDDEEFF${' '.repeat(40)}`,
  ])('is not %j', (text) => {
    expect(normalizeMacAddress(text)).toBeUndefined()
    expect(macAddress().safeParse(text).success).toBe(false)
  })

  it('stays the same however often it is normalized', () => {
    const bytes = fc.uint8Array({ minLength: 6, maxLength: 6 })
    fc.assert(
      fc.property(bytes, fc.constantFrom('', ':', '-'), (address, separator) => {
        const text = [...address].map((byte) => byte.toString(16).padStart(2, '0')).join(separator)
        const normalized = normalizeMacAddress(text)
        expect(normalized).toMatch(/^[0-9A-F]{2}(:[0-9A-F]{2}){5}$/)
        expect(normalizeMacAddress(normalized ?? '')).toBe(normalized)
      }),
    )
  })
})
