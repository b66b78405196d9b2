/** A piece of a JSON text (RFC 8259). */
export interface JsonToken {
  readonly kind: 'open' | 'close' | 'comma' | 'colon' | 'name' | 'string' | 'number' | 'word'
  /** As it is written. */
  readonly text: string
  /** Whether the text ends before the token does. */
  readonly isCut: boolean
}

/**
 * How a text ends that is read as JSON: after a whole value, before the end of a list, an object or a string that has begun,
 * or with something that no JSON can have there.
 */
export type JsonEnd = 'whole' | 'open' | 'wrong'

type Expected = 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma or end' | 'nothing'

const space = /[ \t\n\r]*/y
const numberForm = /-?\d*(?:\.\d*)?(?:[eE][+-]?\d*)?/y
const wholeNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const cutNumber = /^-?(?:(?:0|[1-9]\d*)(?:\.(?:\d+(?:[eE][+-]?)?)?|[eE][+-]?)?)?$/
const wordForm = /[a-z]+/y
const words = ['true', 'false', 'null']
const escapeForm = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const cutEscape = /\\(?:u[0-9a-fA-F]{0,3})?$/y

/** Reads a text token by token, as far as it is JSON or the beginning of it. Linear in the text's length. */
export function* jsonTokens(text: string): Generator<JsonToken, JsonEnd> {
  const closings: ('}' | ']')[] = []
  let expected: Expected = 'value'
  let at = 0
  for (;;) {
    at = skipSpace(text, at)
    if (at >= text.length) return expected === 'nothing' ? 'whole' : closings.length > 0 ? 'open' : 'wrong'
    const token = tokenAt(text, at, expected, closings.at(-1))
    if (token === undefined) return 'wrong'
    yield token
    if (token.isCut) return closings.length > 0 || token.kind === 'string' ? 'open' : 'wrong'
    if (token.kind === 'open') closings.push(token.text === '{' ? '}' : ']')
    if (token.kind === 'close') closings.pop()
    expected = after(token, closings.at(-1))
    at += token.text.length
  }
}

function after({ kind, text }: JsonToken, closing: '}' | ']' | undefined): Expected {
  if (kind === 'open') return text === '{' ? 'name or end' : 'value or end'
  if (kind === 'name') return 'colon'
  if (kind === 'colon') return 'value'
  if (kind === 'comma') return closing === '}' ? 'name' : 'value'
  return closing === undefined ? 'nothing' : 'comma or end'
}

/** The token that begins there; undefined for what cannot stand there. */
function tokenAt(text: string, at: number, expected: Expected, closing: '}' | ']' | undefined): JsonToken | undefined {
  const first = text.charAt(at)
  const mayEnd = expected === 'value or end' || expected === 'name or end' || expected === 'comma or end'
  if (first === closing) return mayEnd ? whole('close', first) : undefined
  if (expected === 'colon') return first === ':' ? whole('colon', first) : undefined
  if (expected === 'comma or end') return first === ',' ? whole('comma', first) : undefined
  if (expected === 'name' || expected === 'name or end') return first === '"' ? stringAt(text, at, 'name') : undefined
  if (expected === 'nothing') return undefined
  if (first === '{' || first === '[') return whole('open', first)
  if (first === '"') return stringAt(text, at, 'string')
  return /[-\d]/.test(first) ? numberAt(text, at) : wordAt(text, at)
}

function stringAt(text: string, start: number, kind: 'name' | 'string'): JsonToken | undefined {
  let at = start + 1
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === quote) return whole(kind, text.slice(start, at + 1))
    if (code < 0x20) return undefined
    if (code !== backslash) {
      at += 1
      continue
    }
    const length = lengthOf(escapeForm, text, at)
    if (length === 0) return lengthOf(cutEscape, text, at) > 0 ? cut(kind, text.slice(start)) : undefined
    at += length
  }
  return cut(kind, text.slice(start))
}

const quote = 0x22
const backslash = 0x5c

function numberAt(text: string, at: number): JsonToken | undefined {
  const number = text.slice(at, at + lengthOf(numberForm, text, at))
  if (wholeNumber.test(number)) return whole('number', number)
  return at + number.length === text.length && cutNumber.test(number) ? cut('number', number) : undefined
}

function wordAt(text: string, at: number): JsonToken | undefined {
  const word = text.slice(at, at + lengthOf(wordForm, text, at))
  if (words.includes(word)) return whole('word', word)
  const isLast = at + word.length === text.length
  return word !== '' && isLast && words.some((one) => one.startsWith(word)) ? cut('word', word) : undefined
}

function skipSpace(text: string, at: number): number {
  return at + lengthOf(space, text, at)
}

/** How much of the text the pattern takes from there on. */
function lengthOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0].length ?? 0
}

function whole(kind: JsonToken['kind'], text: string): JsonToken {
  return { kind, text, isCut: false }
}

function cut(kind: JsonToken['kind'], text: string): JsonToken {
  return { kind, text, isCut: true }
}
