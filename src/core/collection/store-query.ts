import type { Document, ObjectId, Sort } from 'mongodb'
import type { StoredFields } from '../entity.js'

/** The fields of a document, each with any condition of MongoDB's query language; dotted paths are not checked. */
export type StoreFilter<Stored> = { readonly [Field in keyof Stored]?: unknown } & QueryOperators & DottedPaths

/** An update by operators. The operation layer adds the stamps: `updatedAt`, `__v`, and `createdAt` of what an upsert creates. */
export type StoreUpdate<Stored> = {
  readonly [Operator in UpdateOperator]?: { readonly [Field in keyof Stored]?: unknown } & DottedPaths
}

/** An update that is computed by the server. It states the stamps itself, see `stampStage`. */
export type StorePipeline = readonly Document[]

/** What is stored of a new document: everything but the stamps. An `_id` that is left out is made. */
export type NewDocument<Stored> = Omit<Stored, '_id' | 'createdAt' | 'updatedAt' | '__v'> & { readonly _id?: ObjectId }

/** One write of a bulk write. */
export type StoreWrite<Stored> =
  | { readonly insert: NewDocument<Stored> }
  | {
      readonly update: StoreFilter<Stored>
      readonly by: StoreUpdate<Stored> | StorePipeline
      readonly upsert?: boolean
      readonly arrayFilters?: readonly Document[]
    }
  /** An update that leaves the stamps as they are: what is kept beside what people change, such as when a device was last seen. */
  | {
      readonly touch: StoreFilter<Stored>
      readonly by: StoreUpdate<Stored>
      readonly arrayFilters?: readonly Document[]
    }
  | { readonly replace: StoredFields; readonly by: Omit<NewDocument<Stored>, '_id'> }
  | { readonly delete: StoreFilter<Stored> }

export interface StoreFindOptions {
  /** The order, such as `{ name: 1 }`. @default the server’s own */
  readonly sort?: Sort
  /** How many at most. @default all */
  readonly limit?: number
  /** How many to pass over. @default 0 */
  readonly skip?: number
  /** The fields to read, in MongoDB’s language. @default all */
  readonly projection?: Document
  /** The index to use, by its key. */
  readonly hint?: Document
  /** How many documents a reply of the server has at most. */
  readonly batchSize?: number
}

export interface StoreAggregateOptions {
  /** The index to use. @default as the server chooses */
  readonly hint?: Document
  /** How many are fetched at a time. @default the driver’s */
  readonly batchSize?: number
  /** Lets stages write temporary files; bounded memory is the default. */
  readonly allowDiskUse?: boolean
}

type UpdateOperator = '$set' | '$unset' | '$setOnInsert' | '$inc' | '$min' | '$max' | '$push' | '$pull' | '$addToSet'

interface QueryOperators {
  readonly $and?: readonly object[]
  readonly $or?: readonly object[]
  readonly $nor?: readonly object[]
  readonly $expr?: object
  readonly $text?: object
}

type DottedPaths = { readonly [Path in `${string}.${string}`]?: unknown }
