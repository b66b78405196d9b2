import type { AnyBulkWriteOperation, Document, ObjectId } from 'mongodb'
import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import { NotFoundError } from '../errors.js'
import { refused } from './data.js'

const batchLength = 500

/** The secret fields of an entity: sealed or hashed on the way in, left out on the way out. */
export class SecretFields {
  readonly #database: Database
  readonly #entity: EntityDescription
  /** Those that are encrypted. */
  readonly #names: readonly string[]
  readonly #hashed: readonly string[]
  /** The projection that leaves them out. */
  readonly projection: Readonly<Record<string, 0>>

  constructor(database: Database, entity: EntityDescription) {
    this.#database = database
    this.#entity = entity
    const names = Object.keys(entity.secrets)
    this.#names = names.filter((name) => !Object.hasOwn(entity.hashes, name))
    this.#hashed = Object.keys(entity.hashes)
    this.projection = Object.fromEntries(names.map((name) => [name, 0]))
  }

  /** Of a field that is hashed, not sealed, the text as it is: {@link hashIn} has a turn of its own. */
  seal(field: string, _id: ObjectId, plain: string): string {
    if (this.#hashed.includes(field)) return plain
    return this.#database.keyRing.seal(plain, this.#placeOf(field, _id))
  }

  /** Replaces the plain texts in a new document. */
  sealIn(document: Record<string, unknown>, _id: ObjectId): void {
    for (const name of this.#names) {
      if (document[name] !== undefined) document[name] = this.seal(name, _id, String(document[name]))
    }
  }

  /** Replaces the plain texts of fields that are kept as hashes. @throws ValidationError, BusyError. */
  async hashIn(fields: Record<string, unknown>): Promise<void> {
    for (const name of this.#hashed) {
      if (fields[name] !== undefined) fields[name] = await this.#database.hasher.hash(String(fields[name]))
    }
  }

  /** Whether one of these fields is encrypted. */
  areIn(names: readonly string[]): boolean {
    return names.some((name) => this.#names.includes(name))
  }

  /** @throws NotFoundError, DatabaseError `KEY_RING`. */
  async reveal(_id: ObjectId, field: string): Promise<string> {
    if (typeof field !== 'string')
      throw refused(`The secret of ${this.#entity.name}`, '', 'expected the name of a field', field)
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
