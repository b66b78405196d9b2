import type { Document, ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { stampStage } from '../../core/collection/stamps.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { ConflictError } from '../../core/errors.js'
import { retryStale, StaleReadError } from '../../core/retry-on-conflict.js'
import { rankOf, severities } from '../severity.js'
import type { Alert } from './alert.js'
import type { ParsedAlert } from './alert-input.js'

/** What became of something that was noticed: `opened` a new alert, `repeated` an unresolved one, or was `known`. */
export interface RaisedAlert {
  readonly outcome: 'opened' | 'repeated' | 'known'
  readonly alert: Alert
}

/** What happened, with its time. */
export type Noticed = Omit<ParsedAlert, 'timestamp'> & { readonly timestamp: Date }

/**
 * The writes on alerts. An alert is opened by an insert that carries the next sequence number of its key, so the same thing that several
 * processes have noticed opens one alert, however late some of them are; and it is closed by a conditional update.
 */
export class AlertStore {
  readonly documents: EntityCollection<Alert>
  readonly #database: Database

  constructor(database: Database, entity: Entity<Alert>) {
    this.#database = database
    this.documents = database.of(entity, { isDurable: true })
  }

  raise(noticed: Noticed): Promise<RaisedAlert> {
    return retryStale(this.#database, async () => {
      const last = await this.#lastOf(noticed.key)
      if (last !== null && isKnown(last, noticed.timestamp)) return { outcome: 'known', alert: last }
      if (last === null || last.resolved) return { outcome: 'opened', alert: await this.#open(noticed, last) }
      const repeated = await this.#repeat(noticed, last)
      // It was resolved, or happened again, meanwhile.
      if (repeated === null) throw new StaleReadError()
      return { outcome: 'repeated', alert: repeated }
    })
  }

  /** Closes the unresolved alert of a key. @returns null if there is none, or it happened again later. */
  clear(key: string, at: Date, resolution: string | undefined): Promise<Alert | null> {
    return this.documents
      .for('clear')
      .findOneAndUpdate({ key, resolved: false, lastAt: { $lte: at } }, [
        ...this.#resolvedAt(at, { clearedAt: at, ...literals({ resolution }) }),
      ])
  }

  /** Closes an alert. @returns null if it is resolved, or not there. */
  resolve(
    _id: ObjectId,
    fields: { readonly by?: ObjectId | undefined; readonly resolution?: string | undefined },
  ): Promise<Alert | null> {
    const { by: resolvedBy, resolution } = fields
    return this.documents
      .for('resolve')
      .findOneAndUpdate(
        { _id, resolved: false },
        this.#resolvedAt(this.#database.clock.now(), literals({ resolvedBy, resolution })),
      )
  }

  #lastOf(key: string): Promise<Alert | null> {
    return this.documents.for('raise').findOne({ key }, { sort: { sequence: -1 } })
  }

  async #open(noticed: Noticed, last: Alert | null): Promise<Alert> {
    try {
      return await this.documents.for('raise').insertOne({
        ...noticed,
        sequence: (last?.sequence ?? 0) + 1,
        severityRank: rankOf(severities, noticed.severity),
        lastAt: noticed.timestamp,
        occurrences: 1,
        resolved: false,
      })
    } catch (error) {
      // Another process has opened it.
      throw error instanceof ConflictError ? new StaleReadError() : error
    }
  }

  #repeat({ timestamp, severity, message, value }: Noticed, { _id, key }: Alert): Promise<Alert | null> {
    const severityRank = rankOf(severities, severity)
    const isWorse = { $gt: [severityRank, '$severityRank'] }
    const set = {
      occurrences: { $add: ['$occurrences', 1] },
      lastAt: timestamp,
      ...literals({ message, value }),
      severity: { $cond: [isWorse, severity, '$severity'] },
      severityRank: { $max: [severityRank, '$severityRank'] },
      ...stampStage(this.#database.clock.now()),
    }
    return this.documents
      .for('raise')
      .findOneAndUpdate({ key, _id, resolved: false, lastAt: { $lt: timestamp } }, [{ $set: set }])
  }

  #resolvedAt(at: Date, fields: Document): Document[] {
    const set = {
      resolved: true,
      resolvedAt: at,
      resolveMs: { $max: [0, { $subtract: [at, '$timestamp'] }] },
      ...fields,
      ...stampStage(this.#database.clock.now()),
    }
    return [{ $set: set }]
  }
}

/** Whether it is no news: it happened no later than the last occurrence, or than what was noticed to be over. */
function isKnown({ lastAt, clearedAt }: Alert, at: Date): boolean {
  return at <= lastAt || (clearedAt !== undefined && at <= clearedAt)
}

/** The values as they are: a text that begins with a dollar sign is no path. */
function literals(values: Readonly<Record<string, unknown>>): Document {
  const given = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given.map(([field, value]) => [field, { $literal: value }]))
}
