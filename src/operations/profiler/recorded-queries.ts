import type { Document } from 'mongodb'
import { type Admin, numberOf } from '../admin.js'
import { shapeOf } from '../calls/query-shape.js'

/** Recorded query: the operations of one shape that the profiler has recorded. */
export interface RecordedQuery {
  readonly collection: string
  /** What is asked for, without a value. */
  readonly shape: string
  readonly count: number
  readonly meanMs: number
  readonly maximumMs: number
  readonly totalMs: number
  /** The server's short form of the plan, such as `IXSCAN { device: 1 }`, or `COLLSCAN`: each scan once. */
  readonly planSummary: string | null
  readonly keysExamined: number
  readonly documentsExamined: number
  readonly returned: number
  readonly isSortedInMemory: boolean
  readonly lastAt: Date
}

/** An operation that was recorded, with its command: values are in it. */
export interface ProfiledOperation {
  readonly collection: string
  readonly operation: string
  readonly command: Document
  readonly entry: Document
}

/** `system.profile` has a megabyte unless somebody made it larger. */
const mostEntries = 20_000

/** What is recorded in `system.profile`, the newest last, without the looks at it. */
export async function profiledOperations(admin: Admin): Promise<ProfiledOperation[]> {
  const prefix = `${admin.database.connection.name}.`
  const found = await admin.newest('system.profile', { ns: { $ne: `${prefix}system.profile` } }, mostEntries)
  return found
    .filter(({ ns, command }) => typeof ns === 'string' && ns.startsWith(prefix) && typeof command === 'object')
    .map((entry) => ({
      collection: String(entry.ns).slice(prefix.length),
      operation: String(entry.op),
      command: entry.command as Document,
      entry,
    }))
    .toReversed()
}

/** The operations of one shape. */
export interface ShapeGroup {
  readonly query: RecordedQuery
  /** The command of the first of them: values are in it. */
  readonly example: Document
}

interface Group {
  readonly collection: string
  readonly shape: string
  readonly example: Document
  readonly entries: Document[]
}

/** By shape, those first that took the most time in all. */
export function groupByShape(operations: readonly ProfiledOperation[]): ShapeGroup[] {
  const found = new Map<string, Group>()
  for (const { collection, operation, command, entry } of operations) {
    const shape = shapeOf(operation, command)
    const name = `${collection} ${shape}`
    const known = found.get(name) ?? { collection, shape, example: command, entries: [] }
    known.entries.push(entry)
    found.set(name, known)
  }
  return [...found.values()]
    .map((group) => ({ query: summary(group), example: group.example }))
    .toSorted((a, b) => b.query.totalMs - a.query.totalMs)
}

/** As {@link groupByShape}, without an example. */
export function byShape(operations: readonly ProfiledOperation[]): RecordedQuery[] {
  return groupByShape(operations).map(({ query }) => query)
}

function summary({ collection, shape, entries }: Group): RecordedQuery {
  const sum = (field: string) => entries.reduce((total, entry) => total + numberOf(entry[field]), 0)
  const last = entries.at(-1)
  return {
    collection,
    shape,
    count: entries.length,
    meanMs: Math.round((sum('millis') / entries.length) * 10) / 10,
    maximumMs: Math.max(...entries.map(({ millis }) => numberOf(millis))),
    totalMs: sum('millis'),
    planSummary: typeof last?.planSummary === 'string' ? eachOnce(last.planSummary) : null,
    keysExamined: sum('keysExamined'),
    documentsExamined: sum('docsExamined'),
    returned: sum('nreturned'),
    isSortedInMemory: entries.some(({ hasSortStage }) => hasSortStage === true),
    lastAt: last?.ts instanceof Date ? last.ts : new Date(0),
  }
}

/** A query by `$in` and an order can scan one index for each value; the server names the scan as often. */
function eachOnce(planSummary: string): string {
  return [...new Set(planSummary.split(/, (?=[A-Z])/))].join(', ')
}
