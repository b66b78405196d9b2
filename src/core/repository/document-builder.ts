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
    return parsed.map((fields) => this.build<Built>(fields))
  }

  /** The new document of a prepared input. */
  build<Built extends Document>(fields: Readonly<Record<string, unknown>>): Built & Identified {
    const _id = (fields._id as ObjectId | undefined) ?? new ObjectId()
    const document: Record<string, unknown> = { ...fields, _id }
    if (this.#entity.softDelete) document.deletedAt = null
    this.#secrets.sealIn(document, _id)
    return document as Built & Identified
  }

  /** The update document of some changes. @throws ValidationError, BusyError. */
  async change(_id: ObjectId, changes: object): Promise<Document> {
    const update = compileChanges(this.#entity, changes, (field, plain) => this.#secrets.seal(field, _id, plain))
    if (update.$set !== undefined) await this.#secrets.hashIn(update.$set)
    this.#report(changes)
    return update
  }

  /** The update document that sets some fields of a prepared input. */
  setting(_id: ObjectId, fields: Readonly<Record<string, unknown>>): Document {
    const sealed = { ...fields }
    this.#secrets.sealIn(sealed, _id)
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
    for (const [field, doubt] of Object.entries(this.#entity.behaviour.doubts ?? {})) {
      const value: unknown = (given as Record<string, unknown>)[field]
      const message = typeof value === 'string' ? doubt(value) : undefined
      if (message !== undefined) this.#database.logger.warn({ entity: this.#entity.name, field }, message)
    }
  }
}
