import type { ObjectId } from 'mongodb'
import type { BlindIndexOptions } from './blind-index.js'
import type { EntityBehaviour } from './entity-behaviour.js'
import type { EntityRule } from './entity-rules.js'
import type { Compressor, TimeSeriesOptions, ValidationLevel } from './entity-storage.js'
import type { IndexDefinition } from './index-definition.js'
import type { PersonalDeclaration } from './personal-fields.js'
import type { OutputOf, ParsedFrom, SchemaLike, Shape } from './schema-like.js'
import type { Deletable, FieldAccess, StoredFields } from './stored-fields.js'
import type { SealedFor } from './subject-keys/sealed-for.js'

export type SecretShape = Readonly<Record<string, SchemaLike<string | undefined, string | undefined>>>
export type Flat<T> = { [K in keyof T]: T[K] }

/** What an entity and an extension of one declare. */
export interface EntityExtension<Fields extends Shape, Secrets extends SecretShape>
  extends EntityBehaviour,
    FieldAccess {
  /** The fields, each with its zod schema. */
  readonly fields: Fields
  /** Fields that are encrypted at rest, with the schema of their plain text; they are never read with a document. */
  readonly secrets?: Secrets
  /** Secrets that are kept as one-way hashes of this form: they can be compared with, and nobody can read them again. */
  readonly hashes?: Readonly<Record<string, RegExp>>
  /** Sealed fields that are found by equality, each with how. */
  readonly blindIndexes?: Readonly<Record<string, BlindIndexOptions>>
  /**
   * Sealed fields that are sealed with a key of the person whom they are about, each with the path of that person: a path of
   * `personal.subjects` that is immutable, or `_id`. An erasure destroys the key.
   */
  readonly sealedFor?: SealedFor
  /** What has to hold across several fields. @default none */
  readonly rules?: readonly EntityRule[]
  /** The indexes, each with the query that it serves. @default none but `_id` */
  readonly indexes?: readonly IndexDefinition[]
  /** What is personal of the fields: what `volt.privacy` exports and erases. Left out, reports name the entity as not declared. */
  readonly personal?: PersonalDeclaration | undefined
}

export interface EntityOptions<Fields extends Shape, Secrets extends SecretShape, SoftDelete extends boolean = boolean>
  extends EntityExtension<Fields, Secrets> {
  /** The singular name in messages, such as `device`. */
  readonly name: string
  /** The collection in the database; the host may rename it. */
  readonly collection: string
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
}

export type StoredOf<Fields extends Shape, SoftDelete extends boolean> = Flat<
  OutputOf<Fields> & StoredFields & (SoftDelete extends true ? Deletable : unknown)
>
export type InputOf<Fields extends Shape, Secrets extends SecretShape> = Flat<
  ParsedFrom<Fields> & ParsedFrom<Secrets> & { _id?: ObjectId | string | undefined }
>
