import type { ObjectId } from 'mongodb'
import type { AlertRule } from '../alert-rule.js'

/** Something that is wrong, as a rule about a state has found it. */
export interface FoundState {
  /** What it is about, for the key of the alert. */
  readonly subject: string
  /** When it began to be wrong. */
  readonly at: Date
  readonly message: string
  readonly value?: number | undefined
  readonly device?: ObjectId | undefined
  readonly classroom?: ObjectId | undefined
  /** By whose clocks the times of the rule are. @default UTC */
  readonly timeZone?: string | undefined
}

/** How rules of a kind find out what is wrong. */
export interface StateCheck {
  /** How long what was found holds: it is not looked for sooner. @default 0 */
  readonly restMs?: number
  /** @param isOpen Whether the rule has an open alert about a subject. */
  find(rule: AlertRule, nowMs: number, isOpen: (subject: string) => boolean): Promise<FoundState[]>
  /** When what was wrong with a device is over, where that is known. @default now */
  overAt?(device: ObjectId): Promise<Date | undefined>
}

/** Once an alert is open it stays so down to the lower limit. */
function limitOf({ raiseAt = 0, clearAt = raiseAt }: AlertRule, isOpen: boolean): number {
  return isOpen ? clearAt : raiseAt
}

/** Whether the value is wrong. */
export function isBeyond(value: number, rule: AlertRule, isOpen: boolean): boolean {
  const limit = limitOf(rule, isOpen)
  return isOpen ? value > limit : value >= limit
}
