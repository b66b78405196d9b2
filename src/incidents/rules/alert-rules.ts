import { z } from 'zod'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { everyMs } from '../../core/option-schemas.js'
import { Repository } from '../../core/repository/repository.js'
import { validateData } from '../../core/validate.js'
import type { AlertRule, AlertRuleInput } from './alert-rule.js'
import type { AlertRuleRun, RuleWorker } from './rule-worker.js'

const lateMs = () => z.int().min(0).max(3_600_000).default(10_000)

const runSchema = z.strictObject({
  /** How long readings may be under way: they are looked at when they are that old, and later ones are not. @default 10 000 */
  lateMs: lateMs(),
})
export type AlertRuleRunOptions = z.input<typeof runSchema>

const startSchema = runSchema.extend({
  /** How long it rests between two runs. @default 5 000 */
  everyMs: everyMs().default(5_000),
})
export type AlertRuleStartOptions = z.input<typeof startSchema>

/** When alerts are opened and closed by themselves; and what does it. */
export class AlertRules extends Repository<AlertRule, AlertRuleInput> {
  readonly #worker: RuleWorker

  constructor(
    database: Database,
    entity: Entity<AlertRule, AlertRuleInput>,
    worker: RuleWorker,
    documents?: EntityCollection<AlertRule>,
  ) {
    super(database, entity, documents)
    this.#worker = worker
  }

  /** @internal */
  override over(documents: EntityCollection<AlertRule>): AlertRules {
    return new AlertRules(this.database, this.entity, this.#worker, documents)
  }

  /**
   * Applies the rules to all that was stored since the last run, whichever process did that: opens and closes alerts.
   * @throws ValidationError.
   */
  async run(options: AlertRuleRunOptions = {}): Promise<AlertRuleRun> {
    const { lateMs: late } = validateData(runSchema, options, 'The options')
    return this.#worker.run(late, this.database.closing)
  }

  /**
   * Calls {@link run} again and again, until the function that is given back is called or the handle is closed. Any number of processes may: one
   * of them at a time does it.
   * @throws ValidationError.
   */
  start(options: AlertRuleStartOptions = {}): () => Promise<void> {
    const { everyMs: rest, lateMs: late } = validateData(startSchema, options, 'The options')
    const work = (signal: AbortSignal) => this.#worker.run(late, signal)
    return this.database.periodic.start({ name: 'alert rules', everyMs: rest, work })
  }
}
