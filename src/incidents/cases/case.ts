import { z } from 'zod'
import { defineEntity, type EntityRule, type Stored } from '../../core/entity.js'
import { anyValue, objectId, quantity } from '../../core/fields.js'
import { priorities, rank, rankRule, severities } from '../severity.js'

export const caseStatuses = ['open', 'in_progress', 'resolved', 'closed'] as const
export type CaseStatus = (typeof caseStatuses)[number]

/** The fields whose changes are in the history of a case. */
const recordedFields = [
  'title',
  'description',
  'severity',
  'status',
  'priority',
  'assignee',
  'tags',
  'metadata',
] as const
export type RecordedField = (typeof recordedFields)[number]

export const mostComments = 1_000
/** Of the history the last changes are kept. */
export const mostChanges = 500
export const mostWatchers = 200
/** What the history shows of a value at most. */
export const shownCharacters = 200

export const caseFields = {
  title: () => z.string().min(1).max(200),
  description: () => z.string().max(20_000),
  tags: () => z.array(z.string().min(1).max(50)).max(50),
  metadata: () => z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue()),
  resolution: () => z.string().min(1).max(2_000),
  comment: () => z.string().min(1).max(4_000),
}

const shownValue = () => z.string().max(shownCharacters + 1)
const isThere = (field: string) => ({ $ne: [{ $type: `$${field}` }, 'missing'] })

const rules: readonly EntityRule[] = [
  rankRule('severity', 'severityRank', severities),
  rankRule('priority', 'priorityRank', priorities),
  {
    path: 'isOpen',
    message: 'is true of cases that are open or in progress',
    check: ({ status, isOpen }) => isOpen === (status === 'open' || status === 'in_progress'),
    expression: { $eq: ['$isOpen', { $in: ['$status', ['open', 'in_progress']] }] },
  },
  {
    path: 'resolvedAt',
    message: 'is there once a case is resolved, and not before',
    check: ({ status, resolvedAt }) =>
      status === 'closed' || (status === 'resolved') === (resolvedAt !== undefined && resolvedAt !== null),
    expression: {
      $or: [{ $eq: ['$status', 'closed'] }, { $eq: [{ $eq: ['$status', 'resolved'] }, isThere('resolvedAt')] }],
    },
  },
]

const fields = {
  /** What it is about, in a line. */
  title: caseFields.title(),
  /** What is known of it. */
  description: caseFields.description().optional(),
  /** How bad it is. */
  severity: z.enum(severities),
  /** The severity as a number, 1 to 4: what is sorted by. */
  severityRank: rank(),
  /** How far it is. {@link Cases.move} changes it. */
  status: z.enum(caseStatuses),
  /** Whether somebody has yet to do something: it is open or in progress. */
  isOpen: z.boolean(),
  /** How soon it is to be done. */
  priority: z.enum(priorities),
  /** The priority as a number, 1 to 4: what is sorted by. */
  priorityRank: rank(),
  /** The user who works on it; null while nobody does. */
  assignee: objectId().nullable(),
  /** The user who opened it; left out where no user did. */
  openedBy: objectId().optional(),
  /** The site that it is about. */
  classroom: objectId().optional(),
  /** The device that it is about. */
  device: objectId().optional(),
  /** Words to find it by. */
  tags: caseFields.tags(),
  /** What a host adds for its own pages. */
  metadata: caseFields.metadata().optional(),
  /** What people say about it, in order. */
  comments: z
    .array(
      z.strictObject({
        /** Who says it; left out where no user does. */
        author: objectId().optional(),
        /** What is said. */
        text: caseFields.comment(),
        /** When. */
        at: z.date(),
      }),
    )
    .max(mostComments),
  /** What was changed, in order: the last 500 changes. */
  history: z
    .array(
      z.strictObject({
        /** When. */
        at: z.date(),
        /** Who; left out where no user did. */
        by: objectId().optional(),
        /** The field. */
        field: z.enum(recordedFields),
        /** What it was, as text that is cut; left out where it was nothing. */
        from: shownValue().optional(),
        /** What it became. */
        to: shownValue().optional(),
      }),
    )
    .max(mostChanges),
  /** The users who want to know what becomes of it. */
  watchers: z.array(objectId()).max(mostWatchers),
  /** When it is to be resolved, by its priority and the working hours of its site. */
  dueAt: z.date().optional(),
  /** When somebody began to work on it. */
  startedAt: z.date().optional(),
  /** ms from when it was opened until somebody began to work on it. */
  acknowledgeMs: quantity(0, 1e15).optional(),
  /** When it was resolved. */
  resolvedAt: z.date().optional(),
  /** ms from when it was opened until it was resolved. */
  resolveMs: quantity(0, 1e15).optional(),
  /** What was done. */
  resolution: caseFields.resolution().optional(),
  /** When it was closed. */
  closedAt: z.date().optional(),
  /** The key that alerts join it by, while it is open. */
  correlationKey: z.string().min(1).max(200).optional(),
  /** When the last alert joined it. */
  lastAlertAt: z.date().optional(),
}

