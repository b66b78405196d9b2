import type { MigrationRecord, MigrationRun, StoredStep } from '../log/migration-record.js'
import { compareIds, inTurn, isOfPackage } from '../migration-id.js'
import { isRepeatable, type LoadedMigration } from '../source/loaded-migration.js'
import {
  editedProblem,
  halfDoneProblem,
  lateProblem,
  type MigrationProblem,
  missingProblem,
  newerProblem,
} from './problem.js'

export type MigrationState =
  | 'pending'
  | 'running'
  /** Its process has ended before it. */
  | 'interrupted'
  | 'failed'
  | 'applied'
  | 'rolling_back'
  | 'rollback_failed'

/** Migration status: how a migration stands. */
export interface MigrationStatus {
  readonly id: string
  readonly description?: string
  readonly state: MigrationState
  /** Whether this program has it. */
  readonly isKnown: boolean
  /** Whether it says how to undo it. */
  readonly isReversible: boolean
  /** How it came to be applied. */
  readonly origin?: 'run' | 'baseline' | 'adopted'
  readonly appliedAt?: Date
  readonly durationMs?: number
  /** Who ran it last, where, with which version of the package. */
  readonly run?: MigrationRun
  readonly error?: string
  /** What its steps have noted for a person. */
  readonly notes?: readonly string[]
  /** How far it has come, if it is neither pending nor applied. */
  readonly progress?: {
    readonly step: number
    readonly steps: number
    readonly done?: number
    readonly total?: number | null
  }
  readonly problem?: MigrationProblem
}

export interface Assessed {
  readonly migrations: readonly LoadedMigration[]
  readonly records: ReadonlyMap<string, MigrationRecord>
  /** Whether a process runs migrations now. */
  readonly isLocked: boolean
  /** What becomes of a migration of the host's that is not applied though later ones are. */
  readonly late: 'refuse' | 'run'
}

/** How all migrations stand, those of the program and those of the database, in their order. */
export function assess({ migrations, records, isLocked, late }: Assessed): MigrationStatus[] {
  const known = new Map(migrations.map((migration) => [migration.id, migration]))
  const ids = inTurn([...new Set([...known.keys(), ...records.keys()])])
  const limits = limitsOf(migrations, records)
  return ids.map((id) => {
    const [migration, record] = [known.get(id), records.get(id)]
    const problem = record === undefined ? lateness(id, late, limits) : problemOf(migration, record, isLocked, limits)
    return { ...statusOf(id, migration, record, isLocked), ...(problem === undefined ? {} : { problem }) }
  })
}

/** The last ids of the package and of the host: the last one known, and the last one applied. */
interface Limits {
  readonly known: readonly string[]
  readonly applied: readonly string[]
}

function limitsOf(migrations: readonly LoadedMigration[], records: Assessed['records']): Limits {
  const known = new Set(migrations.map(({ id }) => id))
  const applied = [...records.values()].filter(({ name, origin }) => origin !== 'adopted' || known.has(name))
  return { known: lastOfEach([...known]), applied: lastOfEach(applied.map(({ name }) => name)) }
}

function lastOfEach(ids: readonly string[]): string[] {
  const sorted = inTurn(ids)
  return [sorted.findLast(isOfPackage), sorted.findLast((id) => !isOfPackage(id))].filter((id) => id !== undefined)
}

function lastLike(id: string, ids: readonly string[]): string | undefined {
  return ids.find((other) => isOfPackage(other) === isOfPackage(id))
}

/** Those of the package may be run late: a version of it may bring one that is older than others. */
function lateness(id: string, late: Assessed['late'], { applied }: Limits): MigrationProblem | undefined {
  const last = lastLike(id, applied)
  if (late === 'run' || isOfPackage(id) || last === undefined || compareIds(last, id) < 0) return undefined
  return lateProblem(id, last)
}

