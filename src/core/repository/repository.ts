import type { Document, Filter as DriverFilter, ObjectId } from 'mongodb'
import type { HydratedDocument, Model } from 'mongoose'
import type { EntityCollection } from '../collection/entity-collection.js'
import type { NewDocument, StoreFilter, StoreWrite } from '../collection/store-query.js'
import type { Database } from '../database.js'
import type { Entity, Identified, StoredFields } from '../entity.js'
import { ConflictError, DatabaseError, NotFoundError } from '../errors.js'
import { toObjectId } from '../fields.js'
import { retryCreation } from '../retry-on-conflict.js'
import type { Revealed } from '../subject-keys/sealed-for.js'
import { type BulkOperation, type BulkResult, requireBatch, requireOperations, targetOf } from './bulk.js'
import { changedFields, fieldsOfWrite } from './changed-fields.js'
import type { Changes } from './changes.js'
import type { Filter } from './conditions.js'
import { DocumentBuilder } from './document-builder.js'
import { inSession } from './in-session.js'
import { defaultLimit, type FindManyOptions, findNames, maximumLimit } from './list-options.js'
import { Reader } from './reader.js'
import { SecretFields } from './secret-fields.js'
import { bounded, compileSort, requireOptions } from './selection.js'
import { prepareUpsert, type Upsert, upsertStage } from './upsert.js'
import { missedTarget, requireSoftDelete, requireVersion, TargetMissed } from './write-checks.js'

export interface UpdateOptions {
  /** The `__v` that the change was made for; another one means that somebody was faster, and nothing is written. */
  readonly version?: number
}

/**
 * The documents of one entity: plain typed objects in and out. Hosts may extend it. Every call takes part in the
 * transaction that it is made in.
 */
export class Repository<Stored extends StoredFields, Input extends object> extends Reader<Stored> {
  declare readonly entity: Entity<Stored, Input>
  readonly #secrets: SecretFields
  readonly #documents: DocumentBuilder

  constructor(database: Database, entity: Entity<Stored, Input>, documents?: EntityCollection<Stored>) {
    super(database, entity, documents)
    this.#secrets = new SecretFields(database, entity)
    this.#documents = new DocumentBuilder(database, entity, this.#secrets)
  }

  /** @internal */
  override over(documents: EntityCollection<Stored>): Repository<Stored, Input> {
    return new Repository(this.database, this.entity, documents)
  }

  /**
   * The Mongoose model, for what the repository does not offer. It validates as the repository does, and its errors are
   * ours too; it does not take part in transactions by itself.
   */
  get model(): Model<Stored> {
    this.database.requireOpen()
    return this.database.models.of<Stored>(this.entity)
  }

