import { ObjectId } from 'mongodb'
import { ConflictError } from '../../core/errors.js'
import { priorities, rankOf, severities } from '../severity.js'
import { type Case, type CaseStatus, mostChanges, type RecordedField, shownCharacters } from './case.js'
import type { ParsedChanges } from './case-input.js'

/** Where a case may go from each status. What is closed stays so: what comes again is another case. */
const moves: Readonly<Record<CaseStatus, readonly CaseStatus[]>> = {
  open: ['in_progress', 'resolved', 'closed'],
  in_progress: ['open', 'resolved', 'closed'],
  resolved: ['in_progress', 'closed'],
  closed: [],
}

/** What a case becomes: fields to set, and those to remove. */
export interface CaseUpdate {
  readonly set: Readonly<Record<string, unknown>>
  readonly unset: readonly string[]
}

interface Move {
  readonly to: CaseStatus
  readonly at: Date
  readonly by: ObjectId | undefined
  readonly resolution: string | undefined
}

/** @throws ConflictError for a move that is not allowed. */
export function moved(found: Case, { to, at, by, resolution }: Move): CaseUpdate {
  const { status, createdAt } = found
  if (!moves[status].includes(to)) {
    const allowed = moves[status].length === 0 ? 'nothing else' : moves[status].join(', ')
    const message = `The case ${found._id.toHexString()} is ${status}, and can become ${allowed}; not ${to}`
    throw new ConflictError('CONFLICT', message, { fields: ['status'] })
  }
  const sinceMs = Math.max(0, at.getTime() - createdAt.getTime())
  const isStart = to === 'in_progress' && found.startedAt === undefined
  return {
    set: {
      status: to,
      isOpen: to === 'open' || to === 'in_progress',
      history: withChanges(found, [{ field: 'status', from: status, to }], at, by),
      ...(isStart ? { startedAt: at, acknowledgeMs: sinceMs } : {}),
      ...(to === 'resolved' ? { resolvedAt: at, resolveMs: sinceMs } : {}),
      ...(to === 'closed' ? { closedAt: at } : {}),
      ...(resolution === undefined ? {} : { resolution }),
    },
    unset: status === 'resolved' && to === 'in_progress' ? ['resolvedAt', 'resolveMs'] : [],
  }
}

/** @returns null if nothing is another. */
export function changed(found: Case, changes: ParsedChanges, at: Date, by: ObjectId | undefined): CaseUpdate | null {
  const given = Object.entries(changes) as [keyof ParsedChanges, unknown][]
  const steps = given.flatMap(([field, value]) => {
    const [from, to] = [shown(found[field]), shown(value)]
    // What is cut may differ further on.
    const isSame = textOf(found[field]) === textOf(value)
    return isSame ? [] : [{ field, value, from, to }]
  })
  if (steps.length === 0) return null
  const isRemoved = ({ field, value }: (typeof steps)[number]) => value === null && field !== 'assignee'
  const kept = steps.filter((step) => !isRemoved(step)).map(({ field, value }) => [field, value])
  const { severity, priority } = changes
  return {
    set: {
      ...Object.fromEntries(kept),
      ...(severity === undefined ? {} : { severityRank: rankOf(severities, severity) }),
      ...(priority === undefined ? {} : { priorityRank: rankOf(priorities, priority) }),
      history: withChanges(found, steps, at, by),
    },
    unset: steps.filter(isRemoved).map(({ field }) => field),
  }
}

interface Step {
  readonly field: RecordedField
  readonly from?: string | undefined
  readonly to?: string | undefined
}

function withChanges(
  { history }: Case,
  steps: readonly Step[],
  at: Date,
  by: ObjectId | undefined,
): Case['history'][number][] {
  const added = steps.map(({ field, from, to }) => ({
    at,
    ...(by === undefined ? {} : { by }),
    field,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }))
  return [...history, ...added].slice(-mostChanges)
}

function shown(value: unknown): string | undefined {
  const text = textOf(value)
  return text !== undefined && text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (value instanceof ObjectId) return value.toHexString()
  return typeof value === 'string' ? value : JSON.stringify(value)
}
