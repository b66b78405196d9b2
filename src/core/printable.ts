/** What moves the cursor, colours, hides or turns text round, by Unicode's own classes. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/**
 * The text as a terminal may get it. Names in files and databases are whatever somebody has put there: their control
 * characters would write over what was printed. Line feeds and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    if (character === '\n' || character === '\t') return character
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
  })
}
