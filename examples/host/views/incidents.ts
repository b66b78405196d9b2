import { type Alert, type AutoVolt, type Case, where } from '@autovolt/data'
import { type Names, readNames } from './names.js'

const shownAlerts = 60
const shownCases = 40
const shownClosed = 12

/** The incident desk: what is wrong now, the worst first, the cases that somebody has to do something about, and what is over. */
export async function readIncidents(volt: AutoVolt) {
  const worstFirst = { sort: { severityRank: -1, lastAt: -1 }, limit: shownAlerts } as const
  const [alerts, over, open, resolved, closed, names] = await Promise.all([
    volt.alerts.find({ resolved: false }, worstFirst),
    volt.alerts.find({ resolvedAt: where.exists() }, { sort: { resolvedAt: -1 }, limit: shownClosed }),
    volt.cases.find({ isOpen: true }, { sort: { priorityRank: -1, createdAt: 1, _id: 1 }, limit: shownCases }),
    volt.cases.find({ status: 'resolved' }, { sort: { createdAt: -1, _id: -1 }, limit: shownClosed }),
    volt.cases.find({ closedAt: where.exists() }, { sort: { closedAt: -1 }, limit: shownClosed }),
    readNames(volt),
  ])
  const cases = [...open, ...resolved, ...closed]
  const people = await namesOfPeople(volt, cases)
  return {
    alerts: alerts.map((alert) => alertView(alert, names)),
    over: over.map((alert) => alertView(alert, names)),
    cases: cases.map((one) => caseView(one, names, people)),
  }
}

export function alertView(alert: Alert, { byId }: Names) {
  const { _id, type, severity, message, timestamp, lastAt, occurrences, value, classroom, device } = alert
  return {
    id: _id.toHexString(),
    type,
    severity,
    message,
    at: timestamp,
    lastAt,
    occurrences,
    value: value ?? null,
    classroom: classroom?.toHexString() ?? null,
    room: byId.get(classroom?.toHexString() ?? '') ?? null,
    device: byId.get(device?.toHexString() ?? '') ?? null,
    case: alert.case?.toHexString() ?? null,
    isAcknowledged: alert.acknowledgedAt !== undefined,
    resolvedAt: alert.resolvedAt ?? null,
    resolution: alert.resolution ?? null,
  }
}

export function caseView(one: Case, { byId }: Names, people: ReadonlyMap<string, string>) {
  const { _id, title, severity, priority, status, isOpen, classroom, assignee, dueAt, createdAt, comments } = one
  const assigneeId = assignee?.toHexString() ?? null
  return {
    id: _id.toHexString(),
    title,
    severity,
    priority,
    status,
    isOpen,
    classroom: classroom?.toHexString() ?? null,
    room: byId.get(classroom?.toHexString() ?? '') ?? null,
    assigneeId,
    assignee: assigneeId === null ? null : (people.get(assigneeId) ?? 'somebody who has left'),
    openedAt: createdAt,
    dueAt: dueAt ?? null,
    comments: comments.length,
  }
}

/** The names of those who work on cases, have changed them or have said something about them. */
export async function namesOfPeople(volt: AutoVolt, cases: readonly Case[]): Promise<ReadonlyMap<string, string>> {
  const ids = cases.flatMap(({ assignee, history, comments }) => [
    assignee,
    ...history.map(({ by }) => by),
    ...comments.map(({ author }) => author),
  ])
  const known = new Map(ids.flatMap((id) => (id ? [[id.toHexString(), id] as const] : [])))
  if (known.size === 0) return new Map()
  const users = await volt.users.find({ _id: where.in([...known.values()]) }, { select: ['name'], limit: 1_000 })
  return new Map(users.map(({ _id, name }) => [_id.toHexString(), name]))
}
