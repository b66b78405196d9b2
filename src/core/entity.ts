import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { declaredSchema } from './declared-schema.js'
import { behaviourOf, type EntityBehaviour, extendedBehaviour } from './entity-behaviour.js'
import {
  refuseOwnFields,
  refuseTakenFields,
  refuseUnknownHashes,
  refuseUnknownIndexes,
  requireCollectionName,
  requireDescription,
  requireImmutables,
} from './entity-checks.js'
import { keptLike, mapShape } from './entity-shape.js'
import type { Compressor, TimeSeriesOptions, ValidationLevel } from './entity-storage.js'
import { objectId } from './fields.js'
import { amongLiving, type IndexDefinition, undeletedIndex } from './index-definition.js'
import { type MongoJsonSchema, toMongoJsonSchema } from './json-schema.js'
import { extendedPersonal, type PersonalDeclaration, requirePersonal } from './personal-fields.js'
import { requestedChanges, requestFields } from './request-schemas.js'
import { asZod, type OutputOf, type ParsedFrom, type SchemaLike, type Shape } from './schema-like.js'

/** Identified: what every stored document has. */
export interface Identified {
  readonly _id: ObjectId
}

/** Stored fields: what every document that can change has besides the fields of its entity. */
export interface StoredFields extends Identified {
  readonly createdAt: Date
  readonly updatedAt: Date
  /** The version of the document: 0 when created, one more with each update. */
  readonly __v: number
}

/** Deletable: what every document has of an entity with `softDelete`. */
export interface Deletable {
  /** When the document was deleted; null while it is not. */
  readonly deletedAt: Date | null
}

/** A rule across several fields, checked here and by the server. */
export interface EntityRule {
  readonly path: string
  readonly message: string
  readonly check: (document: Readonly<Record<string, unknown>>) => boolean
  /** What exactly breaks it, where `path` and `message` cannot say so for every document. */
  readonly explain?: (document: Readonly<Record<string, unknown>>) => Pick<EntityRule, 'path' | 'message'> | undefined
  /** The same rule as a MongoDB aggregation expression; `$exists` is written as a comparison with `$type`. */
  readonly expression: Readonly<Record<string, unknown>>
}

type SecretShape = Readonly<Record<string, SchemaLike<string | undefined, string | undefined>>>
type Flat<T> = { [K in keyof T]: T[K] }

/** Field access: who may set which fields, as dotted paths without the places in lists, such as `switches.state`. */
export interface FieldAccess {
  /** Fields that the library itself keeps. No request may set them. */
  readonly managed?: readonly string[]
  /** Fields that decide on rights or on money. No request may set them; the host's own code does, for whom it may. */
  readonly privileged?: readonly string[]
  /** Fields, of the document or of a list's items, that stay as they were when it was created. An upsert sets them only where it creates. */
  readonly immutable?: readonly string[]
}

export interface EntityOptions<Fields extends Shape, Secrets extends SecretShape, SoftDelete extends boolean = boolean>
  extends EntityBehaviour,
    FieldAccess {
  /** The singular name in messages, such as `device`. */
  readonly name: string
  /** The collection in the database; the host may rename it. */
  readonly collection: string
  /** The fields, each with its zod schema. */
  readonly fields: Fields
  /** Fields that are encrypted at rest, with the schema of their plain text; they are never read with a document. */
  readonly secrets?: Secrets
  /** Secrets that are kept as one-way hashes of this form: they can be compared with, and nobody can read them again. */
  readonly hashes?: Readonly<Record<string, RegExp>>
  /** What has to hold across several fields. @default none */
  readonly rules?: readonly EntityRule[]
  /** The indexes, each with the query that it serves. @default none but `_id` */
  readonly indexes?: readonly IndexDefinition[]
  /** Deleting marks the document with `deletedAt` instead of removing it. */
  readonly softDelete?: SoftDelete
  /** Makes it a time-series collection. @default a plain one */
  readonly timeSeries?: TimeSeriesOptions
  /** What the collection is compressed with when `setup()` creates it; one that exists keeps its own. @default the server's */
  readonly compressor?: Compressor
  /** The documented shard key of a collection that grows with traffic; every unique index starts with it. */
  readonly shardKey?: Readonly<Record<string, 1 | 'hashed'>>
  /** @default 'strict' */
  readonly validationLevel?: ValidationLevel
  /** What is personal of it: what `volt.privacy` exports and erases. Left out, reports name the entity as not declared. */
  readonly personal?: PersonalDeclaration | undefined
}

