import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { Alerts } from '../alerts/alerts.js'
import type { AlertRule } from './alert-rule.js'
import type { AlertState } from './alert-state.js'
import { readingKindOf } from './rule-kinds.js'

const atOnce = 500
const gone = 'The rule is not applied to it any more'

/** What rules did to alerts. */
export interface RuleAlertCounts {
  opened: number
  closed: number
}

/**
 * Opens and closes the alerts that states say. What is due is stored with the state, and removed when it is done: a process that is killed in
 * between leaves it to the next one, and an alert that was opened or closed already stays as it is.
 */
export class RuleAlerts {
  readonly #states: EntityCollection<AlertState>
  readonly #alerts: Alerts
  readonly #database: Database

  constructor(database: Database, entity: Entity<AlertState>, alerts: Alerts) {
    this.#database = database
    this.#states = database.of(entity, { isDurable: true }).for('alertRules')
    this.#alerts = alerts
  }

  /** Does all that is due. @param rules Those that are applied, by their ids. */
  async settle(rules: ReadonlyMap<string, AlertRule>, counts: RuleAlertCounts): Promise<void> {
    for (;;) {
      const found = await this.#states.find({ isDue: true }, { sort: { _id: 1 }, limit: atOnce })
      for (const state of found) await this.#settleOne(state, rules.get(state.rule.toHexString()), counts)
      if (found.length < atOnce) return
    }
  }

  /** Closes the alert of a state whose rule is gone, or does not look at its device any more, and removes the state. */
  async drop({ _id, rule, subject }: AlertState, counts: RuleAlertCounts): Promise<void> {
    const at = this.#database.clock.now()
    const closed = await this.#alerts.clear({ key: alertKeyOf(rule, subject), at, resolution: gone })
    if (closed !== null) counts.closed += 1
    await this.#states.deleteOne({ _id })
  }

  async #settleOne(state: AlertState, rule: AlertRule | undefined, counts: RuleAlertCounts): Promise<void> {
    const { _id, __v, due, phase, counterWh } = state
    for (const one of due) {
      const isDone = one.event === 'open' ? await this.#open(state, rule, one) : await this.#close(state, one)
      if (isDone) counts[one.event === 'open' ? 'opened' : 'closed'] += 1
    }
    const isOver = phase === 'normal' && counterWh === undefined
    if (isOver) await this.#states.deleteOne({ _id, __v })
    else await this.#states.updateOne({ _id, __v }, { $set: { due: [], isDue: false } })
  }

  async #open(state: AlertState, rule: AlertRule | undefined, { at, value }: Due): Promise<boolean> {
    if (rule === undefined) return false
    const { subject, device, classroom } = state
    const { outcome } = await this.#alerts.raise({
      key: alertKeyOf(rule._id, subject),
      type: rule.kind,
      source: sourceOf(rule._id),
      severity: rule.severity,
      message: messageOf(rule, value),
      timestamp: at,
      value,
      device,
      ...(classroom === undefined ? {} : { classroom }),
    })
    return outcome === 'opened'
  }

  async #close({ rule, subject }: AlertState, { at, value }: Due): Promise<boolean> {
    const resolution = `It was over at ${at.toISOString()}, at ${shown(value)}`
    return (await this.#alerts.clear({ key: alertKeyOf(rule, subject), at, resolution })) !== null
  }
}

type Due = AlertState['due'][number]

/** The key of the alerts of a rule for what it looks at. */
export function alertKeyOf(rule: ObjectId, subject: string): string {
  return `rule:${rule.toHexString()}:${subject}`
}

/** What the alerts of a rule have as their source. */
export function sourceOf(rule: ObjectId): string {
  return `rule:${rule.toHexString()}`
}

function messageOf({ name, kind, raiseAt = 0 }: AlertRule, value: number): string {
  const unit = readingKindOf(kind)?.unit ?? ''
  return `${name}: ${shown(value)} ${unit}, and the limit is ${shown(raiseAt)} ${unit}`
}

/** At most three decimals. */
function shown(value: number): string {
  return String(Math.round(value * 1_000) / 1_000)
}
