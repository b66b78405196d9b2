import { createHash } from 'node:crypto'
import type { Document, ObjectId } from 'mongodb'
import type { MarketOrder, MarketTransaction } from '../../../market/index.js'
import type { UserOf } from '../map/solchain.js'
import { derivedId, idKey, isGiven } from '../map/values.js'

type Fields<Stored> = Omit<Stored, 'createdAt' | 'updatedAt' | '__v'>

/** Market row: what a row of the origin's market becomes. */
export interface MarketRow<Stored> {
  readonly fields: Fields<Stored>
  /** When it was made there. */
  readonly createdAt: Date
  /** What of it was not taken. */
  readonly notes: readonly string[]
}

export type OrderRow = MarketRow<MarketOrder>
export type TransactionRow = MarketRow<MarketTransaction>

export interface MarketParts {
  /** The name of the origin. */
  readonly origin: string
  readonly area: ObjectId
  readonly userOf: UserOf
  readonly nowMs: number
  /** What becomes of a value of a field. */
  readonly meaningOf: (collection: string, field: string, value: unknown) => string | undefined
}

/** The area that an origin's trades are in. */
export function areaIdOf(origin: string): ObjectId {
  return derivedId(origin, 'market_areas')
}

/** What is the same for one row whenever it is read. */
export function identityOf({ _id }: Document, collection: string, { origin }: MarketParts) {
  const id = idKey(_id)
  const key = `adopted:${origin}:${collection}:${id}`.slice(0, 200)
  const requestHash = createHash('sha256').update(key).digest('hex')
  return { _id: derivedId(origin, collection, id), key, requestHash }
}

/** A user that a row names: null where it names none, undefined for one that is not there. */
export function userIn(value: unknown, { userOf }: MarketParts): ObjectId | null | undefined {
  return isGiven(value) ? userOf(value)?.id : null
}