export interface EntityExtension<Fields extends Shape, Secrets extends SecretShape>
  extends EntityBehaviour,
    FieldAccess {
  readonly fields: Fields
  readonly secrets?: Secrets
  readonly hashes?: Readonly<Record<string, RegExp>>
  readonly rules?: readonly EntityRule[]
  readonly indexes?: readonly IndexDefinition[]
  /** What is personal of the added fields. */
  readonly personal?: PersonalDeclaration
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
  /** What `create` takes from the host's own code. Requests are validated with {@link requestSchema}. */
  readonly inputSchema: SchemaLike
  /**
   * What a request may create: the input without `_id` and without managed and privileged fields. The entity's rules, which
   * may be about those, are checked by `create`.
   */
  readonly requestSchema: SchemaLike
  /** What a request may change: as {@link requestSchema}, each field may be left out, none is filled in, and none is immutable. */
  readonly requestChangesSchema: SchemaLike
  /** Dotted paths of the fields that no change reaches. */
  readonly immutable: readonly string[]
  /** A whole document as it is stored, secrets sealed or hashed. */
  readonly storedSchema: z.ZodObject
  readonly secrets: SecretShape
  /** Of the secrets those that are kept as hashes, with how these look. */
  readonly hashes: Readonly<Record<string, RegExp>>
  readonly rules: readonly EntityRule[]
  readonly indexes: readonly IndexDefinition[]
  readonly softDelete: boolean
  readonly appendOnly: boolean
  readonly timeSeries: TimeSeriesOptions | undefined
  readonly compressor: Compressor | undefined
  readonly shardKey: Readonly<Record<string, 1 | 'hashed'>> | undefined
  readonly validationLevel: ValidationLevel
  readonly personal: PersonalDeclaration | undefined
  readonly behaviour: EntityBehaviour
  /** The validator that the server's collection gets; undefined for a time-series collection, which can have none. */
  readonly validator: MongoJsonSchema | undefined
}

/** Fields that a request changes, as `update` takes them. */
export type RequestChanges<Input> = { [Key in keyof Input]?: Exclude<Input[Key], undefined> }

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
  /** What a request may create. What it gives back can be handed to `create`, with what the request may not say. */
  readonly requestSchema: SchemaLike<Input, Input>
  /** What a request may change. What it gives back can be handed to `update`. */
  readonly requestChangesSchema: SchemaLike<RequestChanges<Input>, RequestChanges<Input>>
  /** Carries the type of a stored document; never set. */
  readonly stored?: Stored
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
  return entityOf(options, managedFields)
}

/**
 * Declares an entity whose documents are facts: written once, by the library alone, and never changed. They carry no
 * version and no time stamps of their own, and the Mongoose model refuses every write.
 */
export function defineAppendOnlyEntity<const Fields extends Shape>(
  options: Omit<EntityOptions<Fields, Record<never, never>>, 'secrets' | 'softDelete'>,
): Entity<Flat<OutputOf<Fields> & Identified>, InputOf<Fields, Record<never, never>>> {
  return entityOf(options, {})
}

const managedFields = { createdAt: z.date(), updatedAt: z.date(), __v: z.int().min(0) }

/** The types of an entity are computed from its fields, which {@link buildEntity} knows only when it runs. */
function entityOf<Built>(options: EntityOptions<Shape, SecretShape>, managed: Shape): Built {
  return buildEntity(options, managed) as Built
}

