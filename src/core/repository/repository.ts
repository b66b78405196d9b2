import {
  type AnyBulkWriteOperation,
  type Filter as DriverFilter,
  ObjectId,
  type OptionalUnlessRequiredId,
  type UpdateFilter,
} from 'mongodb'
import type { HydratedDocument, Model } from 'mongoose'
import type { Database } from '../database.js'
import type { Entity, StoredFields } from '../entity.js'
import { ConflictError, NotFoundError, ValidationError } from '../errors.js'
import { compileModel } from '../model.js'
import { issuesOf } from '../validate.js'
import type { Changes } from './changes.js'
import { compileChanges } from './compile-changes.js'
import type { Filter } from './conditions.js'
import { inSession, Reader, requireSoftDelete, toObjectId } from './reader.js'
import { SecretFields } from './secret-fields.js'
import { boundedLimit, type ListOptions } from './selection.js'

const maximumBatch = 10_000

export interface UpdateOptions {
  /** The `__v` that the change was made for; another one means that somebody was faster, and nothing is written. */
  readonly version?: number
}

export type BulkOperation<Stored, Input> =
  | { readonly create: Input }
  | { readonly update: ObjectId | string; readonly changes: Changes<Stored, Input>; readonly version?: number }
  | { readonly delete: ObjectId | string }

export interface BulkResult {
  readonly created: ObjectId[]
  readonly updated: number
  readonly deleted: number
}

/**
 * The documents of one entity: plain typed objects in and out. Hosts may extend it. Every call takes part in the
 * transaction that it is made in.
 */
export class Repository<Stored extends StoredFields, Input extends object> extends Reader<Stored> {
  declare readonly entity: Entity<Stored, Input>
  readonly #secrets: SecretFields

  constructor(database: Database, entity: Entity<Stored, Input>) {
    super(database, entity)
    this.#secrets = new SecretFields(database, entity)
  }

  /** The Mongoose model, for what the repository does not offer. It does not take part in transactions by itself. */
  get model(): Model<Stored> {
    return compileModel<Stored>(this.database.connection, this.entity)
  }

  /** Stores a new document. @throws ValidationError, ConflictError if a unique value is taken. */
  async create(input: Input): Promise<Stored> {
    const document = this.build(input)
    await this.read('create', (session) => this.collection.insertOne(document, inSession(session)))
    return this.#secrets.without<Stored>(document)
  }