  /** Stores a new document. @throws ValidationError, ConflictError if a unique value is taken. */
  async create(input: Input): Promise<Stored> {
    return this.insert(await this.#documents.prepare(input))
  }

  /** Stores all of them or none. @throws ValidationError with paths such as `2.name`, ConflictError. */
  async createMany(inputs: readonly Input[]): Promise<Stored[]> {
    requireBatch(this.entity, inputs)
    if (inputs.length === 0) return []
    const built = await this.#documents.buildAll<NewDocument<Stored>>(inputs)
    const stored = await this.database.transactions.run(() => this.documents.for('createMany').insert(built))
    return stored.map((document) => this.shown(document))
  }

  /**
   * Changes a document and gives it back as it is then.
   * @throws ValidationError, NotFoundError, ConflictError: `STALE_VERSION` if the version is not the stored one any more.
   */
  async update(id: ObjectId | string, changes: Changes<Stored, Input>, options: UpdateOptions = {}): Promise<Stored> {
    requireOptions(options, ['version'])
    const _id = toObjectId(id)
    const update = await this.#documents.change(_id, changes)
    const { projection } = this.#secrets
    const target = this.target(_id, options.version)
    const found = await this.changing(target, changedFields(update), () =>
      this.documents.for('update').findOneAndUpdate(target, update, { projection }),
    )
    if (found === null) throw await this.missing(_id, options.version)
    return this.shown(found)
  }

  /**
   * Changes the document that has the filter's values, or creates it from the input. What the input leaves out stays as it
   * is; defaults are for new documents only. Safe from many processes at once: a unique index over the filter's fields
   * decides, and without one the call is refused.
   * @throws ValidationError if the filter has conditions or values other than the input's, ConflictError,
   * DatabaseError `CONFIGURATION` without such an index.
   */
  async upsert(filter: Filter<Stored>, input: Input): Promise<Stored> {
    const upsert = prepareUpsert(this.entity, filter, this.#documents.parse(input), input)
    await this.#secrets.hashIn(upsert.fields)
    const isSealed = this.#secrets.areIn(upsert.given)
    const found = this.alive(upsert.query as DriverFilter<Stored>, {})
    return retryCreation(this.database, () =>
      this.changing(found, upsert.given, async () => {
        if (!isSealed && this.documents.canUpsert) return this.upsertAtOnce(upsert)
        return (await this.updateFound(upsert)) ?? (await this.insert(upsert.fields))
      }),
    )
  }

  /** Removes the document, or marks it as deleted where the entity says so. @throws NotFoundError, ConflictError `STALE_VERSION`. */
  async delete(id: ObjectId | string, options: UpdateOptions = {}): Promise<void> {
    requireOptions(options, ['version'])
    const _id = toObjectId(id)
    const target = this.target(_id, options.version)
    const documents = this.documents.for('delete')
    const isMet = await this.changing(target, ['deletedAt'], async () =>
      this.entity.softDelete
        ? (await documents.updateOne(target, this.#documents.deletion())).matched > 0
        : documents.deleteOne(target),
    )
    if (!isMet) throw await this.missing(_id, options.version)
  }

  /** Takes a soft deletion back. @throws NotFoundError, ConflictError if its unique values have been taken meanwhile. */
  async restore(id: ObjectId | string): Promise<Stored> {
    requireSoftDelete(this.entity)
    const _id = toObjectId(id)
    const deleted = { _id, deletedAt: { $ne: null } } as StoreFilter<Stored>
    const { projection } = this.#secrets
    const documents = this.documents.for('restore')
    const found = await this.changing(deleted, ['deletedAt'], () =>
      documents.findOneAndUpdate(deleted, this.#documents.restoration(), { projection }),
    )
    if (found === null) throw new NotFoundError(`deleted ${this.entity.name}`, `id ${_id.toHexString()}`)
    return this.shown(found)
  }

  /** Several writes, in order, all or none. @throws ValidationError, NotFoundError, ConflictError. */
  async bulk(operations: readonly BulkOperation<Stored, Input>[]): Promise<BulkResult> {
    requireBatch(this.entity, operations)
    requireOperations(this.entity, operations)
    if (operations.length === 0) return { created: [], updated: 0, deleted: 0 }
    const created: ObjectId[] = []
    const writes: StoreWrite<Stored>[] = []
    for (const [index, operation] of operations.entries()) {
      const write = await this.writeOf(operation, index)
      if ('insert' in write && write.insert._id !== undefined) created.push(write.insert._id)
      writes.push(write)
    }
    const updated = operations.filter((operation) => 'update' in operation).length
    const deleted = operations.length - updated - created.length
    const ids = operations.flatMap((operation) => ('create' in operation ? [] : [targetOf(operation)]))
    try {
      await this.changing({ _id: { $in: ids } } as StoreFilter<Stored>, writes.flatMap(fieldsOfWrite), () =>
        this.database.transactions.run(async () => {
          const done = await this.documents.for('bulk').bulkWrite(writes)
          if (done.matched + done.deleted !== updated + deleted) throw new TargetMissed(this.entity.name, missedTarget)
        }),
      )
    } catch (error) {
      throw error instanceof TargetMissed ? await this.missedBy(operations) : error
    }
    return { created, updated, deleted }
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
    options: Omit<FindManyOptions<Stored, keyof Stored>, 'select'> = {},
  ): Promise<HydratedDocument<Stored>[]> {
    requireOptions(options, findNames)
    const query = this.query(filter, options)
    const limit = bounded('limit', options.limit, defaultLimit, maximumLimit)
    const sort = Object.fromEntries(compileSort(this.entity, options.sort))
    return this.database.run(this.entity, 'findDocuments', async (session) => {
      const found = this.model.find<HydratedDocument<Stored>>(query, null, { ...inSession(session), limit, sort })
      return found.exec()
    })
  }

  /**
   * The plain text of a secret field, decrypted; null for one that was sealed for a person (`sealedFor`) who was erased.
   * @throws NotFoundError if there is no such document or it has no such secret, DatabaseError `KEY_RING`.
   */
  async revealSecret<Field extends Exclude<keyof Input, keyof Stored> & string>(
    id: ObjectId | string,
    field: Field,
  ): Promise<Revealed<Stored, Field>> {
    return (await this.#secrets.reveal(toObjectId(id), field)) as Revealed<Stored, Field>
  }

  /** As {@link revealSecret}, for repositories whose host may have extended the entity: its types do not know the names. */
  protected async revealSecretNamed(id: ObjectId | string, field: string): Promise<string> {
    const plain = await this.#secrets.reveal(toObjectId(id), field)
    if (plain === null) throw new NotFoundError(this.entity.name, `id ${String(id)} and a secret ${field}`)
    return plain
  }

  /** Seals every secret anew that was not sealed with the active key. @returns how many were. */
  async resealSecrets(): Promise<number> {
    return this.#secrets.reseal()
  }

  private async writeOf(operation: BulkOperation<Stored, Input>, index: number): Promise<StoreWrite<Stored>> {
    if ('create' in operation) {
      const fields = await this.#documents.prepare(operation.create, `${this.entity.name} (operation ${index})`)
      return { insert: await this.#documents.build<NewDocument<Stored>>(fields) }
    }
    const _id = targetOf(operation)
    const target = this.target(_id, operation.version)
    if ('update' in operation) return { update: target, by: await this.#documents.change(_id, operation.changes) }
    return this.entity.softDelete ? { update: target, by: this.#documents.deletion() } : { delete: target }
  }

  private async insert(fields: Readonly<Record<string, unknown>>): Promise<Stored> {
    const built = this.#documents.build<NewDocument<Stored>>(fields)
    return this.shown(await this.documents.for('create').insertOne(built instanceof Promise ? await built : built))
  }

  private async upsertAtOnce({ query, fields, given }: Upsert): Promise<Stored> {
    const stages = [{ $set: upsertStage(await this.#documents.build(fields), given, this.database.clock.now()) }]
    const alive = this.alive(query as DriverFilter<Stored>, {})
    const options = { upsert: true, projection: this.#secrets.projection }
    const stored = await this.documents.for('upsert').findOneAndUpdate(alive, stages, options)
    if (stored === null) throw new DatabaseError('DATABASE', `The server did not give the ${this.entity.name} back`)
    return this.shown(stored)
  }

  /** For inputs with secrets, which are sealed for the document that they are stored in: it has to be known before. */
  private async updateFound({ query, fields, given }: Upsert): Promise<Stored | null> {
    const alive = this.alive(query as DriverFilter<Stored>, {})
    const documents = this.documents.for('upsert')
    const owner = { projection: { ...this.#secrets.ownerProjection, _id: 1 as const } }
    const found = await documents.findOne<Identified & Document>(alive, owner)
    if (found === null) return null
    const { _id } = found
    const update = await this.#documents.setting(found, Object.fromEntries(given.map((name) => [name, fields[name]])))
    const { projection } = this.#secrets
    const updated = await documents.findOneAndUpdate({ $and: [{ _id }, alive] }, update, { projection })
    return updated === null ? null : this.shown(updated)
  }

  /**
   * Does a write of documents that are there. Repositories override it that have more to do when certain fields change.
   * @param _filter What the documents match before the write.
   * @param _fields Those that the write sets or removes.
   */
  protected changing<Result>(
    _filter: StoreFilter<Stored>,
    _fields: readonly string[],
    work: () => Promise<Result>,
  ): Promise<Result> {
    return work()
  }

  protected target(_id: ObjectId, version: number | undefined): StoreFilter<Stored> {
    const target: Document = {
      _id,
      ...(this.entity.softDelete ? { deletedAt: null } : {}),
      ...(version === undefined ? {} : { __v: requireVersion(version) }),
    }
    return target as StoreFilter<Stored>
  }

  /** Why a document was not met. */
  private async missing(_id: ObjectId, version: number | undefined): Promise<NotFoundError | ConflictError> {
    const isThere = version !== undefined && (await this.exists({ _id } as Filter<Stored>))
    if (!isThere) return new NotFoundError(this.entity.name, `id ${_id.toHexString()}`)
    return new ConflictError(
      'STALE_VERSION',
      `The ${this.entity.name} ${_id.toHexString()} is not at version ${version} any more`,
    )
  }

  /** Which of the operations met no document, as far as it is still known after nothing was stored. */
  private async missedBy(operations: readonly BulkOperation<Stored, Input>[]): Promise<DatabaseError> {
    for (const operation of operations) {
      if ('create' in operation) continue
      const _id = targetOf(operation)
      const found = await this.documents.findOne(this.target(_id, operation.version), { projection: { _id: 1 } })
      if (found === null) return this.missing(_id, operation.version)
    }
    return new NotFoundError(this.entity.name, missedTarget)
  }
}
