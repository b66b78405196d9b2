import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emailAddress } from '../../src/identity/email-address.js'

describe('an e-mail address', () => {
  it.each([
    [' Asha.Rao@Example.ORG\n', 'asha.rao@example.org'],
    ['ÉMILE@écoles.example', 'émile@écoles.example'],
    ['a+b@localhost', 'a+b@localhost'],
    ["o'neil.-_x@mail-1.4you.example", "o'neil.-_x@mail-1.4you.example"],
    ['asha@xn--bcher-kva.example', 'asha@xn--bcher-kva.example'],
    ['आशा@उदाहरण.भारत', 'आशा@उदाहरण.भारत'],
    [`${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}`, `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}`],
  ])('%j is kept as %j', (text, kept) => {
    expect(emailAddress().parse(text)).toBe(kept)
  })

  it('is not a megabyte of marks, which are not even normalised', () => {
    const text = `a${'\u0315\u0300'.repeat(500_000)}`
    const { normalize } = String.prototype
    let normalized = 0
    String.prototype.normalize = function count(form?: string) {
      normalized += this.length
      return normalize.call(this, form)
    }
    try {
      expect(emailAddress().safeParse(text).success).toBe(false)
    } finally {
      String.prototype.normalize = normalize
    }
    expect(normalized).toBe(0)
  })

  it.each([
    '',
    'asha',
    '@example.org',
    'asha@',
    'a@b@c',
    'a b@example.org',
    'Asha <asha@example.org>',
    'a@x,b@y',
    '"asha@evil.example"@example.org',
    'asha@evil.example\uFF20example.org',
    'asha\uFE6Bexample.org',
    'ａsha@example.org',
    'asha@ﬁrm.example',
    'a@b..c',
    '.a@b.c',
    'a.@b.c',
    'a..b@c.d',
    'a@-b.c',
    'a@b-.c',
    'a@b.-c',
    'a@.b',
    'a@b.',
    'a@b_c.d',
    'a@[192.0.2.1]',
    `a@${'b'.repeat(64)}.c`,
    `${'a'.repeat(65)}@b.c`,
  ])('is not %j', (text) => {
    expect(emailAddress().safeParse(text).success).toBe(false)
  })

  it('stays the same however often it is read', () => {
    const text = fc
      .tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))
      .map((both) => both.join('@'))
    fc.assert(
      fc.property(text, (given) => {
        const once = emailAddress().safeParse(given)
        if (once.success) expect(emailAddress().parse(once.data)).toBe(once.data)
      }),
    )
  })
})
