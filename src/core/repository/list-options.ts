import type { ListOptions } from './selection.js'

export const defaultLimit = 100
export const maximumLimit = 1000
export const defaultPageLimit = 50
export const maximumSkip = 100_000
export const defaultBatchSize = 1000

export const countNames = ['withDeleted']
export const readNames = [...countNames, 'select']
export const listNames = [...readNames, 'sort']
export const findNames = [...listNames, 'limit']
export const pageNames = [...findNames, 'page']
export const afterNames = [...findNames, 'cursor']
export const streamNames = [...listNames, 'batchSize']

export interface FindManyOptions<Stored, Key extends keyof Stored> extends ListOptions<Stored, Key> {
  /** At most this many documents: 100 if left out, 1,000 at most; `page`, `after` and `stream` reach the rest. */
  readonly limit?: number | undefined
}

export interface PageOptions<Stored, Key extends keyof Stored> extends ListOptions<Stored, Key> {
  /** From 1. */
  readonly page?: number | undefined
  /** 50 if left out, 1,000 at most. */
  readonly limit?: number | undefined
}

export interface AfterOptions<Stored, Key extends keyof Stored> extends ListOptions<Stored, Key> {
  /** The `nextCursor` of the slice before; from the start if left out. */
  readonly cursor?: string | null | undefined
  /** 50 if left out, 1,000 at most. */
  readonly limit?: number | undefined
}

export interface StreamOptions<Stored, Key extends keyof Stored> extends ListOptions<Stored, Key> {
  /** How many documents are fetched at a time: 1,000 if left out, 10,000 at most. */
  readonly batchSize?: number
}
