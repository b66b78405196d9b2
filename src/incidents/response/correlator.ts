import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { ConflictError } from '../../core/errors.js'
import { retryStale, StaleReadError } from '../../core/retry-on-conflict.js'
import type { Alert } from '../alerts/alert.js'
import type { Case } from '../cases/case.js'
import type { Cases } from '../cases/cases.js'

export interface CorrelationOptions {
  /** Alerts of a site join the case of an alert before, if they are no further apart. */
  readonly windowMs: number
  /** Of alerts with this rank or a higher one. */
  readonly minimumRank: number
}

const atOnce = 500

/**
 * Puts alerts to cases: those of one site that come close after each other to the same. Of several processes a unique index decides which
 * opens the case; the others join it.
 */
export class Correlator {
  readonly #database: Database
  readonly #alerts: EntityCollection<Alert>
  readonly #caseDocuments: EntityCollection<Case>
  readonly #cases: Cases

  constructor(
    database: Database,
    entities: { readonly alerts: Entity<Alert>; readonly cases: Entity<Case> },
    cases: Cases,
  ) {
    this.#database = database
    this.#alerts = database.of(entities.alerts, { isDurable: true }).for('correlate')
    this.#caseDocuments = database.of(entities.cases, { isDurable: true }).for('correlate')
    this.#cases = cases
  }

  /** @returns how many alerts were put to cases. */
  async run({ windowMs, minimumRank }: CorrelationOptions, signal: AbortSignal): Promise<number> {
    let count = 0
    for (;;) {
      const waiting = { resolved: false, case: null, severityRank: { $gte: minimumRank } }
      const found = await this.#alerts.find(waiting, { sort: { timestamp: 1, _id: 1 }, limit: atOnce })
      for (const alert of found) {
        if (signal.aborted) return count
        const own = await this.#caseOf(alert, windowMs)
        await this.#alerts.updateOne({ key: alert.key, _id: alert._id, case: null }, { $set: { case: own } })
        count += 1
      }
      if (found.length < atOnce) return count
    }
  }

  #caseOf(alert: Alert, windowMs: number): Promise<ObjectId> {
    const correlationKey = keyOf(alert)
    const since = new Date(alert.timestamp.getTime() - windowMs)
    return retryStale(this.#database, async () => {
      const joined = await this.#caseDocuments.findOneAndUpdate(
        { correlationKey, isOpen: true, lastAlertAt: { $gte: since } },
        { $max: { lastAlertAt: alert.lastAt } },
      )
      if (joined !== null) {
        if (joined.severityRank < alert.severityRank) await this.#cases.change(joined._id, { severity: alert.severity })
        return joined._id
      }
      // What is still open of long ago is joined no more.
      await this.#caseDocuments.updateMany(
        { correlationKey, isOpen: true, lastAlertAt: { $lt: since } },
        { $unset: { correlationKey: '' } },
      )
      return this.#open(alert, correlationKey)
    })
  }

  async #open(alert: Alert, correlationKey: string): Promise<ObjectId> {
    const { message, severity, classroom, device, type, lastAt } = alert
    try {
      const { _id } = await this.#cases.openOfAlerts(
        {
          title: message.slice(0, 200),
          severity,
          priority: severity === 'critical' ? 'urgent' : severity,
          tags: [type.slice(0, 50)],
          ...(classroom === undefined ? {} : { classroom }),
          ...(device === undefined ? {} : { device }),
        },
        { correlationKey, lastAlertAt: lastAt },
      )
      return _id
    } catch (error) {
      // Another process has opened it: it is joined.
      throw error instanceof ConflictError ? new StaleReadError() : error
    }
  }
}

/** What alerts have in common that belong together. */
function keyOf({ classroom, device, key }: Alert): string {
  if (classroom !== undefined) return `classroom:${classroom.toHexString()}`
  return device === undefined ? key : `device:${device.toHexString()}`
}
