import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { withHeldLease } from '../../core/held-lease.js'
import type { Lease } from '../../core/lease.js'
import type { Maintenance, MaintenanceTest } from '../response/maintenance.js'
import type { AlertRule } from './alert-rule.js'
import type { AlertCursor, AlertState } from './alert-state.js'
import type { RuleAlerts } from './rule-alerts.js'
import { readingKindOf } from './rule-kinds.js'
import type { ReadingWindow, RuleReadings, SubjectReadings } from './rule-readings.js'
import type { RuleTarget, RuleTargets } from './rule-targets.js'
import { StateBook } from './state-book.js'
import type { StateRules } from './state-rules.js'

/** What a run of the rules has done. */
export interface AlertRuleRun {
  /** Whether this process did it: another one may be at it. */
  readonly isDone: boolean
  /** Readings that were looked at. */
  readonly readings: number
  readonly opened: number
  readonly closed: number
}

export interface RuleWorkerParts {
  readonly rules: Entity<AlertRule>
  readonly states: Entity<AlertState>
  readonly cursors: Entity<AlertCursor>
  readonly targets: RuleTargets
  readonly readings: RuleReadings
  readonly alerts: RuleAlerts
  readonly stateRules: StateRules
  readonly maintenance: Maintenance
}

const leaseMs = 15_000
const mostRules = 10_000
const devicesAtOnce = 500
const cursorName = 'readings'
const shortestWindowMs = 1_000
const firstWindowMs = 10_000
const longestWindowMs = 3_600_000
/** Windows grow while they have less than this, and shrink above four times as much. */
const fewReadings = 5_000
/** What was not looked at for so long is left out. */
const oldestMs = 86_400_000

/**
 * Applies the rules to the readings that are stored, in windows of time: one process at a time, which writes the states of a window and how far
 * it has come in one transaction. It costs ingestion no write and no wait.
 */
export class RuleWorker {
  readonly #database: Database
  readonly #parts: RuleWorkerParts
  readonly #rules: EntityCollection<AlertRule>
  readonly #states: EntityCollection<AlertState>
  readonly #cursors: EntityCollection<AlertCursor>

  constructor(database: Database, parts: RuleWorkerParts) {
    this.#database = database
    this.#parts = parts
    const durable = { isDurable: true }
    this.#rules = database.of(parts.rules, durable).for('alertRules')
    this.#states = database.of(parts.states).for('alertRules')
    this.#cursors = database.of(parts.cursors).for('alertRules')
  }

  /** @param lateMs How long readings may be under way: they are looked at when they are that old. */
  async run(lateMs: number, signal: AbortSignal): Promise<AlertRuleRun> {
    const options = { name: 'alert rules', durationMs: leaseMs, waitMs: 0 }
    const held = await withHeldLease(this.#database, options, (lease, lost) =>
      this.#runHeld(lease, lateMs, AbortSignal.any([signal, lost])),
    )
    return held?.result ?? { isDone: false, readings: 0, opened: 0, closed: 0 }
  }

  async #runHeld(lease: Lease, lateMs: number, signal: AbortSignal): Promise<AlertRuleRun> {
    const counts = { opened: 0, closed: 0, readings: 0 }
    const rules = await this.#rules.find({ enabled: true }, { limit: mostRules })
    const byId = new Map(rules.map((rule) => [rule._id.toHexString(), rule]))
    await this.#parts.alerts.settle(byId, counts)
    const ofReadings = rules.filter(({ kind }) => readingKindOf(kind) !== undefined)
    const targets = await this.#parts.targets.find(ofReadings)
    const untilMs = this.#database.clock.now().getTime() - lateMs
    let windowMs = firstWindowMs
    let fromMs = await this.#through(untilMs)
    const isMaintained = await this.#parts.maintenance.within(fromMs, untilMs)
    const book = await this.#openBook(targets, isMaintained, counts)
    while (fromMs < untilMs && !signal.aborted) {
      const window = { fromMs, toMs: Math.min(fromMs + windowMs, untilMs) }
      const count = await this.#readWindow(window, targets, book)
      await this.#commit(lease, book, window.toMs)
      await this.#parts.alerts.settle(byId, counts)
      counts.readings += count
      fromMs = window.toMs
      windowMs = nextWindow(windowMs, count)
    }
    if (!signal.aborted) await this.#parts.stateRules.apply(rules, counts)
    return { isDone: true, ...counts }
  }

  /** The states of what is looked at; those of what is not any more are dropped with their alerts. */
  async #openBook(
    targets: ReadonlyMap<string, RuleTarget>,
    isMaintained: MaintenanceTest,
    counts: { opened: number; closed: number },
  ): Promise<StateBook> {
    const kept: AlertState[] = []
    for await (const state of this.#states.stream({}, { batchSize: 10_000 })) {
      const target = targets.get(state.device.toHexString())
      if (target?.rules.some(({ _id }) => _id.equals(state.rule))) kept.push(state)
      else await this.#parts.alerts.drop(state, counts)
    }
    return new StateBook(kept, isMaintained)
  }

  async #through(untilMs: number): Promise<number> {
    const cursor = await this.#cursors.findOne({ name: cursorName })
    return cursor === null ? untilMs - shortestWindowMs : Math.max(cursor.through.getTime(), untilMs - oldestMs)
  }

  /** @returns how many readings it had. */
  async #readWindow(window: ReadingWindow, targets: ReadonlyMap<string, RuleTarget>, book: StateBook): Promise<number> {
    let count = 0
    const { readings } = this.#parts
    for (const source of ['measurements', 'telemetry'] as const) {
      const devices = [...targets.values()].filter(({ rules }) => rules.some((rule) => isFrom(source, rule)))
      for (let at = 0; at < devices.length; at += devicesAtOnce) {
        const ids: ObjectId[] = devices.slice(at, at + devicesAtOnce).map(({ device }) => device)
        const read = source === 'measurements' ? readings.measured(ids, window) : readings.temperatures(ids, window)
        for (const one of await read) {
          count += one.readings.length
          applyTo(book, targets.get(one.device.toHexString()), source, one)
        }
      }
    }
    return count
  }

  async #commit(lease: Lease, book: StateBook, toMs: number): Promise<void> {
    const writes = book.writes()
    await this.#database.transactions.run(async () => {
      await lease.guard()
      await this.#states.bulkWrite(writes, { isUnordered: true })
      await this.#cursors.updateOne({ name: cursorName }, { $max: { through: new Date(toMs) } }, { upsert: true })
    })
  }
}

function isFrom(source: 'measurements' | 'telemetry', { kind }: AlertRule): boolean {
  return readingKindOf(kind)?.source === source
}

function applyTo(
  book: StateBook,
  target: RuleTarget | undefined,
  source: 'measurements' | 'telemetry',
  readings: SubjectReadings,
): void {
  if (target === undefined) return
  for (const rule of target.rules) if (isFrom(source, rule)) book.apply(rule, target, readings)
}

function nextWindow(windowMs: number, count: number): number {
  if (count < fewReadings) return Math.min(2 * windowMs, longestWindowMs)
  return count > 4 * fewReadings ? Math.max(windowMs / 2, shortestWindowMs) : windowMs
}
