import { Binary, BSON, Double, Int32, Long, ObjectId } from 'mongodb'
import { BsonElements, elementOf, rawText } from './bson-elements.js'

/** What somebody may put in place of any value, with its name. */
export const strangeValues: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a text', 'text'],
  ['an empty text', ''],
  ['a whole number', new Int32(77)],
  ['a long number', Long.fromString('9007199254740993')],
  ['a fraction', new Double(0.5)],
  ['no number', new Double(Number.NaN)],
  ['an infinite number', new Double(Number.POSITIVE_INFINITY)],
  ['a truth', true],
  ['an id', new ObjectId()],
  ['a date', new Date(0)],
  ['a list', ['a', 1, null]],
  ['a document', { $gt: 1, a: { b: 'c' } }],
  ['a document with names of methods', { toString: 1, valueOf: 1, toJSON: 1, toHexString: 1 }],
  ['a list of one', [{ toString: null }]],
  ['bytes', new Binary(Buffer.alloc(32, 9))],
  ['old bytes', new Binary(Buffer.from([2, 0, 0, 0, 1, 2]), 2)],
  ['code', new BSON.Code('a', { b: 1 })],
  ['a pattern', new BSON.BSONRegExp('a', 'i')],
  ['the smallest key', new BSON.MinKey()],
]

/** A string element that is no UTF-8. */
export const notUtf8 = (field: string) => rawText(field, Buffer.of(0x61, 0xff, 0x62))

/** The document with a second field of the name, which holds something else. */
export function withFieldTwice(document: BSON.Document, name: string, where: 'before' | 'behind'): Buffer {
  const other = elementOf(name, 'other')
  const elements = BsonElements.of(document)
  const own = elements.elements.filter((element) => element.name === name)
  const both = where === 'before' ? [...other, ...own] : [...own, ...other]
  return elements.withInstead(name, ...both).toBytes()
}
