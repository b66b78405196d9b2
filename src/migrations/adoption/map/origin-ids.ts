import { type Document, Long, ObjectId, UUID } from 'mongodb'
import { derivedId, hexId, idKey, isGiven, looseId, uuidText } from './values.js'

export interface OriginIdsParts {
  /** The name of the origin: numbers are the same in every one. */
  readonly database: string
  readonly collection: string
  /** Whether ObjectIds stay what they are. */
  readonly keepsObjectIds: boolean
}

/** An id that something in the origin names. */
export interface FoundId {
  /** What it is here. */
  readonly id: ObjectId
  /** Whether it is named by what it is there, and not by something of another type that is written alike. */
  readonly isExact: boolean
}

const longText = /^-?[1-9]\d{0,17}$|^0$/

/**
 * What becomes of the ids of one collection of the origin. ObjectIds are kept, of whatever type others are they get ObjectIds, the same
 * for one origin each time. Ids of several types that are written alike are different ones, if there are documents with both.
 */
export class OriginIds {
  readonly #ids = new Map<string, ObjectId>()
  /** The ids that no other one is written like, by how they are written. */
  readonly #alone = new Map<string, unknown>()

  constructor(documents: readonly Document[], parts: OriginIdsParts) {
    const alike = new Map<string, Map<string, unknown>>()
    for (const { _id } of documents) {
      if (!isGiven(_id)) continue
      const text = looseId(_id)
      alike.set(text, (alike.get(text) ?? new Map()).set(idKey(_id), _id))
    }
    const { database, collection, keepsObjectIds } = parts
    for (const [text, ids] of alike) {
      const [first] = ids.values()
      // What is shown as its text is it; the others are marked.
      const plain = ids.size === 1 ? first : ids.get(text)
      const plainId = keepsObjectIds && hexId.test(text) ? new ObjectId(text) : derivedId(database, collection, text)
      for (const [key, id] of ids) this.#ids.set(key, id === plain ? plainId : derivedId(database, collection, key))
      if (ids.size === 1) this.#alone.set(text, first)
    }
  }

  /** The id here of what a document of the origin names. */
  find(named: unknown): FoundId | undefined {
    const exact = this.#ids.get(idKey(named))
    if (exact !== undefined) return { id: exact, isExact: true }
    const text = looseId(named)
    const id = this.#alone.has(text) ? this.#ids.get(idKey(this.#alone.get(text))) : undefined
    return id && { id, isExact: false }
  }

  /** The id here of a document. */
  of({ _id }: Document): ObjectId | undefined {
    return this.#ids.get(idKey(_id))
  }

  /** What names the document with an id: the id, and what is written like it, if no other document has that. */
  formsOf(own: unknown): unknown[] {
    const text = looseId(own)
    return this.#alone.has(text) ? [own, ...formsOf(text)] : [own]
  }
}

function formsOf(text: string): unknown[] {
  if (hexId.test(text)) return [new ObjectId(text), text, text.toUpperCase()]
  if (uuidText.test(text)) return [new UUID(text), text, text.toUpperCase()]
  return longText.test(text) ? [Long.fromString(text), text] : []
}
