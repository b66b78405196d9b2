import { ObjectId } from 'mongodb'
import { z } from 'zod'
import { defineEntity, type EntityRule, type Stored } from '../../core/entity.js'
import { anyValue, objectId, quantity } from '../../core/fields.js'
import { rank, rankRule, severities } from '../severity.js'

export const alertFields = {
  key: () => z.string().min(1).max(200),
  type: () => z.string().regex(/^[a-z][a-z0-9_]{0,99}$/, { error: 'expected a word such as `device_offline`' }),
  source: () => z.string().min(1).max(200),
  message: () => z.string().min(1).max(2_000),
  resolution: () => z.string().min(1).max(2_000),
  value: () => quantity(-1e15, 1e15),
  metadata: () => z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue()),
}

const rules: readonly EntityRule[] = [
  rankRule('severity', 'severityRank', severities),
  {
    path: 'resolvedAt',
    message: 'is there once an alert is resolved, and not before',
    check: ({ resolved, resolvedAt }) => resolved === (resolvedAt !== undefined && resolvedAt !== null),
    expression: { $eq: ['$resolved', { $ne: [{ $type: '$resolvedAt' }, 'missing'] }] },
  },
]

/** Implied by any id that is asked for, unlike `$exists`. */
const anyId = { $gt: new ObjectId('000000000000000000000000') }

/**
 * Alert: something was noticed that somebody should know of. What has the same key is the same: while the alert is not resolved a repeat
 * is counted, after that it is the next alert of the key.
 */
export const alertEntity = defineEntity({
  name: 'alert',
  collection: 'alerts',
  personal: {
    subjects: {
      resolvedBy: { onErasure: 'delete' },
      acknowledgedBy: { onErasure: 'delete' },
      silencedBy: { onErasure: 'delete' },
    },
    mentions: { in: 'key source message resolution metadata'.split(' '), onErasure: 'replace' },
    notPersonal: (
      'sequence type severity severityRank timestamp lastAt occurrences value classroom device case resolved resolvedAt clearedAt ' +
      'resolveMs acknowledgedAt acknowledgeMs silencedUntil notifiedSteps'
    ).split(' '),
  },
  fields: {
    /** What it is about: there is one unresolved alert of a key. */
    key: alertFields.key(),
    /** Counts the alerts of the key from 1: two processes cannot open the same one. */
    sequence: z.int().min(1),
    /** What happened, such as `device_offline`. */
    type: alertFields.type(),
    /** What noticed it: a rule, or a part of the host. */
    source: alertFields.source(),
    /** How bad it is: the worst of its occurrences. */
    severity: z.enum(severities),
    /** The severity as a number, 1 to 4: what is sorted by. */
    severityRank: rank(),
    /** For people: that of the last occurrence. */
    message: alertFields.message(),
    /** When it happened first. */
    timestamp: z.date(),
    /** When it happened last. */
    lastAt: z.date(),
    /** How often it happened. */
    occurrences: z.int().min(1),
    /** What was measured last, where it is about a measurement. */
    value: alertFields.value().optional(),
    /** The site that it is about. */
    classroom: objectId().optional(),
    /** The device that it is about. */
    device: objectId().optional(),
    /** The case that it belongs to. */
    case: objectId().optional(),
    /** What a host adds for its own pages. */
    metadata: alertFields.metadata().optional(),
    /** Whether it is over, or was dealt with. */
    resolved: z.boolean(),
    /** What was done, or why it is over. */
    resolution: alertFields.resolution().optional(),
    /** When it was resolved. */
    resolvedAt: z.date().optional(),
    /** The user who resolved it; left out where it was cleared. */
    resolvedBy: objectId().optional(),
    /** When what it is about was over, where that was noticed: what happened before is no news. */
    clearedAt: z.date().optional(),
    /** ms from its first occurrence until it was resolved. */
    resolveMs: quantity(0, 1e15).optional(),
    /** When somebody said to have seen it. */
    acknowledgedAt: z.date().optional(),
    /** Who. */
    acknowledgedBy: objectId().optional(),
    /** ms from its first occurrence until then. */
    acknowledgeMs: quantity(0, 1e15).optional(),
    /** Nobody is notified of it until then. */
    silencedUntil: z.date().optional(),
    /** Who wants that. */
    silencedBy: objectId().optional(),
    /** Of escalations the steps whose users were notified. */
    notifiedSteps: z.array(z.string().max(50)).max(10_000).optional(),
  },
  rules,
  immutable: ['key', 'sequence', 'timestamp'],
  shardKey: { key: 1 },
  indexes: [
    {
      key: { key: 1 },
      unique: true,
      partialFilterExpression: { resolved: false },
      serves: 'the one unresolved alert of a key',
    },
    { key: { key: 1, sequence: -1 }, unique: true, serves: 'the alerts of a key, the last first' },
    { key: { timestamp: -1, _id: -1 }, serves: 'the last alerts' },
    { key: { case: 1 }, serves: 'the alerts of a case' },
    {
      name: 'case_1_unresolved',
      key: { case: 1 },
      partialFilterExpression: { resolved: false },
      serves: 'the unresolved alerts of a case',
    },
    { key: { resolvedAt: 1, _id: 1 }, serves: 'alerts that were resolved long ago' },
    { key: { severityRank: -1, resolved: 1, timestamp: -1 }, serves: 'alerts by severity, resolved or not' },
    {
      key: { severityRank: -1, lastAt: -1 },
      partialFilterExpression: { resolved: false },
      serves: 'unresolved alerts, the worst first',
    },
    {
      key: { classroom: 1, timestamp: -1, _id: -1 },
      partialFilterExpression: { classroom: anyId },
      serves: 'the alerts of a site, newest first',
    },
    {
      key: { device: 1, timestamp: -1, _id: -1 },
      partialFilterExpression: { device: anyId },
      serves: 'the alerts of a device, newest first',
    },
    { key: { timestamp: 1, type: 1, classroom: 1 }, serves: 'how many of each type there were, from the index alone' },
    {
      key: { resolved: 1, severityRank: -1, resolveMs: 1, acknowledgeMs: 1 },
      serves: 'how many there are of each severity, and how long it took, from the index alone',
    },
    {
      key: { resolved: 1, severityRank: -1, acknowledgeMs: 1 },
      serves: 'the median time until somebody has seen them, from the index alone',
    },
    {
      key: { type: 1, source: 1 },
      partialFilterExpression: { resolved: false },
      serves: 'the unresolved alerts of a type and a source: those of rules',
    },
  ],
})

export type Alert = Stored<typeof alertEntity>
