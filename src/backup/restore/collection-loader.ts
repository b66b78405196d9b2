import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { translateError } from '../../core/translate-error.js'
import { readBlocks } from '../dump/snapshot.js'
import type { Block } from '../format/bson-blocks.js'
import { inOrder } from '../format/in-order.js'
import { ContentSum } from './content-sum.js'
import { type BlockInserter, hasId } from './raw-insert.js'

export interface LoadOptions {
  /** How many documents are there already, from an earlier attempt. */
  readonly skip: number
  /** The order of a capped collection is that of its documents. */
  readonly isOrdered: boolean
  /** Called with how many documents, counted from the first, are stored for certain. */
  readonly onStored: (documents: number, bytes: number) => Promise<void> | void
  readonly signal?: AbortSignal
}

const blocksAtOnce = 4
const patienceMs = 120_000
const firstPauseMs = 100
const longestPauseMs = 5_000

/** Stores the documents of a collection. @returns their sum, those that were there already included. */
export async function loadCollection(
  database: Db,
  collection: string,
  blocks: AsyncIterable<Block>,
  inserter: BlockInserter,
  { skip, isOrdered, onStored, signal }: LoadOptions,
): Promise<ContentSum> {
  const sum = new ContentSum()
  let read = 0
  const store = async (block: Block) => {
    signal?.throwIfAborted()
    read += block.documents
    const end = read
    // The block under way at the time of a kill is stored again, where it is not yet.
    const insertion = end > skip ? insertBlock(database, collection, block, inserter) : Promise.resolve()
    insertion.catch(() => undefined)
    sum.addAll(block.bytes)
    await insertion
    return { end, bytes: block.bytes.length }
  }
  for await (const { end, bytes } of inOrder(blocks, isOrdered ? 1 : blocksAtOnce, store)) await onStored(end, bytes)
  return sum
}

/** Inserts a block; where the connection is lost, again, until a primary is there. Documents that are there by then are. */
async function insertBlock(database: Db, collection: string, block: Block, inserter: BlockInserter): Promise<void> {
  const deadlineMs = performance.now() + patienceMs
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const [refused] = (await inserter.insert(database, collection, block)).filter((one) => !hasId(one))
      if (refused === undefined) return
      throw new DatabaseError(
        'DATABASE',
        `A document of ${collection} was refused (${refused.code}): ${refused.message}`,
      )
    } catch (error) {
      const translated = translateError(error)
      const isWorthIt = translated instanceof DatabaseError && translated.retryable && performance.now() < deadlineMs
      if (!isWorthIt) throw translated
      await sleep(pauseMs * (0.5 + Math.random() / 2))
    }
  }
}

/**
 * Reads a collection back.
 * @throws DatabaseError `BACKUP_DAMAGED` if it does not have the very documents that the sum is of.
 */
export async function compareCollection(
  database: Db,
  collection: string,
  name: string,
  expected: ContentSum,
  signal?: AbortSignal,
): Promise<void> {
  const found = new ContentSum()
  for await (const { bytes } of readBlocks(database, collection, undefined, signal)) found.addAll(bytes)
  if (found.equals(expected)) return
  throw new DatabaseError(
    'BACKUP_DAMAGED',
    `${name} was not stored as it is in the backup: read back, it has ${found.documents} documents and not the same ${expected.documents}`,
  )
}
