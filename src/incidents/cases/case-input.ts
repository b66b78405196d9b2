import { z } from 'zod'
import { objectId } from '../../core/fields.js'
import { priorities, severities } from '../severity.js'
import { caseFields, caseStatuses, mostWatchers } from './case.js'

export const caseInputSchema = z.strictObject({
  /** What it is about, in a line of 200 characters at most. */
  title: caseFields.title(),
  /** What is known of it. */
  description: caseFields.description().optional(),
  /** How bad it is. */
  severity: z.enum(severities),
  /** How soon it is to be done. @default 'medium' */
  priority: z.enum(priorities).default('medium'),
  /** The user who is to work on it. @default null: nobody yet */
  assignee: objectId().nullable().default(null),
  /** The user who opens it. */
  openedBy: objectId().optional(),
  /** The site that it is about: its working hours count for the due time. */
  classroom: objectId().optional(),
  /** The device that it is about. */
  device: objectId().optional(),
  /** Words to find it by. */
  tags: caseFields.tags().default([]),
  /** What a host adds for its own pages. */
  metadata: caseFields.metadata().optional(),
  /** The users who want to know what becomes of it. */
  watchers: z.array(objectId()).max(mostWatchers).default([]),
})
export type CaseInput = z.input<typeof caseInputSchema>

export const caseChangesSchema = z.strictObject({
  /** Another title. */
  title: caseFields.title().optional(),
  /** Another description; null for none. */
  description: caseFields.description().nullable().optional(),
  /** Another severity. */
  severity: z.enum(severities).optional(),
  /** Another priority: the due time is computed anew. */
  priority: z.enum(priorities).optional(),
  /** Somebody else; null for nobody. */
  assignee: objectId().nullable().optional(),
  /** Other tags. */
  tags: caseFields.tags().optional(),
  /** Other metadata; null for none. */
  metadata: caseFields.metadata().nullable().optional(),
})
export type CaseChanges = z.input<typeof caseChangesSchema>
export type ParsedChanges = z.output<typeof caseChangesSchema>

export const changeOptionsSchema = z.strictObject({
  /** The user who does it. */
  by: objectId().optional(),
  /** The `__v` that the change was made for; another one means that somebody was faster, and nothing is written. */
  version: z.int().min(0).optional(),
})
export type CaseChangeOptions = z.input<typeof changeOptionsSchema>

export const moveSchema = z.enum(caseStatuses)
export const moveOptionsSchema = changeOptionsSchema.extend({
  /** What was done. */
  resolution: caseFields.resolution().optional(),
})
export type CaseMoveOptions = z.input<typeof moveOptionsSchema>

export const commentSchema = z.strictObject({
  /** Who says it. */
  author: objectId().optional(),
  /** What is said, 4,000 characters at most. */
  text: caseFields.comment(),
})
export type CaseComment = z.input<typeof commentSchema>

export const searchSchema = z.strictObject({
  /** Words, any of them; `"in quotes"` for a phrase, `-word` for what is not to be there. */
  words: z.string().min(1).max(200),
  /** Of a status. @default all */
  status: z.enum(caseStatuses).optional(),
  /** How many at most. @default 20; 100 at most */
  limit: z.int().min(1).max(100).default(20),
})
export type CaseSearchQuestion = z.input<typeof searchSchema>