function problemOf(
  migration: LoadedMigration | undefined,
  record: MigrationRecord,
  isLocked: boolean,
  limits: Limits,
): MigrationProblem | undefined {
  const halfDone = isLocked && record.state === 'running' ? undefined : halfDoneOf(record)
  if (halfDone !== undefined) return halfDone
  if (migration === undefined) return unknownProblem(record, limits)
  const edited = editOf(migration, record)
  return edited === undefined ? undefined : editedProblem(migration.id, edited.recorded, edited.found)
}

/** What an earlier tool has run need not be known here. */
function unknownProblem({ name, origin, run }: MigrationRecord, { known }: Limits): MigrationProblem | undefined {
  if (origin === 'adopted') return undefined
  const last = lastLike(name, known)
  const isNewer = last === undefined || compareIds(last, name) < 0
  return isNewer ? newerProblem(name, run?.packageVersion ?? 'unknown') : missingProblem(name)
}

function halfDoneOf({ name, state, steps, downSteps, error }: MigrationRecord): MigrationProblem | undefined {
  if (state === 'applied') return undefined
  const direction = isBackwards(state) ? 'down' : 'up'
  const at = currentStep(direction === 'up' ? steps : (downSteps ?? []))
  const step = (direction === 'up' ? steps : downSteps)?.[at]
  if (step === undefined || isRepeatable(step.kind) || step.state !== 'started') return undefined
  const kind = state === 'failed' || state === 'rollback_failed' ? 'failed' : 'interrupted'
  return halfDoneProblem(kind, name, direction, at + 1, error)
}

/** The checksums where they part: of the whole, or of the first step that has been begun. */
function editOf(
  migration: LoadedMigration,
  { state, checksum, steps }: MigrationRecord,
): { readonly recorded: string; readonly found: string } | undefined {
  if (state === 'applied' || isBackwards(state)) {
    const isSame = checksum === undefined || checksum === migration.checksum
    return isSame ? undefined : { recorded: checksum, found: migration.checksum }
  }
  const begun = steps.filter(hasEffect)
  const at = begun.findIndex((step, index) => step.checksum !== migration.up[index]?.checksum)
  const [recorded, found] = [begun[at]?.checksum, migration.up[at]?.checksum]
  return recorded === undefined ? undefined : { recorded, found: found ?? 'gone' }
}

function hasEffect({ state, checkpoint }: StoredStep): boolean {
  return state === 'done' || checkpoint !== undefined
}

/** The place of the first step that is not done. */
export function currentStep(steps: readonly StoredStep[]): number {
  const at = steps.findIndex(({ state }) => state !== 'done')
  return at === -1 ? steps.length : at
}

export function isBackwards(state: MigrationRecord['state']): boolean {
  return state === 'rolling_back' || state === 'rollback_failed'
}

function statusOf(
  id: string,
  migration: LoadedMigration | undefined,
  record: MigrationRecord | undefined,
  isLocked: boolean,
): MigrationStatus {
  const fixed = {
    id,
    ...(migration?.description === undefined ? {} : { description: migration.description }),
    isKnown: migration !== undefined,
    isReversible: migration?.down !== undefined,
  }
  if (record === undefined) return { ...fixed, state: 'pending' }
  const { state, origin, executed_at: appliedAt, durationMs, run, error, steps } = record
  const notes = steps.flatMap((step) => step.notes ?? [])
  const isApplied = state === 'applied'
  return {
    ...fixed,
    state: state === 'running' && !isLocked ? 'interrupted' : state,
    origin,
    ...(appliedAt === undefined ? {} : { appliedAt }),
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(run === undefined ? {} : { run }),
    ...(error === undefined ? {} : { error }),
    ...(notes.length === 0 ? {} : { notes }),
    ...(isApplied ? {} : { progress: progressOf(record) }),
  }
}

function progressOf({ state, steps, downSteps = [] }: MigrationRecord): NonNullable<MigrationStatus['progress']> {
  const current = isBackwards(state) ? downSteps : steps
  const at = currentStep(current)
  const { done, total } = current[at] ?? {}
  return {
    step: Math.min(at + 1, current.length),
    steps: current.length,
    ...(done === undefined ? {} : { done }),
    ...(total === undefined ? {} : { total }),
  }
}
