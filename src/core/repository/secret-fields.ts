import { isDeepStrictEqual } from 'node:util'
import type { AnyBulkWriteOperation, Document, ObjectId } from 'mongodb'
import { storedBlindly } from '../blind-index.js'
import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import { NotFoundError } from '../errors.js'
import { refused } from './data.js'
import { isForPerson, type OwnedFields, PersonSecrets, placeOf } from './person-secrets.js'
import { storedHashes } from './secret-hashes.js'

const batchLength = 500

/** The secret fields of an entity: sealed or hashed on the way in, left out on the way out. */
export class SecretFields {
  readonly #database: Database
  readonly #entity: EntityDescription
  /** Those that are encrypted. */
  readonly #names: readonly string[]
  readonly #hashed: readonly string[]
  readonly #persons: PersonSecrets
  /** The projection that leaves them out. */
  readonly projection: Readonly<Record<string, 0>>

  constructor(database: Database, entity: EntityDescription) {
    this.#database = database
    this.#entity = entity
    const names = Object.keys(entity.secrets)
    this.#names = names.filter((name) => !Object.hasOwn(entity.hashes, name))
    this.#hashed = Object.keys(entity.hashes)
    this.#persons = new PersonSecrets(database, entity)
    this.projection = Object.fromEntries(entity.hidden.map((name) => [name, 0]))
  }

  /** Of a field that is hashed, or sealed for a person, the text as it is: {@link hashIn} and {@link sealForPersons} have turns of their own. */
  seal(field: string, _id: ObjectId, plain: string): string {
    if (this.#hashed.includes(field) || this.#persons.has(field)) return plain
    return this.#database.keyRing.seal(plain, this.#placeOf(field, _id))
  }

  /** What is stored beside a sealed text, to find it by. */
  hashesOf(field: string, plain: string): Readonly<Record<string, readonly string[]>> {
    return storedHashes(this.#database, this.#entity, field, plain)
  }

  /** The fields of hashes that go with those that are removed, as `$unset` names them. */
  hashFieldsOf(removed: readonly string[]): Readonly<Record<string, ''>> {
    const indexes = Object.entries(this.#entity.blindIndexes).filter(([field]) => removed.includes(field))
    return Object.fromEntries(indexes.map(([, { stored }]) => [stored, '']))
  }

  /** Replaces the plain texts in a new document. */
  sealIn(document: Record<string, unknown>, _id: ObjectId): void {
    for (const name of this.#names) {
      if (document[name] === undefined) continue
      const plain = String(document[name])
      Object.assign(document, { [name]: this.seal(name, _id, plain), ...this.hashesOf(name, plain) })
    }
  }

  /**
   * Replaces the plain texts of fields that are sealed for persons.
   * @param given Fields that are written, each with the document that they are of, by which the person is known.
   * @throws ValidationError for a document that names nobody, ConflictError for one of somebody who was erased.
   */
  sealForPersons(given: readonly OwnedFields[]): Promise<void> {
    return this.#persons.seal(given)
  }

  /** Whether any of the fields is sealed for a person. */
  areForPersons(fields: Readonly<Record<string, unknown>>): boolean {
    return this.#persons.areIn(fields)
  }

  /** As {@link sealForPersons}, for a change of a document that is there. @throws NotFoundError if it is not. */
  async sealChange(_id: ObjectId, fields: Record<string, unknown>): Promise<void> {
    if (!this.#persons.areIn(fields)) return
    const owner = await this.#find(_id, this.#persons.projection)
    if (owner === null) throw new NotFoundError(this.#entity.name, `id ${_id.toHexString()}`)
    await this.#persons.seal([{ fields, owner }])
  }

  /** Of a document what says whom its fields are sealed for. */
  get ownerProjection(): Readonly<Record<string, 1>> {
    return this.#persons.projection
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

  /** @returns null for what was sealed for a person who was erased. @throws NotFoundError, DatabaseError `KEY_RING`. */
  async reveal(_id: ObjectId, field: string): Promise<string | null> {
    if (typeof field !== 'string')
      throw refused(`The secret of ${this.#entity.name}`, '', 'expected the name of a field', field)
    const found = this.#names.includes(field)
      ? await this.#find(_id, { ...this.#persons.projection, [field]: 1 })
      : null
    const sealed: unknown = found?.[field]
    if (typeof sealed !== 'string')
      throw new NotFoundError(this.#entity.name, `id ${_id.toHexString()} and a secret ${field}`)
    return found !== null && isForPerson(sealed)
      ? this.#persons.open(field, found, sealed)
      : this.open(field, _id, sealed)
  }

  open(field: string, _id: ObjectId, sealed: string): string {
    return this.#database.keyRing.open(sealed, this.#placeOf(field, _id))
  }

  /**
   * Seals anew what was not sealed with the active key, deleted documents included, and makes the hashes of blind indexes that are
   * missing, or not by the keys of today. @returns how many secrets were.
   * @throws ConflictError where two documents have the same value of a unique one.
   */
  async reseal(): Promise<number> {
    if (this.#names.length === 0) return 0
    const read = [...this.#names, ...storedBlindly(this.#entity.blindIndexes)]
    const projection = { ...this.#persons.projection, ...Object.fromEntries(read.map((name) => [name, 1])) }
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
    const persons = await this.#outside(() => this.#persons.renewals(documents, (...sealed) => this.open(...sealed)))
    const ofRing = this.#names.filter((name) => !this.#persons.has(name))
    const writes = [
      ...persons,
      ...documents.flatMap((document) => ofRing.flatMap((name) => this.#renewal(document, name))),
    ]
    if (writes.length === 0) return 0
    const result = await this.#outside(() => this.#collection.bulkWrite(writes, { ordered: false }))
    return result.modifiedCount
  }

  #renewal(document: Document, name: string): AnyBulkWriteOperation[] {
    const sealed: unknown = document[name]
    if (typeof sealed !== 'string') return []
    const isCurrent = this.#database.keyRing.isCurrent(sealed)
    const isFound = Object.hasOwn(this.#entity.blindIndexes, name)
    if (isCurrent && !isFound) return []
    const _id = document._id as ObjectId
    const plain = this.open(name, _id, sealed)
    const hashes = this.hashesOf(name, plain)
    if (isCurrent && Object.entries(hashes).every(([field, list]) => isDeepStrictEqual(document[field], list)))
      return []
    const renewed = { ...(isCurrent ? {} : { [name]: this.seal(name, _id, plain) }), ...hashes }
    // The old text is part of the filter: a secret that was changed meanwhile stays as it is.
    return [{ updateOne: { filter: { _id, [name]: sealed }, update: { $set: renewed } } }]
  }

  #find(_id: ObjectId, projection: Readonly<Record<string, 1>>): Promise<Document | null> {
    const query = this.#entity.softDelete ? { _id, deletedAt: null } : { _id }
    return this.#database.run(this.#entity, 'revealSecret', (session) =>
      this.#collection.findOne(query, { ...(session === undefined ? {} : { session }), projection }),
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
    return placeOf(this.#entity, field, _id)
  }
}
