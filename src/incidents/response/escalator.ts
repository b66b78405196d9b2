import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { DatabaseError } from '../../core/errors.js'
import type { Notifications } from '../../notifications/notifications.js'
import type { Alert } from '../alerts/alert.js'
import { rankOf, severities } from '../severity.js'
import type { Escalation } from './escalation.js'

const mostEscalations = 1_000

interface Step {
  readonly escalation: Escalation
  readonly place: number
  readonly step: Escalation['steps'][number]
}

/**
 * Notifies people of alerts that nobody has acknowledged. What was sent is known by the notification itself, by its de-duplication key: a step
 * is sent once, whichever process does it and however often.
 */
export class Escalator {
  readonly #database: Database
  readonly #alerts: EntityCollection<Alert>
  readonly #escalations: EntityCollection<Escalation>
  readonly #notifications: Notifications

  constructor(
    database: Database,
    entities: { readonly alerts: Entity<Alert>; readonly escalations: Entity<Escalation> },
    notifications: Notifications,
  ) {
    this.#database = database
    this.#alerts = database.of(entities.alerts, { isDurable: true }).for('escalate')
    this.#escalations = database.of(entities.escalations, { isDurable: true }).for('escalate')
    this.#notifications = notifications
  }

  /** @returns how many users were to be notified. */
  async run(signal: AbortSignal): Promise<number> {
    const escalations = await this.#escalations.find({ enabled: true }, { limit: mostEscalations })
    if (escalations.length === 0) return 0
    let count = 0
    const waiting = this.#alerts.stream({ resolved: false, acknowledgedAt: null }, { sort: { severityRank: -1 } })
    for await (const alert of waiting) {
      if (signal.aborted) break
      count += await this.#escalate(alert, escalations)
    }
    return count
  }

  async #escalate(alert: Alert, escalations: readonly Escalation[]): Promise<number> {
    const nowMs = this.#database.clock.now().getTime()
    if (alert.silencedUntil !== undefined && alert.silencedUntil.getTime() > nowMs) return 0
    const done = new Set(alert.notifiedSteps)
    const due = escalations
      .filter((escalation) => isAbout(escalation, alert))
      .flatMap((escalation) => escalation.steps.map((step, place): Step => ({ escalation, place, step })))
      .filter((one) => !done.has(nameOf(one)) && alert.timestamp.getTime() + one.step.afterMs <= nowMs)
    let count = 0
    for (const one of due) {
      count += await this.#notify(alert, one)
      await this.#alerts.updateOne({ key: alert.key, _id: alert._id }, { $addToSet: { notifiedSteps: nameOf(one) } })
    }
    return count
  }

  async #notify(alert: Alert, { escalation, place, step }: Step): Promise<number> {
    let count = 0
    for (const user of step.users) {
      const sent = await this.#send(alert, { escalation, place, step }, user)
      if (sent) count += 1
    }
    return count
  }

  /** A user who is not there any more keeps nobody else from being notified. */
  async #send(alert: Alert, { escalation, place, step }: Step, user: Step['step']['users'][number]): Promise<boolean> {
    const { _id, severity, message, classroom, type } = alert
    try {
      const sent = await this.#notifications.send({
        user,
        kind: 'alert',
        severity: severity === 'critical' ? 'critical' : 'warning',
        title: message.slice(0, 200),
        data: { type, escalation: escalation.name, step: place + 1 },
        about: { entity: 'alert', id: _id },
        ...(classroom === undefined ? {} : { classroom }),
        ...(step.channels === undefined ? {} : { channels: step.channels }),
        deduplicationKey: `alert:${_id.toHexString()}:${nameOf({ escalation, place, step })}`,
      })
      return sent !== null
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.code !== 'NOT_FOUND') throw error
      this.#database.logger.warn({ escalation: escalation.name }, 'a user of an escalation is not there any more')
      return false
    }
  }
}

function isAbout({ classroom, minimumSeverity }: Escalation, alert: Alert): boolean {
  if (alert.severityRank < rankOf(severities, minimumSeverity)) return false
  return classroom === undefined || (alert.classroom !== undefined && classroom.equals(alert.classroom))
}

function nameOf({ escalation, place }: Step): string {
  return `${escalation._id.toHexString()}:${place}`
}
