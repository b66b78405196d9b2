import type { ObjectId } from 'mongodb'
import type { Schedule } from './schedule.js'

/** Due action: what a schedule asks for. */
export interface DueAction {
  /** The same for the same run of the same schedule, whoever asks and however often: the idempotency key of what it becomes. */
  readonly key: string
  readonly schedule: ObjectId
  readonly owner: ObjectId | undefined
  readonly target: Schedule['target']
  /** The device that the target is, or is on; undefined for a classroom. */
  readonly device: ObjectId | undefined
  /** The site of the schedule. */
  readonly classroom: ObjectId
  /** Such as `turn_on`. */
  readonly command: string
  readonly parameters: Readonly<Record<string, unknown>>
  /** When it was to be. */
  readonly dueAt: Date
}

/**
 * What due actions become, such as commands to devices. It gets up to 500, in the order of their time. It may get one again, if the process was
 * killed before the schedule was moved on: the `key` says so, and a unique index on it makes that harmless.
 * @throws what it failed with: the actions are then tried again one by one.
 */
export type ScheduleAction = (actions: readonly DueAction[]) => Promise<void>