/** Case: something that is wrong, and what becomes of it. */
export const caseEntity = defineEntity({
  name: 'case',
  collection: 'cases',
  personal: {
    subjects: {
      assignee: {
        onErasure: 'anonymise',
        refusedWhile: { filter: { isOpen: true }, reason: 'open cases go to somebody else first: `volt.cases.change`' },
      },
      openedBy: { onErasure: 'delete' },
      'comments.author': { onErasure: 'delete' },
      'history.by': { onErasure: 'delete' },
      watchers: { onErasure: 'delete' },
    },
    mentions: {
      in: 'title description tags metadata comments history resolution correlationKey'.split(' '),
      onErasure: 'replace',
    },
    notPersonal: (
      'severity severityRank status isOpen priority priorityRank classroom device dueAt startedAt acknowledgeMs resolvedAt ' +
      'resolveMs closedAt lastAlertAt'
    ).split(' '),
  },
  fields,
  rules,
  immutable: ['classroom', 'device', 'openedBy'],
  indexes: [
    { key: { createdAt: -1, _id: -1 }, serves: 'the last cases' },
    { key: { status: 1, createdAt: -1, _id: -1 }, serves: 'the cases of a status, newest first' },
    {
      key: { status: 1, severityRank: -1, resolveMs: 1, acknowledgeMs: 1 },
      serves: 'the cases of a status by severity; statistics and the median time to resolve, from the index alone',
    },
    {
      key: { status: 1, severityRank: -1, acknowledgeMs: 1 },
      serves: 'the median time until somebody works on cases of a status and severity, from the index alone',
    },
    { key: { assignee: 1, status: 1, createdAt: -1, _id: -1 }, serves: 'the cases of somebody, newest first' },
    {
      key: { isOpen: 1, assignee: 1, severityRank: -1, _id: 1 },
      partialFilterExpression: { isOpen: true },
      serves: 'what somebody has to do, the worst first; open cases by assignee, from the index alone',
    },
    {
      key: { priorityRank: -1, createdAt: 1, _id: 1 },
      partialFilterExpression: { isOpen: true },
      serves: 'open cases by priority, oldest first',
    },
    { key: { dueAt: 1, _id: 1 }, partialFilterExpression: { isOpen: true }, serves: 'open cases that are overdue' },
    { key: { tags: 1, createdAt: -1, _id: -1 }, serves: 'the cases with a tag, newest first' },
    { key: { classroom: 1, createdAt: -1, _id: -1 }, serves: 'the cases of a site, newest first' },
    { key: { device: 1, createdAt: -1, _id: -1 }, serves: 'the cases of a device, newest first' },
    { key: { watchers: 1, createdAt: -1, _id: -1 }, serves: 'the cases that somebody watches, newest first' },
    { key: { closedAt: 1, _id: 1 }, serves: 'cases that were closed long ago' },
    {
      key: { correlationKey: 1 },
      unique: true,
      partialFilterExpression: { correlationKey: { $gt: '' }, isOpen: true },
      serves: 'the one open case that alerts join',
    },
    { key: { title: 'text', description: 'text', tags: 'text' }, serves: 'cases by words' },
  ],
})

export type Case = Stored<typeof caseEntity>
