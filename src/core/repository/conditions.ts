import type { ObjectId } from 'mongodb'
import type { findableSecrets } from '../blind-index.js'
import { ValidationError } from '../errors.js'
import { typeName } from '../validate.js'

/** Keys of what only the type checker sees: no completion offers them. */
declare const fits: unique symbol

/**
 * A condition on a field that can come only from code: JSON from outside can never become one, so filters built from
 * requests compare by equality and nothing else.
 */
export class Condition<Value> {
  /** Carries the type of the values it fits; never set. */
  declare readonly [fits]?: Value
  readonly #expression: Readonly<Record<string, unknown>>

  constructor(expression: Readonly<Record<string, unknown>>) {
    this.#expression = expression
  }

  /** The condition in MongoDB's language. */
  get expression(): Readonly<Record<string, unknown>> {
    return this.#expression
  }
}

/** Several filters joined by a logical operator. */
export class Combination<Document> {
  /** Carries the type of the documents it fits; never set. */
  declare readonly [fits]?: Document
  readonly #operator: '$and' | '$or' | '$nor'
  readonly #filters: readonly Filter<Document>[]

  constructor(operator: '$and' | '$or' | '$nor', filters: readonly Filter<Document>[]) {
    this.#operator = operator
    this.#filters = filters
  }

  /** What it joins, and how. */
  static partsOf<Document>(combination: Combination<Document>) {
    return { operator: combination.#operator, filters: combination.#filters }
  }
}

type Item<T> = T extends readonly (infer Element)[] ? Element : T
type Nested<T> = T extends Date | { _bsontype: string } | string | number | boolean | bigint | null | undefined
  ? never
  : T

/** Dotted paths one level down, such as `switches.gpio`, each with its values' type. */
export type DottedFields<Document> = {
  [Key in keyof Document & string as Nested<Item<NonNullable<Document[Key]>>> extends never
    ? never
    : `${Key}.${keyof Item<NonNullable<Document[Key]>> & string}`]: Item<NonNullable<Document[Key]>>
}
type DottedValue<Document, Path extends string> = Path extends `${infer Head}.${infer Tail}`
  ? Head extends keyof Document
    ? Tail extends keyof Item<NonNullable<Document[Head]>>
      ? Item<NonNullable<Document[Head]>>[Tail]
      : never
    : never
  : never

/** An id or an instant, as itself or as its text: 24 hexadecimal digits, RFC 3339. */
type Spelled<Value> = Value extends ObjectId | Date ? Value | string : Value

declare const findable: unique symbol

/** Added to the type of stored documents: the names of virtuals that filters can ask for with true or false. */
export interface Findable<Names extends string> {
  /** Carries the names; never set. */
  readonly [findable]?: Names
}

type FindableIn<Document> = typeof findable extends keyof Document
  ? Document extends Findable<infer Names>
    ? Names
    : never
  : never

type SecretsIn<Document> = typeof findableSecrets extends keyof Document
  ? keyof NonNullable<Document[typeof findableSecrets]> & string
  : never

type FieldFilter<Value> =
  | Spelled<Value>
  | Spelled<Item<NonNullable<Value>>>
  | Condition<Spelled<Item<NonNullable<Value>>>>
  | null

/** What documents must be like: fields by equality or by a condition of {@link where}, `switches.gpio` for one level down. */
export type Filter<Document> =
  | ({ readonly [Key in keyof Document]?: FieldFilter<Document[Key]> } & {
      readonly [Path in keyof DottedFields<Document>]?: FieldFilter<DottedValue<Document, Path & string>>
    } & { readonly [Name in FindableIn<Document>]?: boolean } & {
      readonly [Name in SecretsIn<Document>]?: string | Condition<string>
    })
  | Combination<Document>

/** Conditions for filters, named as MongoDB names its operators. */
export const where = {
  ne: <Value>(value: NoInfer<Value> | null): Condition<Value> => new Condition<Value>({ $ne: value }),
  gt: <Value>(value: Value): Condition<Value> => new Condition<Value>({ $gt: value }),
  gte: <Value>(value: Value): Condition<Value> => new Condition<Value>({ $gte: value }),
  lt: <Value>(value: Value): Condition<Value> => new Condition<Value>({ $lt: value }),
  lte: <Value>(value: Value): Condition<Value> => new Condition<Value>({ $lte: value }),
  /** From the first value, included, to the second, excluded. */
  between: <Value>(from: Value, to: Value): Condition<Value> => new Condition<Value>({ $gte: from, $lt: to }),
  in: <Value>(values: readonly Value[]): Condition<Value> => new Condition<Value>({ $in: listOf(values) }),
  nin: <Value>(values: readonly Value[]): Condition<Value> => new Condition<Value>({ $nin: listOf(values) }),
  exists: (exists = true): Condition<never> => new Condition<never>({ $exists: exists }),
  /** A pattern of the developer's own; never build one from outside text. */
  matches: (pattern: RegExp): Condition<string> => new Condition<string>({ $regex: pattern }),
  /** Texts that begin so; the text is taken literally, and an index is used. */
  startsWith: (text: string): Condition<string> =>
    new Condition<string>({ $regex: new RegExp(`^${requireText(text).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`) }),
  and: <Document>(...filters: readonly Filter<NoInfer<Document>>[]): Combination<Document> =>
    new Combination('$and', partsFrom(filters)),
  or: <Document>(...filters: readonly Filter<NoInfer<Document>>[]): Combination<Document> =>
    new Combination('$or', partsFrom(filters)),
  nor: <Document>(...filters: readonly Filter<NoInfer<Document>>[]): Combination<Document> =>
    new Combination('$nor', partsFrom(filters)),
} as const

function requireText(text: unknown): string {
  if (typeof text === 'string' && text.length <= longestPrefix) return text
  const issue = {
    path: '',
    message: `expected a text to begin with, of at most ${longestPrefix} characters`,
    received: typeName(text),
  }
  throw new ValidationError('The condition', [issue])
}

const maximumParts = 1000

function partsFrom<Document>(filters: readonly Filter<Document>[]): readonly Filter<Document>[] {
  if (filters.length <= maximumParts) return filters
  const issue = { path: '', message: `combines more than ${maximumParts} filters`, received: 'array' }
  throw new ValidationError('The condition', [issue])
}

const longestPrefix = 1000
const maximumListLength = 10_000

function listOf(values: readonly unknown[]): readonly unknown[] {
  if (!Array.isArray(values) || values.length > maximumListLength) {
    throw new ValidationError('The condition', [
      { path: '', message: `expected a list of at most ${maximumListLength} values`, received: typeName(values) },
    ])
  }
  return values
}
