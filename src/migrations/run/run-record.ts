import { DatabaseError } from '../../core/errors.js'
import { currentStep, isBackwards } from '../assessment/assess.js'
import { halfDoneProblem } from '../assessment/problem.js'
import type { BackfillPlace } from '../backfill/backfill-run.js'
import { shortened } from '../log/migration-log.js'
import type { MigrationEvent, MigrationRecord, StoredStep } from '../log/migration-record.js'
import { isRepeatable, type LoadedMigration, type LoadedStep } from '../source/loaded-migration.js'
import type { StepContext } from './context.js'
import { MigrationError } from './migration-error.js'
import type { Direction, RunParts } from './run-parts.js'
import type { ReportedStep } from './step-progress.js'

/** Run record: what the log says about the migration that is being run. */
export class RunRecord {
  readonly #parts: RunParts
  readonly #migration: LoadedMigration
  readonly #direction: Direction
  readonly #startedMs = performance.now()
  #steps: StoredStep[] = []
  #kept: readonly unknown[] = []
  #doneEvent: MigrationEvent | undefined

  constructor(parts: RunParts, migration: LoadedMigration, direction: Direction) {
    this.#parts = parts
    this.#migration = migration
    this.#direction = direction
  }

  get name(): string {
    return this.#migration.id
  }

  /** What the steps of `up` have kept. */
  get kept(): readonly unknown[] {
    return this.#kept
  }

  isDone(at: number): boolean {
    return this.#steps[at]?.state === 'done'
  }

