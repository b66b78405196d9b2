import { z } from 'zod'
import { type BlindIndexes, blindIndexesOf, blindSchema, indexesOnHashes, storedBlindly } from './blind-index.js'
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
import type { EntityExtension, EntityOptions, Flat, InputOf, SecretShape, StoredOf } from './entity-options.js'
import { type EntityRule, ruleCheck, serverValidator } from './entity-rules.js'
import { keptLike, mapShape, sealedAs } from './entity-shape.js'
import type { Compressor, TimeSeriesOptions, ValidationLevel } from './entity-storage.js'
import { objectId } from './fields.js'
import { amongLiving, type IndexDefinition, undeletedIndex } from './index-definition.js'
import type { MongoJsonSchema } from './json-schema.js'
import { extendedPersonal, type PersonalDeclaration, requirePersonal } from './personal-fields.js'
import { requestedChanges, requestFields } from './request-schemas.js'
import { asZod, type OutputOf, type SchemaLike, type Shape } from './schema-like.js'
import type { SecretNames, WithSecrets } from './secret-names.js'
import type { Identified } from './stored-fields.js'
import { requireSealedFor, type SealedFor } from './subject-keys/sealed-for.js'

export type { EntityExtension, EntityOptions, InputOf, StoredOf } from './entity-options.js'
export type { EntityRule } from './entity-rules.js'
export type { FieldAccess, Identified, StoredFields } from './stored-fields.js'

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
  /** Of the secrets those that are found by equality. */
  readonly blindIndexes: BlindIndexes
  /** Of the secrets those that are sealed with keys of persons, by the paths of these. */
  readonly sealedFor: SealedFor
  /** Fields that are in nothing that is read: the secrets, and the hashes by which they are found. */
  readonly hidden: readonly string[]
  readonly rules: readonly EntityRule[]
  readonly indexes: readonly IndexDefinition[]
  readonly softDelete: boolean
  readonly appendOnly: boolean
  readonly timeSeries: TimeSeriesOptions | undefined
  readonly compressor: Compressor | undefined
  readonly shardKey: Readonly<Record<string, 1 | 'hashed'>> | undefined
  readonly validationLevel: ValidationLevel
  readonly personal: PersonalDeclaration | undefined
  readonly behaviour: Required<EntityBehaviour>
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
  extend<
    Fields extends Shape,
    Secrets extends SecretShape = Record<never, never>,
    Found extends string = never,
    Erasable extends string = never,
  >(
    extension: EntityExtension<Fields, Secrets> & SecretNames<Found, Erasable>,
  ): Entity<
    Flat<Stored & OutputOf<Fields>> & WithSecrets<Found, Erasable>,
    Flat<Input & Omit<InputOf<Fields, Secrets>, '_id'>>
  >
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

/**
 * Declares an entity. The fields are the only place where its shape is written down.
 * @throws DatabaseError `CONFIGURATION` if MongoDB could not check what the fields ask for.
 */
export function defineEntity<
  const Fields extends Shape,
  const Secrets extends SecretShape = Record<never, never>,
  const SoftDelete extends boolean = false,
  const Found extends string = never,
  const Erasable extends string = never,
>(
  options: EntityOptions<Fields, Secrets, SoftDelete> & SecretNames<Found, Erasable>,
): Entity<StoredOf<Fields, SoftDelete> & WithSecrets<Found, Erasable>, InputOf<Fields, Secrets>> {
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
  const { name, collection, rules = [], softDelete = false, hashes = {}, sealedFor = {} } = options
  requireCollectionName(collection)
  const fields = mapShape(options.fields, declaredSchema)
  const secrets = mapShape(options.secrets ?? {}, declaredSchema) as SecretShape
  refuseOwnFields(name, [...Object.keys(fields), ...Object.keys(secrets)])
  refuseTakenFields(name, Object.keys(fields), Object.keys(secrets))
  refuseUnknownHashes(name, Object.keys(secrets), Object.keys(hashes))
  const blindIndexes = blindIndexesOf(options.blindIndexes, {
    name,
    secrets: inputsOf(secrets),
    hashes,
    shardKey: options.shardKey,
  })
  const blind = storedBlindly(blindIndexes)
  refuseTakenFields(name, [...Object.keys(fields), ...Object.keys(secrets)], blind)
  const declared = [...(options.indexes ?? []), ...indexesOnHashes(name, blindIndexes)]
  const indexes = softDelete ? [...declared.map(amongLiving), undeletedIndex] : declared
  const storedSchema = z.strictObject({
    _id: objectId(),
    ...fields,
    ...mapShape(secrets, (schema, secret) => keptLike(asZod(schema), hashes[secret] ?? sealedAs(sealedFor, secret))),
    ...Object.fromEntries(blind.map((stored) => [stored, blindSchema()])),
    ...managed,
    ...(softDelete ? { deletedAt: z.date().nullable() } : {}),
  })
  const indexedPaths = indexes.flatMap(({ key }) => Object.keys(key))
  refuseUnknownIndexes(name, storedSchema, indexedPaths)
  const inputs = { ...fields, ...inputsOf(secrets) }
  const { managed: kept = [], privileged = [], immutable = [] } = options
  requireImmutables(name, storedSchema, immutable)
  const requested = requestFields(name, inputs, [...kept, ...privileged])
  requirePersonal({ name, storedSchema, blindIndexes, personal: options.personal })
  requireSealedFor(sealedFor, {
    name,
    storedSchema,
    secrets,
    hashes,
    blindIndexes,
    immutable,
    personal: options.personal,
  })
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
    blindIndexes,
    sealedFor,
    hidden: [...Object.keys(secrets), ...blind],
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
    blindIndexes: { ...options.blindIndexes, ...extension.blindIndexes },
    sealedFor: { ...options.sealedFor, ...extension.sealedFor },
    rules: [...(options.rules ?? []), ...(extension.rules ?? [])],
    indexes: [...(options.indexes ?? []), ...(extension.indexes ?? [])],
    ...extendedBehaviour(options, extension),
  }
}

/** The secrets as the schemas of their plain texts. */
function inputsOf(secrets: SecretShape): Record<string, z.ZodType> {
  return secrets as Record<string, z.ZodType>
}
