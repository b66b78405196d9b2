import { BSON } from 'mongodb'
import { compiled } from '../core/compiled-schema.js'
import type { Entity, Identified } from '../core/entity.js'
import { wordsOf } from './stored-words.js'

/**
 * The document that the bytes are, if it is one of the entity as the library writes it: every field once, known and of its
 * own type, texts in valid UTF-8. Undefined for anything else, whatever the bytes are.
 */
export function readStored<Stored extends Identified>(entity: Entity<Stored>, bytes: Uint8Array): Stored | undefined {
  const decoded = decode(bytes)
  if (decoded === undefined) return undefined
  const { success, data } = compiled(entity.storedSchema).safeParse(decoded)
  if (!success) return undefined
  // What had to be converted is of another type.
  if (!Object.entries(decoded).every(([name, value]) => data[name] === value)) return undefined
  // Of a field that is there twice one is lost, and some types are read as others: a symbol as a string.
  return Buffer.from(BSON.serialize(decoded)).equals(bytes) ? asStored<Stored>(data) : undefined
}

/** The schema that the data has passed is of no type: the entity says what it is. */
function asStored<Stored>(data: unknown): Stored {
  return data as Stored
}

/** The id of a document in words, whatever it is. */
export function idOf(bytes: Buffer): string {
  return wordsOf(firstFieldsOf(bytes)._id)
}

/** The fields of a document as the server takes them: of one that is there twice the first. What cannot be read is undefined. */
export function firstFieldsOf(bytes: Buffer): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const [, nameAt, nameLength, valueAt, valueLength] of BSON.onDemand.parseToElements(bytes)) {
    const name = bytes.toString('latin1', nameAt, nameAt + nameLength)
    if (!Object.hasOwn(fields, name)) fields[name] = valueIn(bytes.subarray(nameAt - 1, valueAt + valueLength))
  }
  return fields
}

function valueIn(element: Buffer): unknown {
  const document = Buffer.concat([Buffer.alloc(4), element, Buffer.alloc(1)])
  document.writeInt32LE(document.length)
  return Object.values(decode(document) ?? {})[0]
}

function decode(bytes: Uint8Array): BSON.Document | undefined {
  try {
    return BSON.deserialize(bytes)
  } catch {
    return undefined
  }
}
