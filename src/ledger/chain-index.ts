import { type Collection, MongoServerError } from 'mongodb'
import { serverCode } from '../core/server-codes.js'

type Indexed = Pick<Collection, 'listIndexes'>
type Key = Readonly<Record<string, 1>>
/** The index by which chains are read. */
const chainKeyPattern = { switchId: 1, sequence: 1 } as const

/**
 * Whether the unique index with this key is there as the library makes it, and no other with the same key. The server obeys a hint
 * to a partial index, and what that leaves out looks as if it were not there.
 */
export async function hasSoundIndex(entries: Indexed, key: Key): Promise<boolean> {
  const withKey = (await indexesOf(entries)).filter((index) => JSON.stringify(index.key) === JSON.stringify(key))
  return withKey.length === 1 && withKey.every(isSound)
}

export type ChainHint = { readonly hint?: typeof chainKeyPattern }

/** The hint to read chains by; none where the index is not to be relied on: it takes longer then. */
export async function chainHint(entries: Indexed): Promise<ChainHint> {
  return (await hasSoundIndex(entries, chainKeyPattern)) ? { hint: chainKeyPattern } : {}
}

/** Of what is not there, or is a view, there are none. */
async function indexesOf(entries: Indexed): Promise<Readonly<Record<string, unknown>>[]> {
  try {
    return await entries.listIndexes().toArray()
  } catch (error) {
    const code = error instanceof MongoServerError ? error.code : undefined
    if (code === serverCode.namespaceNotFound || code === serverCode.commandNotSupportedOnView) return []
    throw error
  }
}

function isSound(index: Readonly<Record<string, unknown>>): boolean {
  const { unique, partialFilterExpression, sparse, hidden, collation } = index
  const leavesOutNothing = partialFilterExpression === undefined && sparse !== true
  return unique === true && leavesOutNothing && hidden !== true && collation === undefined
}
