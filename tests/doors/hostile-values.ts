import { BSONRegExp, Long, MaxKey, ObjectId } from 'mongodb'

/** What no command to the server may ever have in it. */
export const mark = 'hostile mark'

class Odd {
  readonly $gt = mark
}

/** Values that a caller may hand in for anything: operators, look-alikes, wrong types, and numbers at the edge of numbers. */
export function hostileValues(): unknown[] {
  return [
    undefined,
    null,
    true,
    -1,
    0,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    '',
    ' ',
    '\0',
    '\ud800',
    '__proto__',
    '$where',
    'a.b.c',
    '../../../etc/passwd',
    [],
    [null],
    [[[]]],
    [{ $gt: mark }],
    {},
    { $gt: mark },
    { $where: mark },
    { a: { $ne: mark } },
    JSON.parse(`{ "__proto__": { "$gt": "${mark}" } }`),
    { constructor: { prototype: { polluted: mark } } },
    { _bsontype: 'ObjectId', id: mark },
    { length: 1e9 },
    { toString: 1, valueOf: mark },
    { toHexString: mark },
    Object.assign(Object.create(null), { $gt: mark }),
    Symbol(mark),
    10n,
    () => mark,
    new Date(Number.NaN),
    new BSONRegExp(mark),
    new MaxKey(),
    Long.fromNumber(7),
    new Map([['$gt', mark]]),
    new Odd(),
    Buffer.from(mark),
    new ObjectId(),
  ]
}

/** The arguments with a hostile value in the place of each, of each field of an object among them, and of each first item. */
export function* spoilt(valid: readonly unknown[], values: readonly unknown[]): Generator<unknown[], void, undefined> {
  for (const value of values) {
    yield valid.map(() => value)
    for (let at = 0; at < valid.length; at += 1) {
      for (const spoilt of variants(valid[at], value, 2)) yield valid.with(at, spoilt)
    }
  }
}

function* variants(valid: unknown, value: unknown, levels: number): Generator<unknown, void, undefined> {
  yield value
  if (levels === 0) return
  if (Array.isArray(valid)) {
    if (valid.length > 0) for (const inner of variants(valid[0], value, levels - 1)) yield [inner, ...valid.slice(1)]
  } else if (isPlain(valid)) {
    for (const [key, field] of Object.entries(valid)) {
      for (const inner of variants(field, value, levels - 1)) yield { ...valid, [key]: inner }
    }
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
