import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { declaredSchema } from './declared-schema.js'
import { refuseOwnFields, refuseTakenFields, refuseUnknownIndexes, requireCollectionName } from './entity-checks.js'
import { objectId } from './fields.js'
import { type MongoJsonSchema, toMongoJsonSchema } from './json-schema.js'
import { asZod, type OutputOf, type ParsedFrom, type SchemaLike, type Shape } from './schema-like.js'

/** What every stored document has. */
export interface Identified {
  readonly _id: ObjectId
}

/** What every document that can change has besides the fields of its entity. */
export interface StoredFields extends Identified {
  readonly createdAt: Date
  readonly updatedAt: Date
  /** The version of the document: 0 when created, one more with each update. */
  readonly __v: number
}

/** What every document has of an entity with `softDelete`. */
export interface Deletable {
  /** When the document was deleted; null while it is not. */
  readonly deletedAt: Date | null
}

export type SortDirection = 1 | -1

export interface IndexDefinition {
  readonly key: Readonly<Record<string, SortDirection | '2dsphere' | 'text'>>
  readonly unique?: boolean
  /** Seconds after which a document goes, counted from the date in the index's field. */
  readonly expireAfterSeconds?: number
  /** The documents that the index holds: equality, `$exists: true`, `$gt`, `$gte`, `$lt`, `$lte`, `$type`. */
  readonly partialFilterExpression?: Readonly<Record<string, unknown>>
  /** The query that needs it: an index without a reader is only a cost. */
  readonly serves: string
}

/** A rule across several fields, checked here and by the server. */
export interface EntityRule {
  readonly path: string
  readonly message: string
  readonly check: (document: Readonly<Record<string, unknown>>) => boolean
  /** The same rule as a MongoDB aggregation expression; `$exists` is written as a comparison with `$type`. */
  readonly expression: Readonly<Record<string, unknown>>
}

export interface TimeSeriesOptions {
  readonly timeField: string
  readonly metaField?: string
  readonly granularity?: 'seconds' | 'minutes' | 'hours'
  readonly expireAfterSeconds?: number
}

type SecretShape = Readonly<Record<string, SchemaLike<string | undefined, string | undefined>>>
type Flat<T> = { [K in keyof T]: T[K] }

/** Functions that Mongoose documents or models of the entity have; plain objects do not. */
export interface EntityBehaviour {
  readonly virtuals?: Readonly<Record<string, (document: never) => unknown>>
  readonly methods?: Readonly<Record<string, (...args: never[]) => unknown>>
  readonly statics?: Readonly<Record<string, (...args: never[]) => unknown>>
}

export interface EntityOptions<Fields extends Shape, Secrets extends SecretShape, SoftDelete extends boolean = boolean>
  extends EntityBehaviour {
  /** The singular name in messages, such as `device`. */
  readonly name: string
  readonly collection: string
  readonly fields: Fields
  /** Fields that are encrypted at rest, with the schema of their plain text; they are never read with a document. */
  readonly secrets?: Secrets
  readonly rules?: readonly EntityRule[]
  readonly indexes?: readonly IndexDefinition[]
  /** Deleting marks the document with `deletedAt` instead of removing it. */
  readonly softDelete?: SoftDelete
  readonly timeSeries?: TimeSeriesOptions
  /** The documented shard key of a collection that grows with traffic; every unique index starts with it. */
  readonly shardKey?: Readonly<Record<string, 1 | 'hashed'>>
  /** @default 'strict' */
  readonly validationLevel?: ValidationLevel
}

/**
 * Which documents the server checks when they are written: all of them, or with `moderate` all but those that did not fit
 * before. Where hosts have documents from before the library, they stay readable either way; only `moderate` leaves them
 * open to changes that do not set right everything at once.
 */
export type ValidationLevel = 'strict' | 'moderate'

export interface EntityExtension<Fields extends Shape, Secrets extends SecretShape> extends EntityBehaviour {
  readonly fields: Fields
  readonly secrets?: Secrets
  readonly rules?: readonly EntityRule[]
  readonly indexes?: readonly IndexDefinition[]
}

