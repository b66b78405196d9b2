/** A kind of hostile input, of a size: characters of a text, keys of an object, levels of depth. */
export interface LargeKind {
  readonly name: string
  readonly make: (size: number) => unknown
  readonly size: number
}

const worst = {
  'combining marks': '\u0315\u0300',
  'halves of pairs': '\ud800',
  dots: 'a.',
  'addresses with passwords': '://a@',
  'quotes and braces': '{"',
  slashes: '../',
}

const characters = 1_000_000
const many = 100_000

/** A text of a megabyte of the worst characters, an object of 100,000 keys, and one that is 100,000 deep. */
export const largeKinds: readonly LargeKind[] = [
  ...Object.entries(worst).map(([name, text]) => ({
    name,
    size: characters,
    make: (size: number) => text.repeat(Math.ceil(size / text.length)).slice(0, size),
  })),
  { name: 'keys', size: many, make: (size) => objectOf(size, (at) => `k${at}`) },
  { name: 'keys with dots', size: many, make: (size) => objectOf(size, (at) => `a.k${at}`) },
  { name: 'items', size: many, make: (size) => Array.from({ length: size }, () => ({})) },
  { name: 'depth of objects', size: many, make: (size) => nested(size, (inner) => ({ a: inner })) },
  { name: 'depth of lists', size: many, make: (size) => nested(size, (inner) => [inner]) },
]

function objectOf(size: number, keyOf: (at: number) => string): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (let at = 0; at < size; at += 1) object[keyOf(at)] = at
  return object
}

function nested(levels: number, around: (inner: unknown) => unknown): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level += 1) value = around(value)
  return value
}
