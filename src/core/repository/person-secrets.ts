import { type AnyBulkWriteOperation, type Document, ObjectId } from 'mongodb'
import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import { DatabaseError } from '../errors.js'
import { personHash } from '../person-hash.js'
import { bytesIn, openedBytes, sealedBytes } from '../sealed-bytes.js'
import { refused } from './data.js'

/** Fields that are written, and the document that they are of. */
export interface OwnedFields {
  readonly fields: Record<string, unknown>
  readonly owner: Readonly<Document>
}

const prefix = 'as1.'

/** What a sealed text is bound to: the entity's name, not the collection's, so that a collection can be renamed. */
export function placeOf({ name }: EntityDescription, field: string, _id: ObjectId): string {
  return `${name}/${field}/${_id.toHexString()}`
}

/** Whether the text is sealed with the key of a person. */
export function isForPerson(sealed: string): boolean {
  return sealed.startsWith(prefix)
}

/** The fields of an entity that are sealed with keys of the persons whom they are about. */
export class PersonSecrets {
  readonly #database: Database
  readonly #entity: EntityDescription
  readonly #fields: ReadonlyMap<string, string>
  /** The paths of the persons. */
  readonly projection: Readonly<Record<string, 1>>

  constructor(database: Database, entity: EntityDescription) {
    this.#database = database
    this.#entity = entity
    this.#fields = new Map(Object.entries(entity.sealedFor))
    this.projection = Object.fromEntries([...this.#fields.values()].map((path) => [path, 1]))
  }

  has(field: string): boolean {
    return this.#fields.has(field)
  }

  areIn(fields: Readonly<Record<string, unknown>>): boolean {
    return [...this.#fields.keys()].some((field) => fields[field] !== undefined)
  }

  /** Replaces the plain texts. @throws ValidationError for a document that names nobody, ConflictError for somebody who was erased. */
  async seal(given: readonly OwnedFields[]): Promise<void> {
    const texts = given.flatMap(({ fields, owner }) =>
      [...this.#fields.keys()]
        .filter((field) => fields[field] !== undefined)
        .map((field) => ({ fields, field, _id: owner._id as ObjectId, person: this.#personOf(field, owner) })),
    )
    if (texts.length === 0) return
    const keys = await this.#keys.forSealing(texts.map(({ person }) => person))
    for (const { fields, field, _id, person } of texts) {
      const key = keys.get(person)
      if (key === undefined) throw new DatabaseError('KEY_RING', 'The store of keys gave no key for a person')
      fields[field] = this.#sealed(key, field, _id, String(fields[field]))
    }
  }

  /** @returns null where the key was destroyed. @throws DatabaseError `KEY_RING`. */
  async open(field: string, owner: Readonly<Document>, sealed: string): Promise<string | null> {
    const place = placeOf(this.#entity, field, owner._id as ObjectId)
    const bytes = bytesIn(sealed.slice(prefix.length))
    if (bytes === undefined) throw new DatabaseError('KEY_RING', `What is stored at ${place} is not a sealed text`)
    const key = await this.#keys.forOpening(this.#personOf(field, owner))
    if (key === null) return null
    try {
      return openedBytes(key, bytes, place)
    } catch (cause) {
      const message = `What is stored at ${place} was altered, moved, or sealed with another key`
      throw new DatabaseError('KEY_RING', message, { cause })
    }
  }

  /**
   * Has the keys of the documents' persons sealed with the active key of the ring, and seals for persons what the ring has sealed
   * before that was declared. @returns the writes.
   */
  async renewals(
    documents: readonly Document[],
    open: (field: string, _id: ObjectId, sealed: string) => string,
  ): Promise<AnyBulkWriteOperation[]> {
    const kept = documents.flatMap((owner) =>
      [...this.#fields.keys()].flatMap((field) =>
        typeof owner[field] === 'string' ? [{ owner, field, sealed: owner[field] as string }] : [],
      ),
    )
    const [ofPersons, ofRing] = [
      kept.filter(({ sealed }) => isForPerson(sealed)),
      kept.filter(({ sealed }) => !isForPerson(sealed)),
    ]
    if (ofPersons.length > 0) await this.#keys.reseal(ofPersons.map(({ field, owner }) => this.#personOf(field, owner)))
    const writes: AnyBulkWriteOperation[] = []
    for (const { owner, field, sealed } of ofRing) {
      const _id = owner._id as ObjectId
      const fields: Record<string, unknown> = { [field]: open(field, _id, sealed) }
      await this.seal([{ fields, owner }])
      writes.push({ updateOne: { filter: { _id, [field]: sealed }, update: { $set: fields } } })
    }
    return writes
  }

  #sealed(key: Buffer, field: string, _id: ObjectId, plain: string): string {
    return `${prefix}${sealedBytes(key, plain, placeOf(this.#entity, field, _id)).toString('base64url')}`
  }

  #personOf(field: string, owner: Readonly<Document>): string {
    const path = this.#fields.get(field) ?? '_id'
    const id: unknown = owner[path]
    if (id instanceof ObjectId || (typeof id === 'string' && ObjectId.isValid(id))) return personHash(new ObjectId(id))
    throw refused(this.#entity.name, path, `is needed: ${field} is sealed with the key of this person`, id)
  }

  get #keys() {
    return this.#database.subjectKeys
  }
}