export type StoredOf<Fields extends Shape, SoftDelete extends boolean> = Flat<
  OutputOf<Fields> & StoredFields & (SoftDelete extends true ? Deletable : unknown)
>
export type InputOf<Fields extends Shape, Secrets extends SecretShape> = Flat<
  ParsedFrom<Fields> & ParsedFrom<Secrets> & { _id?: ObjectId | string | undefined }
>

/** A definition from which types, Mongoose schema, validation and the server's validator are made. */
export interface EntityDescription {
  readonly name: string
  readonly collection: string
  /** What `create` takes. Exported for hosts that validate requests with it. */
  readonly inputSchema: SchemaLike
  /** A whole document as it is stored, secrets sealed. */
  readonly storedSchema: z.ZodObject
  readonly secrets: SecretShape
  readonly rules: readonly EntityRule[]
  readonly indexes: readonly IndexDefinition[]
  readonly softDelete: boolean
  readonly appendOnly: boolean
  readonly timeSeries: TimeSeriesOptions | undefined
  readonly shardKey: Readonly<Record<string, 1 | 'hashed'>> | undefined
  readonly validationLevel: ValidationLevel
  readonly behaviour: EntityBehaviour
  /** The validator that the server's collection gets; undefined for a time-series collection, which can have none. */
  readonly validator: MongoJsonSchema | undefined
}

/** An entity with the types of its stored documents and of the input that creates one. */
export interface Entity<out Stored extends Identified = Identified, out Input extends object = object>
  extends EntityDescription {
  /**
   * This entity with fields of the host's own.
   * @throws DatabaseError `CONFIGURATION` for a field that is there already.
   */
  extend<Fields extends Shape, Secrets extends SecretShape = Record<never, never>>(
    extension: EntityExtension<Fields, Secrets>,
  ): Entity<Flat<Stored & OutputOf<Fields>>, Flat<Input & Omit<InputOf<Fields, Secrets>, '_id'>>>
  /** This entity in another collection. */
  inCollection(collection: string): Entity<Stored, Input>
  /** What `create` takes. What it gives back of data can be handed to `create`. */
  readonly inputSchema: SchemaLike<Input, Input>
  /** Carries the type of a stored document; never set. */
  readonly stored?: Stored
}

/** The name that MongoDB itself gives the index. */
export function indexName(index: Pick<IndexDefinition, 'key'>): string {
  return Object.entries(index.key).flat().join('_')
}

/** What an index is called that was built beside the one whose place it took. */
export function rebuiltName(index: Pick<IndexDefinition, 'key'>): string {
  return `${indexName(index)}_rebuilt`
}

/** The type of an entity's stored documents. */
export type Stored<E extends Entity> = NonNullable<E['stored']>
/** The type of what creates one. */
export type Input<E extends Entity> = E['inputSchema']['_zod']['input']

