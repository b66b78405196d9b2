import { ObjectId } from 'mongodb'
import { isPlainObject } from '../core/is-record.js'
import type { Person } from './person.js'

/** A text or an id inside a document that is to be another. */
export interface LeafChange {
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

/** A text inside a document that names a person. */
export interface Mention {
  readonly path: string
  readonly text: string
}

/** Finds where a person is named, by the bytes of documents first: of most of them no more is ever looked at. */
export class Mentions {
  readonly #id: ObjectId
  readonly #hexId: string
  readonly #texts: readonly string[]
  readonly #bytes: readonly Buffer[]

  constructor({ id, texts }: Person) {
    this.#id = id
    this.#hexId = id.toHexString()
    this.#texts = texts
    this.#bytes = [Buffer.from(id.id), ...[this.#hexId, ...texts].map((text) => Buffer.from(text))]
  }

  /** Whether the bytes name the person by id, or in any text. */
  areIn(bytes: Buffer): boolean {
    return this.#bytes.some((part) => bytes.includes(part))
  }

  /** As {@link areIn}, of a text that may be bytes in base64. */
  areInText(text: string): boolean {
    return this.areIn(Buffer.from(text)) || this.areIn(Buffer.from(text, 'base64'))
  }

  /** The texts that name the person. */
  *textsIn(path: string, value: unknown): Generator<Mention, void, undefined> {
    for (const [at, leaf] of leavesOf(path, value))
      if (typeof leaf === 'string' && this.areIn(Buffer.from(leaf))) yield { path: at, text: leaf }
  }

  /** What has to change so that nothing names the person. A text becomes no longer by it. */
  *changesIn(path: string, value: unknown, pseudonym: ObjectId): Generator<LeafChange, void, undefined> {
    for (const [at, leaf] of leavesOf(path, value)) {
      const after = this.replaced(leaf, pseudonym)
      if (after !== leaf) yield { path: at, before: leaf, after }
    }
  }

  /** The value; of a text or an id that names the person another one. */
  replaced(value: unknown, pseudonym: ObjectId): unknown {
    if (value instanceof ObjectId) return value.equals(this.#id) ? pseudonym : value
    if (typeof value !== 'string') return value
    const other = pseudonym.toHexString()
    const stand = `erased-${other.slice(-8)}`
    return this.#texts.reduce(
      (text, part) => text.replaceAll(part, stand.slice(0, part.length)),
      value.replaceAll(this.#hexId, other),
    )
  }
}

/** The values inside that are neither objects nor lists, by paths that an update can name. */
function* leavesOf(path: string, value: unknown): Generator<readonly [string, unknown], void, undefined> {
  if (Array.isArray(value)) for (const [at, item] of value.entries()) yield* leavesOf(`${path}.${at}`, item)
  else if (isPlainObject(value)) {
    for (const [name, inner] of Object.entries(value))
      if (name !== '' && !name.includes('.') && !name.startsWith('$')) yield* leavesOf(`${path}.${name}`, inner)
  } else yield [path, value]
}
