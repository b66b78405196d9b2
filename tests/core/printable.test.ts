import { describe, expect, it } from 'vitest'
import { printable } from '../../src/core/printable.js'

describe('printable', () => {
  it('shows what would move the cursor, colour, or turn the text round', () => {
    expect(printable('\u001b[2Jgone\r\u0007\u009b1m')).toBe('\\u{1b}[2Jgone\\u{d}\\u{7}\\u{9b}1m')
    expect(printable('a\u202eb\u2066c\u2028d\ud800')).toBe('a\\u{202e}b\\u{2066}c\\u{2028}d\\u{d800}')
  })

  it('leaves texts of any language, tabs and lines as they are', () => {
    const text = 'Büro 3\tकक्षा\n教室 🏫'
    expect(printable(text)).toBe(text)
  })
})
