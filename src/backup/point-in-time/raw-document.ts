import { BSON } from 'mongodb'
import { FormatError } from '../format/format-error.js'

/** The types of BSON that are looked at here. https://bsonspec.org/spec.html */
export const bsonType = {
  string: 2,
  document: 3,
  array: 4,
  boolean: 8,
  null: 10,
  int32: 16,
  timestamp: 17,
  int64: 18,
} as const

/** A field of a document as it is stored: nothing is decoded, so nothing changes its type, its order or its bytes. */
export interface RawField {
  readonly type: number
  readonly name: string
  /** Without type and name. */
  readonly value: Buffer
}

/** @throws FormatError for what is no document. */
export function fieldsOf(document: Buffer): RawField[] {
  try {
    return Array.from(BSON.onDemand.parseToElements(document), ([type, nameAt, nameLength, at, length]) => ({
      type,
      name: document.toString('utf8', nameAt, nameAt + nameLength),
      value: document.subarray(at, at + length),
    }))
  } catch (cause) {
    throw new FormatError('a document cannot be read', { cause })
  }
}

export function fieldMapOf(document: Buffer): ReadonlyMap<string, RawField> {
  return new Map(fieldsOf(document).map((field) => [field.name, field]))
}

export function documentFrom(fields: Iterable<RawField>): Buffer {
  const parts: Buffer[] = [Buffer.alloc(4)]
  for (const { type, name, value } of fields) parts.push(Buffer.from([type]), Buffer.from(`${name}\0`), value)
  parts.push(Buffer.alloc(1))
  const document = Buffer.concat(parts)
  document.writeInt32LE(document.length)
  return document
}

export function arrayFrom(elements: Iterable<Omit<RawField, 'name'>>): Buffer {
  return documentFrom(Array.from(elements, ({ type, value }, at) => ({ type, name: String(at), value })))
}

/** @throws FormatError unless it is a text. */
export function textOf(field: RawField | undefined): string {
  if (field?.type !== bsonType.string) throw new FormatError(`a text is missing: ${field?.name ?? 'nothing'} is none`)
  return field.value.toString('utf8', 4, field.value.length - 1)
}

export function isTrue(field: RawField | undefined): boolean {
  return field?.type === bsonType.boolean && field.value[0] === 1
}