  /** Whether the log says that the step is done, read in the caller's transaction. */
  async isDoneNow(at: number): Promise<boolean> {
    const record = await this.#parts.log.record(this.name)
    // With its last step a rollback takes the record away.
    if (record === null) return this.#direction === 'down'
    return record[this.#field]?.[at]?.state === 'done'
  }

  reported(at: number): ReportedStep {
    const { name: migration } = this
    return { migration, direction: this.#direction, step: at + 1, steps: this.#steps.length }
  }

  backfillPlace(at: number): BackfillPlace {
    return {
      migration: this.name,
      path: `${this.#field}.${at}`,
      stored: async () => (await this.#parts.log.record(this.name))?.[this.#field]?.[at],
    }
  }

  /** Writes down that the migration begins, or goes on: what is done of it stays so. */
  async begin(steps: readonly LoadedStep[]): Promise<void> {
    const { log, fence, run, database } = this.#parts
    const before = await log.record(this.name)
    const stored = (before !== null && this.#isContinued(before) ? before[this.#field] : undefined) ?? []
    const begun = currentStep(stored)
    this.#steps = steps.map((step, at) => storedStep(step, stored[at], at === Math.min(begun, stored.length)))
    this.#kept = (before?.steps ?? []).map((_, at) => before?.kept?.[at])
    const startedAt = database.clock.now()
    const common = { run, error: undefined, startedAt, [this.#field]: this.#steps }
    await fence.persist(() =>
      this.#direction === 'up'
        ? log.put(this.name, { ...common, state: 'running', origin: 'run', checksum: this.#migration.checksum })
        : log.change(this.name, { ...common, state: 'rolling_back' }),
    )
  }

  /** Writes down that a step is done, and if it was the last one that the migration is. In the caller's transaction. */
  async done(at: number, { kept, notes }: Pick<StepContext, 'kept' | 'notes'>): Promise<void> {
    const { log } = this.#parts
    const isUp = this.#direction === 'up'
    const steps = this.#steps.map((step, index) => afterStep(step, index, at))
    const isLast = at === steps.length - 1
    if (isLast && !isUp) {
      await log.remove(this.name)
      await this.#addToHistory()
      return
    }
    await log.change(this.name, {
      ...this.#stepFields(at, steps),
      ...(isUp && kept !== undefined ? { [`kept.${at}`]: kept } : {}),
      ...(notes.length > 0 ? { [`${this.#field}.${at}.notes`]: [...notes] } : {}),
      ...(isLast ? this.#finished() : {}),
    })
    if (isLast) await this.#addToHistory()
    this.#steps = steps
  }

  /** The run was stopped before the step, or between two batches of it: what is done is written down already. */
  async stopped(at: number): Promise<MigrationError> {
    const { migration, step, steps } = this.reported(at)
    if (this.#steps[at]?.state === 'started') {
      await this.#write(() => this.#parts.log.change(migration, { [`${this.#field}.${at}.state`]: 'waiting' }))
    }
    const message = `The run was stopped in step ${step} of ${steps} of ${migration}; run it again to go on from there`
    return new MigrationError('MIGRATION_STOPPED', message)
  }

  /** Writes down that a step failed. @returns what to throw. */
  async failed(at: number, step: LoadedStep, error: unknown): Promise<MigrationError> {
    const { log } = this.#parts
    const reason = error instanceof Error ? error.message : String(error)
    const state = this.#direction === 'up' ? 'failed' : 'rollback_failed'
    const event = this.#event('failed', `step ${at + 1}: ${reason}`)
    await this.#write(async () => {
      await log.change(this.name, { state, error: shortened(reason) })
      await log.add(event)
    })
    return failure(this.name, this.#direction, at + 1, step, reason, error)
  }

  /** Writes how it ended. Where that cannot be done, why it ended is what counts. */
  async #write(work: () => Promise<void>): Promise<void> {
    try {
      await this.#parts.fence.persist(work)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#parts.database.logger.error({ migration: this.name, reason }, 'how a migration ended was not written down')
    }
  }

  get #field(): 'steps' | 'downSteps' {
    return this.#direction === 'up' ? 'steps' : 'downSteps'
  }

  #isContinued({ state }: MigrationRecord): boolean {
    return (this.#direction === 'down') === isBackwards(state)
  }

  #stepFields(at: number, steps: readonly StoredStep[]): Record<string, unknown> {
    const next = steps[at + 1]
    return {
      [`${this.#field}.${at}.state`]: 'done',
      ...(next === undefined ? {} : { [`${this.#field}.${at + 1}.state`]: next.state }),
    }
  }

  #finished(): Record<string, unknown> {
    const now = this.#parts.database.clock.now()
    return { state: 'applied', executed_at: now, durationMs: this.#elapsedMs() }
  }

  /** One event, however often its transaction is repeated. */
  #addToHistory(): Promise<void> {
    this.#doneEvent ??= this.#event('done')
    return this.#parts.log.add(this.#doneEvent)
  }

  #event(outcome: 'done' | 'failed', message?: string) {
    const action = this.#direction === 'up' ? ('migrate' as const) : ('rollback' as const)
    const { checksum } = this.#migration
    const about = { name: this.name, action, outcome, checksum, durationMs: this.#elapsedMs() }
    return this.#parts.log.event(about, this.#parts.run, message)
  }

  #elapsedMs(): number {
    return Math.round(performance.now() - this.#startedMs)
  }
}

/** A step as it is written down: as it was if it is done or has a checkpoint, else with what is to be run now. */
function storedStep({ kind, checksum }: LoadedStep, before: StoredStep | undefined, isCurrent: boolean): StoredStep {
  if (before?.state === 'done') return before
  const progress =
    before?.checkpoint === undefined ? {} : { checkpoint: before.checkpoint, done: before.done, total: before.total }
  return { kind, checksum, state: isCurrent ? stateWhenReached(kind) : 'waiting', ...progress }
}

/** A function outside a transaction is said to be started before it is. */
function stateWhenReached(kind: StoredStep['kind']): StoredStep['state'] {
  return isRepeatable(kind) ? 'waiting' : 'started'
}

function afterStep(step: StoredStep, index: number, done: number): StoredStep {
  if (index === done) return { ...step, state: 'done' }
  return index === done + 1 && step.state === 'waiting' ? { ...step, state: stateWhenReached(step.kind) } : step
}

function failure(
  name: string,
  direction: Direction,
  step: number,
  { kind }: LoadedStep,
  reason: string,
  cause: unknown,
): MigrationError {
  if (!isRepeatable(kind)) {
    const problem = halfDoneProblem('failed', name, direction, step, reason)
    return new MigrationError('MIGRATION_FAILED', `${problem.message}. Next: ${problem.next}`, [problem], cause)
  }
  const what = direction === 'up' ? name : `The rollback of ${name}`
  const command = direction === 'up' ? 'migrate' : 'rollback'
  const rest = restOf(kind)
  const message = `${what} failed in step ${step}: ${reason}. Next: ${remedyOf(cause)}, and ${command} again; ${rest}`
  return new MigrationError('MIGRATION_FAILED', message, [], cause)
}

function remedyOf(cause: unknown): string {
  switch (cause instanceof DatabaseError ? cause.code : undefined) {
    case 'NOT_AUTHORIZED':
      return 'give the database user the right that its role lacks'
    case 'CONNECTION':
    case 'TIMEOUT':
      return 'see that the database can be reached'
    case 'VALIDATION':
      return 'correct the document, or the step that writes it'
    default:
      return 'correct what is wrong'
  }
}

/** What is there of a step that failed, and what becomes of it. */
function restOf(kind: LoadedStep['kind']): string {
  switch (kind) {
    case 'backfill':
      return 'what its batches did stays, and it goes on after them'
    case 'transaction':
    case 'indexes':
      return 'nothing of the step was stored'
    default:
      return 'the step begins again'
  }
}