function buildEntity(options: EntityOptions<Shape, SecretShape>, managed: Shape): Entity {
  requireDescription(options, ['name'])
  const { name, collection, rules = [], softDelete = false, hashes = {} } = options
  requireCollectionName(collection)
  const fields = mapShape(options.fields, declaredSchema)
  const secrets = mapShape(options.secrets ?? {}, declaredSchema) as SecretShape
  refuseOwnFields(name, [...Object.keys(fields), ...Object.keys(secrets)])
  refuseTakenFields(name, Object.keys(fields), Object.keys(secrets))
  refuseUnknownHashes(name, Object.keys(secrets), Object.keys(hashes))
  const declared = options.indexes ?? []
  const indexes = softDelete ? [...declared.map(amongLiving), undeletedIndex] : declared
  const storedSchema = z.strictObject({
    _id: objectId(),
    ...fields,
    ...mapShape(secrets, (schema, secret) => keptLike(asZod(schema), hashes[secret] ?? sealedPattern)),
    ...managed,
    ...(softDelete ? { deletedAt: z.date().nullable() } : {}),
  })
  const indexedPaths = indexes.flatMap(({ key }) => Object.keys(key))
  refuseUnknownIndexes(name, storedSchema, indexedPaths)
  const inputs = { ...fields, ...(secrets as Record<string, z.ZodType>) }
  const { managed: kept = [], privileged = [], immutable = [] } = options
  requireImmutables(name, storedSchema, immutable)
  const requested = requestFields(name, inputs, [...kept, ...privileged])
  requirePersonal({ name, storedSchema, personal: options.personal })
  const changeable = Object.entries(requested).filter(([field]) => !immutable.includes(field))
  return {
    name,
    collection,
    inputSchema: z.strictObject({ _id: objectId().optional(), ...inputs }).check(...rules.map(ruleCheck)),
    requestSchema: z.strictObject(requested),
    requestChangesSchema: z.strictObject(requestedChanges(Object.fromEntries(changeable))),
    immutable,
    storedSchema,
    secrets,
    hashes,
    rules,
    indexes,
    softDelete,
    appendOnly: !('__v' in managed),
    timeSeries: options.timeSeries,
    compressor: options.compressor,
    shardKey: options.shardKey,
    validationLevel: options.validationLevel ?? 'strict',
    personal: options.personal,
    behaviour: behaviourOf(options),
    validator: options.timeSeries ? undefined : serverValidator(storedSchema, rules),
    extend: (extension) => entityOf(extended(options, extension), managed),
    inCollection: (other) => entityOf({ ...options, collection: other }, managed),
  }
}

function extended(
  options: EntityOptions<Shape, SecretShape>,
  extension: EntityExtension<Shape, SecretShape>,
): EntityOptions<Shape, SecretShape> {
  requireDescription(extension, [])
  const { fields, secrets = {} } = extension
  const known = [...Object.keys(options.fields), ...Object.keys(options.secrets ?? {})]
  const added = [...Object.keys(fields), ...Object.keys(secrets)]
  refuseTakenFields(options.name, known, added)
  return {
    ...options,
    personal: extendedPersonal(options.personal, extension.personal, { base: known, added }),
    managed: [...(options.managed ?? []), ...(extension.managed ?? [])],
    privileged: [...(options.privileged ?? []), ...(extension.privileged ?? [])],
    immutable: [...(options.immutable ?? []), ...(extension.immutable ?? [])],
    fields: { ...options.fields, ...fields },
    secrets: { ...options.secrets, ...secrets },
    hashes: { ...options.hashes, ...extension.hashes },
    rules: [...(options.rules ?? []), ...(extension.rules ?? [])],
    indexes: [...(options.indexes ?? []), ...(extension.indexes ?? [])],
    ...extendedBehaviour(options, extension),
  }
}

function ruleCheck(rule: EntityRule): z.core.CheckFn<Record<string, unknown>> {
  return (payload) => {
    if (rule.check(payload.value)) return
    const { path: where, message } = rule.explain?.(payload.value) ?? rule
    const path = where === '' ? [] : where.split('.')
    payload.issues.push({ code: 'custom', path, message, input: payload.value })
  }
}

function serverValidator(schema: z.ZodObject, rules: readonly EntityRule[]): MongoJsonSchema {
  const shape = { $jsonSchema: toMongoJsonSchema(schema) }
  return rules.length === 0 ? shape : { $and: [shape, ...rules.map((rule) => ({ $expr: rule.expression }))] }
}
