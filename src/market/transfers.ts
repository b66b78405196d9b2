import { createHash } from 'node:crypto'
import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import { ConflictError, NotFoundError } from '../core/errors.js'
import { objectId } from '../core/fields.js'
import { decimalIn, moneyPlaces } from './decimal.js'
import { chainHash, type MarketTransaction, transactionMetadata } from './transaction.js'

export const transferInputSchema = z
  .strictObject({
    /** The area whose accounts it moves. */
    area: objectId(),
    /** What it is. */
    type: z.enum(['token_transfer', 'staking_reward', 'fee_payment', 'governance_reward', 'penalty']),
    /** The user who pays; left out where it comes from outside of the area. */
    from: objectId().optional(),
    /** The user who is paid; left out where it leaves the area. */
    to: objectId().optional(),
    /** In the area's currency, at most 6 decimals, such as `'20'`. */
    amount: decimalIn(moneyPlaces, { atLeast: 1n, below: 1e16 }),
    /** The same key of the same area again is the same transfer. */
    key: z.string().min(1).max(200),
    /** What else you want to know of it. */
    metadata: transactionMetadata().optional(),
    /** What to read, in a sentence. */
    description: z.string().min(1).max(1_000).optional(),
  })
  .check(({ value, issues }) => {
    if (value.from === undefined && value.to === undefined)
      issues.push({ code: 'custom', path: ['to'], message: 'expected somebody who pays or is paid', input: value })
    if (value.to !== undefined && value.from?.equals(value.to))
      issues.push({ code: 'custom', path: ['to'], message: 'expected another than who pays', input: value })
  })

/** Transfer input: money that is to be moved. */
export type TransferInput = z.input<typeof transferInputSchema>
type ParsedTransfer = z.output<typeof transferInputSchema>

export const chainNoteSchema = z.strictObject({
  /** The transaction's hash there: 0x and 64 hexadecimal digits in lower case. */
  chainHash: chainHash(),
  /** The block that it is in. */
  blockNumber: z.int().min(0).optional(),
  /** How many blocks have followed. */
  confirmations: z.int().min(0).optional(),
  /** What was taken for it, at most 6 decimals. */
  gasFee: decimalIn(moneyPlaces, { atLeast: 0n, below: 1e16 }).optional(),
})

/** Chain note: where a transaction is on a block chain. */
export type ChainNote = z.input<typeof chainNoteSchema>

/** Stores what is asked to be moved; matchers book it. */
export class Transfers {
  readonly #database: Database
  readonly #documents: EntityCollection<MarketTransaction>

  constructor(database: Database, documents: EntityCollection<MarketTransaction>) {
    this.#database = database
    this.#documents = documents
  }

  async add(transfer: ParsedTransfer): Promise<MarketTransaction> {
    const { area, key } = transfer
    const requestHash = hashOf(transfer)
    try {
      return await this.#documents
        .for('transfer')
        .insertOne({ ...transfer, status: 'pending', due: 'post', requestHash })
    } catch (error) {
      // The caller's transaction has ended with it.
      if (!(error instanceof ConflictError) || this.#database.transactions.session !== undefined) throw error
      const known = await this.#documents.for('transfer').findOne({ area, key })
      if (known?.requestHash !== requestHash) throw error
      return known
    }
  }

  async noteOnChain(id: ObjectId, note: z.output<typeof chainNoteSchema>): Promise<MarketTransaction> {
    const noted = await this.#documents.for('noteOnChain').findOneAndUpdate({ _id: id }, { $set: note })
    if (noted === null) throw new NotFoundError('market transaction', `id ${id.toHexString()}`)
    return noted
  }

  tradesOf(order: ObjectId): Promise<MarketTransaction[]> {
    const either = { $or: [{ buyOrder: order }, { sellOrder: order }] }
    return this.#documents.for('tradesOf').find(either, { sort: { _id: 1 }, limit: 10_000 })
  }
}

function hashOf({ area, type, from, to, amount }: ParsedTransfer): string {
  const request = [area.toHexString(), type, from?.toHexString(), to?.toHexString(), amount.toString()]
  return createHash('sha256').update(JSON.stringify(request)).digest('hex')
}
