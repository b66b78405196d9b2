import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import type { Lease } from '../core/lease.js'
import type { Subscription } from './subscription.js'

export interface SessionAtBroker {
  /** The MQTT client id. */
  readonly session: string
  /** The broker's protocol and host. */
  readonly broker: string
}

/** Which topic filters an MQTT session may have at its broker. */
export class SubscriptionStore {
  readonly #database: Database
  readonly #subscriptions: EntityCollection<Subscription>

  constructor(database: Database, entity: Entity<Subscription>) {
    this.#database = database
    this.#subscriptions = database.of(entity)
  }

  /**
   * Notes what a session is about to subscribe to. The next holder of the session knows of it, at whatever moment this
   * process ends.
   * @param lease The session's: a process that has lost it notes nothing, and so subscribes to nothing.
   * @returns the filters of earlier configurations, at this broker or under another name of it.
   * @throws DatabaseError `LEASE_LOST`.
   */
  async note({ session, broker }: SessionAtBroker, filters: readonly string[], lease: Lease): Promise<string[]> {
    const writes = filters.map((filter) => ({
      update: { session, broker, filter },
      by: {},
      upsert: true,
    }))
    await this.#database.transactions.run(async () => {
      await lease.guard()
      await this.#subscriptions.for('note subscriptions').bulkWrite(writes)
    })
    return this.#subscriptions.distinct<string>('filter', { session, filter: { $nin: filters } })
  }

  /** Forgets filters of which the broker has confirmed that the session has them no more. */
  async forget({ session, broker }: SessionAtBroker, filters: readonly string[]): Promise<void> {
    await this.#subscriptions.for('forget subscriptions').deleteMany({ session, broker, filter: { $in: filters } })
  }
}