/** How an encrypted field looks in the database: version, key name, and the rest in base64url. */
export const sealedPattern = /^av1\.[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{38,}$/

/**
 * Declares an entity. The fields are the only place where its shape is written down.
 * @throws DatabaseError `CONFIGURATION` if MongoDB could not check what the fields ask for.
 */
export function defineEntity<
  const Fields extends Shape,
  const Secrets extends SecretShape = Record<never, never>,
  const SoftDelete extends boolean = false,
>(options: EntityOptions<Fields, Secrets, SoftDelete>): Entity<StoredOf<Fields, SoftDelete>, InputOf<Fields, Secrets>> {
  return buildEntity(options, managedFields) as never
}

/**
 * Declares an entity whose documents are facts: written once, by the library alone, and never changed. They carry no
 * version and no time stamps of their own, and the Mongoose model refuses every write.
 */
export function defineAppendOnlyEntity<const Fields extends Shape>(
  options: Omit<EntityOptions<Fields, Record<never, never>>, 'secrets' | 'softDelete'>,
): Entity<Flat<OutputOf<Fields> & Identified>, InputOf<Fields, Record<never, never>>> {
  return buildEntity(options, {}) as never
}

const managedFields = { createdAt: z.date(), updatedAt: z.date(), __v: z.int().min(0) }

function buildEntity(options: EntityOptions<Shape, SecretShape>, managed: Shape): Entity {
  const { name, collection, rules = [], softDelete = false } = options
  requireCollectionName(collection)
  const fields = mapShape(options.fields, declaredSchema)
  const secrets = mapShape(options.secrets ?? {}, declaredSchema) as SecretShape
  refuseOwnFields(name, [...Object.keys(fields), ...Object.keys(secrets)])
  refuseTakenFields(name, Object.keys(fields), Object.keys(secrets))
  const indexes = [...(options.indexes ?? []), ...(softDelete ? [undeletedIndex] : [])]
  const storedSchema = z.strictObject({
    _id: objectId(),
    ...fields,
    ...mapShape(secrets, (schema) => sealedLike(asZod(schema))),
    ...managed,
    ...(softDelete ? { deletedAt: z.date().nullable() } : {}),
  })
  const indexedPaths = indexes.flatMap(({ key }) => Object.keys(key))
  refuseUnknownIndexes(name, storedSchema, indexedPaths)
  const inputSchema = z
    .strictObject({ _id: objectId().optional(), ...fields, ...secrets })
    .check(...rules.map(ruleCheck))
  return {
    name,
    collection,
    inputSchema,
    storedSchema,
    secrets,
    rules,
    indexes,
    softDelete,
    appendOnly: !('__v' in managed),
    timeSeries: options.timeSeries,
    shardKey: options.shardKey,
    validationLevel: options.validationLevel ?? 'strict',
    behaviour: { virtuals: options.virtuals ?? {}, methods: options.methods ?? {}, statics: options.statics ?? {} },
    validator: options.timeSeries ? undefined : serverValidator(storedSchema, rules),
    extend: (extension) => buildEntity(extended(options, extension), managed) as never,
    inCollection: (other) => buildEntity({ ...options, collection: other }, managed) as never,
  }
}

const undeletedIndex: IndexDefinition = {
  key: { deletedAt: 1, _id: 1 },
  serves: 'the documents that are not deleted, in the order of their creation',
}

function extended(
  options: EntityOptions<Shape, SecretShape>,
  extension: EntityExtension<Shape, SecretShape>,
): EntityOptions<Shape, SecretShape> {
  const { fields, secrets = {} } = extension
  const known = [...Object.keys(options.fields), ...Object.keys(options.secrets ?? {})]
  refuseTakenFields(options.name, known, [...Object.keys(fields), ...Object.keys(secrets)])
  return {
    ...options,
    fields: { ...options.fields, ...fields },
    secrets: { ...options.secrets, ...secrets },
    rules: [...(options.rules ?? []), ...(extension.rules ?? [])],
    indexes: [...(options.indexes ?? []), ...(extension.indexes ?? [])],
    virtuals: { ...options.virtuals, ...extension.virtuals },
    methods: { ...options.methods, ...extension.methods },
    statics: { ...options.statics, ...extension.statics },
  }
}

function ruleCheck(rule: EntityRule): z.core.CheckFn<Record<string, unknown>> {
  return (payload) => {
    if (rule.check(payload.value)) return
    const path = rule.path === '' ? [] : rule.path.split('.')
    payload.issues.push({ code: 'custom', path, message: rule.message, input: payload.value })
  }
}

function sealedLike(plain: z.ZodType): z.ZodType {
  const sealed = z.string().regex(sealedPattern)
  return plain instanceof z.ZodOptional ? sealed.optional() : sealed
}

function mapShape(shape: Shape, change: (schema: SchemaLike, name: string) => z.ZodType): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, change(schema, name)]))
}

function serverValidator(schema: z.ZodObject, rules: readonly EntityRule[]): MongoJsonSchema {
  const shape = { $jsonSchema: toMongoJsonSchema(schema) }
  return rules.length === 0 ? shape : { $and: [shape, ...rules.map((rule) => ({ $expr: rule.expression }))] }
}
