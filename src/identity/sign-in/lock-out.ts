import type { Document } from 'mongodb'
import { z } from 'zod'
import { configured } from '../../core/validate.js'

export interface LockOutOptions {
  /** Wrong passwords in a row that lock a user out, 1 to 100 (NIST SP 800-63B-4, 3.2.2). @default 5 */
  readonly maximumAttempts?: number
  /** How long the lock holds, 1 second to 1 day. @default 900 000, 15 minutes */
  readonly lockMs?: number
}

const schema = z.strictObject({
  maximumAttempts: z.int().min(1).max(100).default(5),
  lockMs: z.int().min(1_000).max(86_400_000).default(900_000),
})

export type LockOutLimits = Required<LockOutOptions>

/** The options with their defaults. @throws DatabaseError `CONFIGURATION` for options that cannot be used. */
export function lockOutOptionsOf(options: LockOutOptions = {}): LockOutLimits {
  return configured(schema, options, 'lockOut')
}

const hasLock = { $eq: [{ $type: '$lockUntil' }, 'date'] }
/** By the server's clock: processes have clocks of their own. Without the type, an absent date would be before every other. */
export const isLocked: Document = { $and: [hasLock, { $gt: ['$lockUntil', '$$NOW'] }] }

/** What users match who are not locked out. */
export const unlocked: Document = { $expr: { $not: [isLocked] } }

/** The update of a wrong password: counts it, and locks at the last one. A lock is not made longer, and after it the count begins anew. */
export function countedFailure({ maximumAttempts, lockMs }: LockOutLimits): Document[] {
  const attempts = { $cond: [hasLock, 1, { $add: [{ $ifNull: ['$loginAttempts', 0] }, 1] }] }
  const isLast = { $gte: [attempts, maximumAttempts] }
  return [
    {
      $set: {
        loginAttempts: { $cond: [isLocked, '$loginAttempts', attempts] },
        lockUntil: { $cond: [isLocked, '$lockUntil', { $cond: [isLast, { $add: ['$$NOW', lockMs] }, '$$REMOVE'] }] },
      },
    },
  ]
}

/** Whether the write that it is computed after has locked the user out: a lock of before ends sooner. */
export function isLockOfNow({ lockMs }: LockOutLimits): Document {
  return { $eq: ['$lockUntil', { $add: ['$$NOW', lockMs] }] }
}

/** The update of a sign-in without a password. */
export const providerSuccess: readonly Document[] = [{ $set: { lastLogin: '$$NOW' } }]

/** The update of a right password. */
export const passwordSuccess: readonly Document[] = [
  { $set: { lastLogin: '$$NOW', loginAttempts: 0, lockUntil: '$$REMOVE' } },
]
