import type { AnyBulkWriteOperation, Document, ObjectId } from 'mongodb'
import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import { NotFoundError } from '../errors.js'

const batchLength = 500

/** The fields of an entity that are encrypted at rest: sealed on the way in, left out on the way out. */
export class SecretFields {
  readonly #database: Database
  readonly #entity: EntityDescription
  readonly #names: readonly string[]
  /** The projection that leaves them out. */
  readonly projection: Readonly<Record<string, 0>>

  constructor(database: Database, entity: EntityDescription) {
    this.#database = database
    this.#entity = entity
    this.#names = Object.keys(entity.secrets)
    this.projection = Object.fromEntries(this.#names.map((name) => [name, 0]))
  }

  seal(field: string, _id: ObjectId, plain: string): string {
    return this.#database.keyRing.seal(plain, this.#placeOf(field, _id))
  }

  /** Replaces the plain texts in a new document. */
  sealIn(document: Record<string, unknown>, _id: ObjectId): void {
    for (const name of this.#names) {
      if (document[name] !== undefined) document[name] = this.seal(name, _id, String(document[name]))
    }
  }

  /** Whether one of these fields is encrypted. */
  areIn(names: readonly string[]): boolean {
    return names.some((name) => this.#names.includes(name))
  }

  /** The document as it can be shown. */
  without<Stored extends object>(document: Stored): Stored {
    if (this.#names.length === 0) return document
    const shown = Object.entries(document).filter(([name]) => !this.#names.includes(name))
    return Object.fromEntries(shown) as Stored
  }

  /** @throws NotFoundError, DatabaseError `KEY_RING`. */
  async reveal(_id: ObjectId, field: string): Promise<string> {
    const found = this.#names.includes(field) ? await this.#find(_id, field) : null
    const sealed: unknown = found?.[field]
    if (typeof sealed !== 'string')
      throw new NotFoundError(this.#entity.name, `id ${_id.toHexString()} and a secret ${field}`)
    return this.open(field, _id, sealed)
  }

  open(field: string, _id: ObjectId, sealed: string): string {
    return this.#database.keyRing.open(sealed, this.#placeOf(field, _id))
  }

  /** Seals anew what was not sealed with the active key, deleted documents included. @returns how many secrets were. */
  async reseal(): Promise<number> {
    if (this.#names.length === 0) return 0
    const projection = Object.fromEntries(this.#names.map((name) => [name, 1]))
    const cursor = this.#collection.find({}, { projection, batchSize: batchLength })
    let changed = 0
    try {
      while (await this.#outside(() => cursor.hasNext())) {
        changed += await this.#resealAll(cursor.readBufferedDocuments())
      }
    } finally {
      await cursor.close()
    }
    return changed
  }

  async #resealAll(documents: readonly Document[]): Promise<number> {
    const writes = documents.flatMap((document) => this.#names.flatMap((name) => this.#renewal(document, name)))
    if (writes.length === 0) return 0
    const result = await this.#outside(() => this.#collection.bulkWrite(writes, { ordered: false }))
    return result.modifiedCount
  }

  #renewal(document: Document, name: string): AnyBulkWriteOperation[] {
    const sealed: unknown = document[name]
    if (typeof sealed !== 'string' || this.#database.keyRing.isCurrent(sealed)) return []
    const _id = document._id as ObjectId
    const renewed = this.seal(name, _id, this.open(name, _id, sealed))
    // The old text is part of the filter: a secret that was changed meanwhile stays as it is.
    return [{ updateOne: { filter: { _id, [name]: sealed }, update: { $set: { [name]: renewed } } } }]
  }

  #find(_id: ObjectId, field: string): Promise<Document | null> {
    const query = this.#entity.softDelete ? { _id, deletedAt: null } : { _id }
    return this.#database.run(this.#entity, 'revealSecret', (session) =>
      this.#collection.findOne(query, { ...(session === undefined ? {} : { session }), projection: { [field]: 1 } }),
    )
  }

  /** A walk through a whole collection belongs in nobody's transaction. */
  #outside<Result>(task: () => Promise<Result>): Promise<Result> {
    return this.#database.transactions.outside(() => this.#database.run(this.#entity, 'resealSecrets', task))
  }

  get #collection() {
    return this.#database.native.collection(this.#entity.collection)
  }

  /** What a sealed text is bound to: the entity's name, not the collection's, so that a collection can be renamed. */
  #placeOf(field: string, _id: ObjectId): string {
    return `${this.#entity.name}/${field}/${_id.toHexString()}`
  }
}
