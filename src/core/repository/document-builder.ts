import { type Document, ObjectId } from 'mongodb'
import { compiled } from '../compiled-schema.js'
import type { Database } from '../database.js'
import type { EntityDescription, Identified } from '../entity.js'
import { ValidationError } from '../errors.js'
import { issuesOf } from '../validate.js'
import { compileChanges } from './compile-changes.js'
import { requireOpenData } from './data.js'
import { parseInputs } from './parse-inputs.js'
import type { SecretFields } from './secret-fields.js'

/** Makes of inputs and changes what is written: validated, secrets sealed or hashed. */
export class DocumentBuilder {
  readonly #database: Database
  readonly #entity: EntityDescription
  readonly #secrets: SecretFields

  constructor(database: Database, entity: EntityDescription, secrets: SecretFields) {
    this.#database = database
    this.#entity = entity
    this.#secrets = secrets
  }

  /** As {@link parse}, with hashes in the places of what is kept as such. @throws ValidationError, BusyError. */
  async prepare(input: object, subject?: string): Promise<Record<string, unknown>> {
    const fields = this.parse(input, subject)
    await this.#secrets.hashIn(fields)
    return fields
  }

  /** The input as its schema gives it back. @throws ValidationError. */
  parse(input: object, subject: string = this.#entity.name): Record<string, unknown> {
    requireOpenData(this.#entity, input, subject)
    const result = compiled(this.#entity.inputSchema).safeParse(input)
    if (!result.success) throw new ValidationError(subject, issuesOf(result.error, input))
    this.#report(input)
    return result.data as Record<string, unknown>
  }

  /** As {@link build}, for many. @throws ValidationError with the issues of all of them, paths such as `2.name`. */
  async buildAll<Built extends Document>(inputs: readonly object[]): Promise<(Built & Identified)[]> {
    const parsed = parseInputs(this.#entity, this.#entity.inputSchema, inputs) as Record<string, unknown>[]
    for (const input of inputs) this.#report(input)
    for (const fields of parsed) await this.#secrets.hashIn(fields)
    const built = parsed.map((fields) => this.#assembled<Built>(fields))
    await this.#secrets.sealForPersons(built.map((document) => ({ fields: document, owner: document })))
    return built
  }

  /**
   * The new document of a prepared input; at once, where none of it is sealed for a person: what is called without being awaited
   * is begun then before its transaction ends.
   * @throws ValidationError, ConflictError for fields about somebody who was erased.
   */
  build<Built extends Document>(
    fields: Readonly<Record<string, unknown>>,
  ): (Built & Identified) | Promise<Built & Identified> {
    const built = this.#assembled<Built>(fields)
    if (!this.#secrets.areForPersons(built)) return built
    return this.#secrets.sealForPersons([{ fields: built, owner: built }]).then(() => built)
  }

  #assembled<Built extends Document>(fields: Readonly<Record<string, unknown>>): Built & Identified {
    const _id = (fields._id as ObjectId | undefined) ?? new ObjectId()
    const document: Record<string, unknown> = { ...fields, _id }
    if (this.#entity.softDelete) document.deletedAt = null
    this.#secrets.sealIn(document, _id)
    return document as Built & Identified
  }

  /** The update document of some changes. @throws ValidationError, BusyError. */
  async change(_id: ObjectId, changes: object): Promise<Document> {
    const hashes: Record<string, readonly string[]> = {}
    const update: Document = compileChanges(this.#entity, changes, (field, plain) => {
      Object.assign(hashes, this.#secrets.hashesOf(field, plain))
      return this.#secrets.seal(field, _id, plain)
    })
    this.#report(changes)
    Object.assign(update.$set ?? {}, hashes)
    Object.assign(update.$unset ?? {}, this.#secrets.hashFieldsOf(Object.keys(update.$unset ?? {})))
    if (update.$set === undefined) return update
    await this.#secrets.hashIn(update.$set)
    await this.#secrets.sealChange(_id, update.$set)
    return update
  }

  /** The update document that sets some fields of a prepared input. @param owner The document, as far as it says whom it is about. */
  async setting(owner: Readonly<Document> & Identified, fields: Readonly<Record<string, unknown>>): Promise<Document> {
    const sealed = { ...fields }
    this.#secrets.sealIn(sealed, owner._id)
    await this.#secrets.sealForPersons([{ fields: sealed, owner }])
    return { $set: sealed }
  }

  /** The update document of a soft deletion. */
  deletion(): Document {
    return { $set: { deletedAt: this.#database.clock.now() } }
  }

  /** The update document that takes a soft deletion back. */
  restoration(): Document {
    return { $set: { deletedAt: null } }
  }

  /** Logs what was taken and still looks wrong. */
  #report(given: object): void {
    for (const [field, doubt] of Object.entries(this.#entity.behaviour.doubts)) {
      const value: unknown = (given as Record<string, unknown>)[field]
      const message = typeof value === 'string' ? doubt(value) : undefined
      if (message !== undefined) this.#database.logger.warn({ entity: this.#entity.name, field }, message)
    }
  }
}
