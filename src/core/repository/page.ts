/** One page of a list that is addressed by number. */
export interface Page<Item> {
  readonly items: Item[]
  /** How many documents match in all. */
  readonly total: number
  /** The number of this page, from 1. */
  readonly page: number
  readonly limit: number
  readonly pages: number
  readonly hasNext: boolean
  readonly hasPrevious: boolean
}

/** A stretch of a list that is addressed by where the one before it ended. */
export interface Slice<Item> {
  readonly items: Item[]
  /** Hand it in to get what follows; null at the end. */
  readonly nextCursor: string | null
  readonly hasNext: boolean
}

export function pageOf<Item>(items: Item[], total: number, page: number, limit: number): Page<Item> {
  const pages = Math.ceil(total / limit)
  return { items, total, page, limit, pages, hasNext: page < pages, hasPrevious: page > 1 && pages > 0 }
}