  /** Stores all of them or none. @throws ValidationError with paths such as `2.name`, ConflictError. */
  async createMany(inputs: readonly Input[]): Promise<Stored[]> {
    this.checkBatch(inputs)
    if (inputs.length === 0) return []
    const documents = this.buildAll(inputs)
    await this.database.transactions.run(() =>
      this.read('createMany', (session) => this.collection.insertMany(documents, inSession(session))),
    )
    return documents.map((document) => this.#secrets.without<Stored>(document))
  }

  /**
   * Changes a document and gives it back as it is then.
   * @throws ValidationError, NotFoundError, ConflictError: `STALE_VERSION` if the version is not the stored one any more.
   */
  async update(id: ObjectId | string, changes: Changes<Stored, Input>, options: UpdateOptions = {}): Promise<Stored> {
    const _id = toObjectId(id)
    const update = this.updateOf(_id, changes)
    const found = await this.read('update', (session) =>
      this.collection.findOneAndUpdate(this.target(_id, options.version), update, {
        ...inSession(session),
        returnDocument: 'after',
        projection: this.#secrets.projection,
      }),
    )
    if (found === null) throw await this.missing(_id, options.version)
    return found as unknown as Stored
  }

  /**
   * Changes the document that matches, or creates it. The filter may use equality only; what it fixes belongs to the input.
   * Safe from many processes if a unique index covers the filter's fields.
   */
  async upsert(filter: Filter<Stored>, input: Input): Promise<Stored> {
    const document = this.build(input) as Record<string, unknown>
    const { _id, createdAt, __v, deletedAt, ...fields } = document
    const query = this.query(filter, {})
    const onInsert = {
      createdAt,
      ...(deletedAt === null ? {} : {}),
      ...('_id' in input || !('_id' in query) ? { _id } : {}),
    }
    const update = { $set: fields, $setOnInsert: onInsert, $inc: { __v: 1 } } as unknown as UpdateFilter<Stored>
    const attempt = () =>
      this.read('upsert', (session) =>
        this.collection.findOneAndUpdate(query, update, {
          ...inSession(session),
          upsert: true,
          returnDocument: 'after',
          projection: this.#secrets.projection,
        }),
      )
    try {
      return (await attempt()) as unknown as Stored
    } catch (error) {
      // Two upserts that both found nothing: the one that came second now finds the other's document.
      if (error instanceof ConflictError && this.database.transactions.session === undefined)
        return (await attempt()) as unknown as Stored
      throw error
    }
  }

  /** Removes the document, or marks it as deleted where the entity says so. @throws NotFoundError, ConflictError `STALE_VERSION`. */
  async delete(id: ObjectId | string, options: UpdateOptions = {}): Promise<void> {
    const _id = toObjectId(id)
    const target = this.target(_id, options.version)
    const count = await this.read('delete', async (session) => {
      if (!this.entity.softDelete) return (await this.collection.deleteOne(target, inSession(session))).deletedCount
      return (await this.collection.updateOne(target, this.deletion(), inSession(session))).matchedCount
    })
    if (count === 0) throw await this.missing(_id, options.version)
  }

  /** Takes a soft deletion back. @throws NotFoundError, ConflictError if its unique values have been taken meanwhile. */
  async restore(id: ObjectId | string): Promise<Stored> {
    requireSoftDelete(this.entity)
    const _id = toObjectId(id)
    const query = { _id, deletedAt: { $ne: null } } as unknown as DriverFilter<Stored>
    const update = {
      $set: { deletedAt: null, updatedAt: this.database.clock.now() },
      $inc: { __v: 1 },
    } as unknown as UpdateFilter<Stored>
    const found = await this.read('restore', (session) =>
      this.collection.findOneAndUpdate(query, update, {
        ...inSession(session),
        returnDocument: 'after',
        projection: this.#secrets.projection,
      }),
    )
    if (found === null) throw new NotFoundError(`deleted ${this.entity.name}`, `id ${_id.toHexString()}`)
    return found as unknown as Stored
  }

  /** Several writes, in order, all or none. @throws ValidationError, NotFoundError, ConflictError. */
  async bulk(operations: readonly BulkOperation<Stored, Input>[]): Promise<BulkResult> {
    this.checkBatch(operations)
    const created: ObjectId[] = []
    const writes = operations.map((operation): AnyBulkWriteOperation<Stored> => {
      if ('create' in operation) {
        const document = this.build(operation.create)
        created.push(document._id as ObjectId)
        return { insertOne: { document: document as never } }
      }
      if ('update' in operation) {
        const _id = toObjectId(operation.update)
        return {
          updateOne: { filter: this.target(_id, operation.version), update: this.updateOf(_id, operation.changes) },
        }
      }
      const filter = this.target(toObjectId(operation.delete), undefined)
      return this.entity.softDelete ? { updateOne: { filter, update: this.deletion() } } : { deleteOne: { filter } }
    })
    if (writes.length === 0) return { created, updated: 0, deleted: 0 }
    const updates = operations.filter((operation) => 'update' in operation).length
    const deletions = operations.length - updates - created.length
    await this.database.transactions.run(async () => {
      const result = await this.read('bulk', (session) => this.collection.bulkWrite(writes, inSession(session)))
      const hit = result.matchedCount + result.deletedCount
      if (hit !== updates + deletions) {
        throw new NotFoundError(
          this.entity.name,
          `the id and version of every operation: ${updates + deletions - hit} of ${writes.length} met none`,
        )
      }
    })
    return { created, updated: updates, deleted: deletions }
  }

  /** The document as a Mongoose document, with the entity's virtuals and methods. @throws NotFoundError. */
  async getDocument(id: ObjectId | string): Promise<HydratedDocument<Stored>> {
    const [document] = await this.findDocuments({ _id: toObjectId(id) } as Filter<Stored>, { limit: 1 })
    if (document === undefined) throw new NotFoundError(this.entity.name, `id ${String(id)}`)
    return document
  }

  /** The documents that match as Mongoose documents; they save in the transaction that they were read in. */
  async findDocuments(
    filter: Filter<Stored> = {},
    options: ListOptions<Stored> & { readonly limit?: number } = {},
  ): Promise<HydratedDocument<Stored>[]> {
    const query = this.query(filter, options)
    const limit = boundedLimit(options.limit, 100, 1000)
    return this.read('findDocuments', async (session) => {
      const found = this.model.find(query as never, null, { ...inSession(session), limit })
      if (options.sort !== undefined) found.sort(options.sort as Record<string, 1 | -1>)
      return (await found.exec()) as unknown as HydratedDocument<Stored>[]
    })
  }

  /**
   * The plain text of a secret field, decrypted.
   * @throws NotFoundError if there is no such document or it has no such secret, DatabaseError `KEY_RING`.
   */
  async revealSecret(id: ObjectId | string, field: string): Promise<string> {
    return this.#secrets.reveal(toObjectId(id), field)
  }

  /** Seals every secret anew that was not sealed with the active key. @returns how many were. */
  async resealSecrets(): Promise<number> {
    return this.#secrets.reseal()
  }

  private build(input: Input): OptionalUnlessRequiredId<Stored> {
    const result = this.entity.inputSchema.safeParse(input)
    if (!result.success) throw new ValidationError(this.entity.name, issuesOf(result.error, input))
    return this.complete(result.data as Record<string, unknown>)
  }

  private buildAll(inputs: readonly Input[]): OptionalUnlessRequiredId<Stored>[] {
    const results = inputs.map((input) => this.entity.inputSchema.safeParse(input))
    const issues = results.flatMap((result, index) =>
      result.success
        ? []
        : issuesOf(result.error, inputs[index]).map((issue) => ({ ...issue, path: `${index}.${issue.path}` })),
    )
    if (issues.length > 0) throw new ValidationError(this.entity.name, issues)
    return results.map((result) => this.complete(result.data as Record<string, unknown>))
  }

  private complete(fields: Record<string, unknown>): OptionalUnlessRequiredId<Stored> {
    const _id = (fields._id as ObjectId | undefined) ?? new ObjectId()
    const now = this.database.clock.now()
    const document: Record<string, unknown> = { ...fields, _id, createdAt: now, updatedAt: now, __v: 0 }
    if (this.entity.softDelete) document.deletedAt = null
    this.#secrets.sealIn(document, _id)
    return document as OptionalUnlessRequiredId<Stored>
  }

  private updateOf(_id: ObjectId, changes: Changes<Stored, Input>): UpdateFilter<Stored> {
    const update = compileChanges(this.entity, changes, (field, plain) => this.#secrets.seal(field, _id, plain))
    return {
      ...update,
      $set: { ...update.$set, updatedAt: this.database.clock.now() },
      $inc: { ...update.$inc, __v: 1 },
    } as unknown as UpdateFilter<Stored>
  }

  private target(_id: ObjectId, version: number | undefined): DriverFilter<Stored> {
    return {
      _id,
      ...(this.entity.softDelete ? { deletedAt: null } : {}),
      ...(version === undefined ? {} : { __v: version }),
    } as unknown as DriverFilter<Stored>
  }

  private deletion(): UpdateFilter<Stored> {
    const now = this.database.clock.now()
    return { $set: { deletedAt: now, updatedAt: now }, $inc: { __v: 1 } } as unknown as UpdateFilter<Stored>
  }

  private async missing(_id: ObjectId, version: number | undefined): Promise<NotFoundError | ConflictError> {
    const isThere = version !== undefined && (await this.exists({ _id } as Filter<Stored>))
    if (!isThere) return new NotFoundError(this.entity.name, `id ${_id.toHexString()}`)
    return new ConflictError(
      'STALE_VERSION',
      `The ${this.entity.name} ${_id.toHexString()} is not at version ${version} any more`,
    )
  }

  private checkBatch(items: readonly unknown[]): void {
    if (items.length > maximumBatch) {
      throw new ValidationError(this.entity.name, [
        { path: '', message: `expected at most ${maximumBatch} at a time`, received: 'array' },
      ])
    }
  }
}
