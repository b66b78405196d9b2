const token = /\\u\{([0-9A-Fa-f]+)\}|\\u([0-9A-Fa-f]{4})|\\.|\[(?:\\.|[^\]\\])*\]|[.$]/gs
const space =
  '\\t\\n\\v\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}'
const lineEnds = '\\n\\r\\x{2028}\\x{2029}'
const outsideClass: Readonly<Record<string, string>> = {
  $: '\\z',
  '.': `[^${lineEnds}]`,
  '\\s': `[${space}]`,
  '\\S': `[^${space}]`,
}

/**
 * The JavaScript pattern as the server's PCRE understands the same by it: there `$` also matches before a final line feed,
 * `.` also matches a carriage return, `\s` knows ASCII only, and `\u` does not exist.
 */
export function toServerPattern(pattern: string): string {
  return pattern.replace(token, (found: string, long?: string, short?: string) => {
    if (long !== undefined || short !== undefined) return `\\x{${long ?? short}}`
    if (found.startsWith('[')) return insideClass(found)
    return outsideClass[found] ?? found
  })
}

function insideClass(characters: string): string {
  return characters.replace(
    /\\u\{([0-9A-Fa-f]+)\}|\\u([0-9A-Fa-f]{4})|\\./gs,
    (found, long?: string, short?: string) => {
      if (long !== undefined || short !== undefined) return `\\x{${long ?? short}}`
      return found === '\\s' ? space : found
    },
  )
}
