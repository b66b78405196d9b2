import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyRing } from '../../src/core/key-ring.js'
import { keyRing } from '../support/builders.js'

const place = 'device/secret/65f000000000000000000000'

describe('a key ring', () => {
  it('opens what it sealed, whatever the text', () => {
    const ring = new KeyRing(keyRing('first'))
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (plain, anyPlace) => {
        expect(ring.open(ring.seal(plain, anyPlace), anyPlace)).toBe(plain)
      }),
    )
  })

  it('seals the same text differently each time, under the name of its active key', () => {
    const ring = new KeyRing(keyRing('second', 'first'))
    const [one, other] = [ring.seal('hidden', place), ring.seal('hidden', place)]
    expect(one).toMatch(/^av1\.second\.[A-Za-z0-9_-]+$/)
    expect(one).not.toBe(other)
    expect(one).not.toContain(Buffer.from('hidden').toString('base64url'))
  })

  it('opens with every key it has, and knows which texts are not under the active one', () => {
    const old = new KeyRing(keyRing('first')).seal('hidden', place)
    const ring = new KeyRing(keyRing('second', 'first'))
    expect(ring.open(old, place)).toBe('hidden')
    expect([ring.isCurrent(old), ring.isCurrent(ring.seal('hidden', place))]).toEqual([false, true])
  })

  it('takes keys in base64 too', () => {
    const key = randomBytes(32)
    const sealed = new KeyRing({ active: 'k', keys: { k: key } }).seal('hidden', place)
    expect(new KeyRing({ active: 'k', keys: { k: key.toString('base64') } }).open(sealed, place)).toBe('hidden')
  })

  it('refuses a text that was moved to another place', () => {
    const ring = new KeyRing(keyRing('first'))
    const sealed = ring.seal('hidden', place)
    expect(() => ring.open(sealed, place.replace('0000', '0001'))).toThrow(
      'was altered, moved, or sealed with another key',
    )
  })

  it('takes one spelling of a sealed text', () => {
    const ring = new KeyRing(keyRing('first'))
    const sealed = ring.seal('hidden!', place)
    const body = sealed.split('.')[2] ?? ''
    const standard = Buffer.from(body, 'base64url').toString('base64')
    const others = [`${sealed}=`, `${sealed}.more`, `${sealed} `, ` ${sealed}`, `av1.first.${standard}`, `${sealed}\n`]
    for (const other of others.filter((text) => text !== sealed)) {
      expect(() => ring.open(other, place)).toThrow('is not a sealed text')
    }
  })

  it('refuses a text of which any byte was altered, or that was cut', () => {
    const ring = new KeyRing(keyRing('first'))
    const [version, name, body = ''] = ring.seal('hidden', place).split('.')
    const bytes = Buffer.from(body, 'base64url')
    for (let at = 0; at < bytes.length; at += 1) {
      const altered = Buffer.from(bytes)
      altered[at] = (altered[at] ?? 0) ^ 1
      expect(() => ring.open(`${version}.${name}.${altered.toString('base64url')}`, place)).toThrow('was altered')
      expect(() => ring.open(`${version}.${name}.${bytes.subarray(0, at).toString('base64url')}`, place)).toThrow()
    }
  })

  it('refuses a text under a key that it does not have, or under another of the same name', () => {
    const sealed = new KeyRing(keyRing('first')).seal('hidden', place)
    expect(() => new KeyRing(keyRing('second')).open(sealed, place)).toThrow('The key "first" is not in the key ring')
    const same = { active: 'first', keys: { first: randomBytes(32) } }
    expect(() => new KeyRing(same).open(sealed, place)).toThrow('was altered, moved, or sealed with another key')
  })

  it.each(['', 'plain', 'av1.first', 'av2.first.abc', 'av1.first.', 'av1.first.AAAA'])('refuses %j', (text) => {
    expect(() => new KeyRing(keyRing('first')).open(text, place)).toThrow(expect.objectContaining({ code: 'KEY_RING' }))
  })

  it('repeats no key in an error that was given in the place of a name', () => {
    const key = randomBytes(32)
    const [base64, digits] = [key.toString('base64'), key.toString('hex')]
    for (const options of [
      { active: base64, keys: { k: key } },
      { active: digits, keys: { k: key } },
      { active: 'k', keys: { [base64]: 'k' } },
      { active: 'k', keys: { [digits]: 'k' } },
    ]) {
      const refuse = () => new KeyRing(options)
      expect(refuse).toThrow(expect.objectContaining({ code: 'KEY_RING' }))
      expect(refuse).not.toThrow(new RegExp(`${base64.slice(0, 8).replace(/[+/]/g, '.')}|${digits.slice(0, 8)}`))
    }
  })

  it('refuses keys that are not 32 bytes, names that are not usable and a missing active key', () => {
    const key = randomBytes(32)
    expect(() => new KeyRing({ active: 'k', keys: { k: randomBytes(16) } })).toThrow(
      'Key 1 has 16 bytes; AES-256 takes 32',
    )
    expect(() => new KeyRing({ active: 'k', keys: { k: 'short' } })).toThrow('AES-256 takes 32')
    expect(() => new KeyRing({ active: 'a.b', keys: { 'a.b': key } })).toThrow('may have only letters, digits')
    expect(() => new KeyRing({ active: 'x', keys: { k: key } })).toThrow('The active key is not among the keys')
    expect(() => new KeyRing({ active: '__proto__', keys: {} })).toThrow('is not among the keys')
  })

  it('shows no key and no text: not printed, not in JSON, not in its errors', () => {
    const key = randomBytes(32)
    const ring = new KeyRing({ active: 'k', keys: { k: key } })
    const sealed = ring.seal('unmistakable', place)
    const errors = [() => ring.open(sealed, 'elsewhere'), () => ring.open(`${sealed}x`, place)].map((open) => {
      try {
        return open()
      } catch (error) {
        return error
      }
    })
    const shown = [ring, ...errors]
      .map((one) => inspect(one, { depth: 9, showHidden: true }) + JSON.stringify(one))
      .join()
    for (const secret of ['unmistakable', key.toString('hex'), key.toString('base64'), key.toString('base64url')]) {
      expect(shown).not.toContain(secret)
    }
  })
})
