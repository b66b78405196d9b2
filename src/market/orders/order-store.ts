import { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { ConflictError, NotFoundError } from '../../core/errors.js'
import { decimalOf, energyPlaces, moneyPlaces, reserveOf, unitsOf } from '../decimal.js'
import type { MarketOrder, OrderSource } from './order.js'
import { type ParsedOrder, requestHashOf } from './order-input.js'

/** Stores orders and takes them back. Each is one write of one document: matchers do the rest. */
export class OrderStore {
  readonly documents: EntityCollection<MarketOrder>
  readonly #database: Database

  constructor(database: Database, entity: Entity<MarketOrder>) {
    this.#database = database
    this.documents = database.of(entity, { isDurable: true })
  }

  /**
   * Stores orders, or finds those that have their keys.
   * @returns them in the order in which they were given.
   * @throws ConflictError for a key that was used for another request; the others are stored then.
   */
  async place(orders: readonly ParsedOrder[], sources: SourcesByUser): Promise<MarketOrder[]> {
    const built = orders.map((order) => ({ _id: new ObjectId(), ...newOrder(order, sources) }))
    try {
      return await this.documents.for('place').insert(built, { isUnordered: true })
    } catch (error) {
      // The caller's transaction has ended with it.
      if (!(error instanceof ConflictError) || this.#database.transactions.session !== undefined) throw error
      return this.#found(built, error)
    }
  }

  /** Takes an order back, as far as it is not filled: from then on nothing more is. @throws NotFoundError; ConflictError once it has ended otherwise. */
  async cancel(id: ObjectId, user: ObjectId): Promise<MarketOrder> {
    const endedAt = this.#database.clock.now()
    const set = { status: 'cancelled', isOpen: false, reason: 'withdrawn', due: 'release', endedAt }
    const own = { _id: id, user }
    const cancelled = await this.documents.for('cancel').findOneAndUpdate({ ...own, isOpen: true }, { $set: set })
    if (cancelled !== null) return cancelled
    const order = await this.documents.for('cancel').findOne(own)
    if (order === null) throw new NotFoundError('market order', `id ${id.toHexString()} of this user`)
    if (order.status === 'cancelled') return order
    throw new ConflictError('CONFLICT', `The market order ${id.toHexString()} is ${order.status}`, {
      fields: ['status'],
    })
  }

  async #found(built: readonly Built[], error: ConflictError): Promise<MarketOrder[]> {
    const keys = built.map(({ area, user, key }) => ({ area, user, key }))
    const found = await this.documents.for('place').find({ $or: keys })
    const byKey = new Map(found.map((order) => [keyOf(order), order]))
    return built.map((order) => {
      const known = byKey.get(keyOf(order))
      if (known === undefined || known.requestHash !== order.requestHash) throw error
      return known
    })
  }
}

export type SourcesByUser = ReadonlyMap<string, OrderSource | undefined>
type Built = ReturnType<typeof newOrder> & { readonly _id: ObjectId }

function newOrder(order: ParsedOrder, sources: SourcesByUser) {
  const energy = unitsOf(order.energyKwh, energyPlaces)
  const price = unitsOf(order.pricePerKwh, moneyPlaces)
  return {
    ...order,
    ...(order.side === 'sell' ? { source: sources.get(order.user.toHexString()) } : {}),
    totalValue: decimalOf(reserveOf(energy, price), moneyPlaces),
    status: 'active' as const,
    isOpen: true,
    filledKwh: decimalOf(0n, energyPlaces),
    reservedAmount: decimalOf(0n, moneyPlaces),
    due: 'intake' as const,
    requestHash: requestHashOf(order),
  }
}

function keyOf({ area, user, key }: Pick<MarketOrder, 'area' | 'user' | 'key'>): string {
  return `${area.toHexString()} ${user.toHexString()} ${key}`
}
