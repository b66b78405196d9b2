import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { Alert } from '../alerts/alert.js'
import type { Alerts } from '../alerts/alerts.js'
import type { Maintenance, MaintenanceTest } from '../response/maintenance.js'
import type { AlertRule } from './alert-rule.js'
import type { FoundState, StateCheck } from './checks/state-check.js'
import { alertKeyOf, type RuleAlertCounts, sourceOf } from './rule-alerts.js'
import { type StateKindName, stateKindNames } from './rule-kinds.js'
import { holdsAt } from './rule-times.js'

export interface StateRuleParts {
  readonly alertEntity: Entity<Alert>
  readonly alerts: Alerts
  readonly maintenance: Maintenance
  readonly checks: Readonly<Record<StateKindName, StateCheck>>
}

const names: readonly string[] = stateKindNames

/** The rules about states: what is wrong opens an alert, and what is not wrong any more closes it. The open alerts are all that they remember. */
export class StateRules {
  readonly #database: Database
  readonly #parts: StateRuleParts
  readonly #unresolved: EntityCollection<Alert>
  /** When each rule was applied last by this process. */
  readonly #appliedMs = new Map<string, number>()

  constructor(database: Database, parts: StateRuleParts) {
    this.#database = database
    this.#parts = parts
    this.#unresolved = database.of(parts.alertEntity, { isDurable: true }).for('alertRules')
  }

  async apply(applied: readonly AlertRule[], counts: RuleAlertCounts): Promise<void> {
    const rules = applied.filter(({ kind }) => names.includes(kind))
    const unresolved = await this.#unresolved.find({ resolved: false, type: { $in: names }, source: /^rule:/ })
    const nowMs = this.#database.clock.now().getTime()
    const isMaintained = await this.#parts.maintenance.within(nowMs, nowMs)
    const sources = new Set(rules.map(({ _id }) => sourceOf(_id)))
    for (const rule of rules) {
      const open = new Map(
        unresolved.filter(({ source }) => source === sourceOf(rule._id)).map((alert) => [alert.key, alert]),
      )
      await this.#applyOne(rule, open, { nowMs, isMaintained, counts })
    }
    for (const alert of unresolved) {
      if (sources.has(alert.source)) continue
      const clearing = { at: latest(new Date(nowMs), alert.lastAt), resolution: 'The rule is not applied any more' }
      if ((await this.#parts.alerts.clear({ key: alert.key, ...clearing })) !== null) counts.closed += 1
    }
  }

  async #applyOne(rule: AlertRule, open: ReadonlyMap<string, Alert>, at: Applying): Promise<void> {
    const { nowMs, isMaintained, counts } = at
    const check = this.#parts.checks[rule.kind as StateKindName]
    const appliedMs = this.#appliedMs.get(versionOf(rule)) ?? Number.NEGATIVE_INFINITY
    if (nowMs >= appliedMs && nowMs - appliedMs < (check.restMs ?? 0)) return
    const isOpen = (subject: string) => open.has(alertKeyOf(rule._id, subject))
    const isStill = new Set<string>()
    for (const found of await check.find(rule, nowMs, isOpen)) {
      const key = alertKeyOf(rule._id, found.subject)
      isStill.add(key)
      if (open.has(key) || !mayOpen(rule, found, nowMs, isMaintained)) continue
      if (await this.#open(rule, key, found)) counts.opened += 1
    }
    for (const [key, alert] of open) if (!isStill.has(key) && (await this.#close(alert, check))) counts.closed += 1
    this.#appliedMs.set(versionOf(rule), nowMs)
  }

  async #open(rule: AlertRule, key: string, found: FoundState): Promise<boolean> {
    const { at, message, value, device, classroom } = found
    const { outcome } = await this.#parts.alerts.raise({
      key,
      type: rule.kind,
      source: sourceOf(rule._id),
      severity: rule.severity,
      message: `${rule.name}: ${message}`.slice(0, 2_000),
      timestamp: at,
      ...(value === undefined ? {} : { value }),
      ...(device === undefined ? {} : { device }),
      ...(classroom === undefined ? {} : { classroom }),
    })
    return outcome === 'opened'
  }

  async #close({ key, device, lastAt }: Alert, check: StateCheck): Promise<boolean> {
    const known = device === undefined ? undefined : await check.overAt?.(device)
    const at = latest(known ?? this.#database.clock.now(), lastAt)
    return (await this.#parts.alerts.clear({ key, at, resolution: 'It is over' })) !== null
  }
}

interface Applying {
  readonly nowMs: number
  readonly isMaintained: MaintenanceTest
  readonly counts: RuleAlertCounts
}

function mayOpen(rule: AlertRule, found: FoundState, nowMs: number, isMaintained: MaintenanceTest): boolean {
  const { device, classroom, timeZone = 'UTC' } = found
  if (!holdsAt(rule.times, nowMs, timeZone)) return false
  return device === undefined || !isMaintained({ device, classroom }, nowMs)
}

/** A rule that was changed is applied at once. */
function versionOf({ _id, __v }: AlertRule): string {
  return `${_id.toHexString()} ${__v}`
}

function latest(one: Date, other: Date): Date {
  return one > other ? one : other
}
