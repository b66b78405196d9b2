import { z } from 'zod'
import { configured } from '../../core/validate.js'

const minuteMs = 60_000
const dayMs = 86_400_000

export interface SessionOptions {
  /** How long a session lives without being used, 1 minute to 400 days. @default 604 800 000, 7 days */
  readonly idleMs?: number
  /** How long a session lives at most, however much it is used, 1 minute to 400 days. @default 2 592 000 000, 30 days */
  readonly absoluteMs?: number
  /** For how long a refresh token that was used gives the same successor again, for a second tab; 0 to 1 minute. @default 10 000 */
  readonly graceMs?: number
  /** How many live sessions a user has at most; a further sign-in ends those that were used least recently. 1 to 1 000. @default 20 */
  readonly maximumPerUser?: number
}

/** The times of authenticator assurance level 2 (NIST SP 800-63B-4, 2.2.3): an hour without use, a day at most. */
export const aal2Sessions = { idleMs: 60 * minuteMs, absoluteMs: dayMs } as const satisfies SessionOptions

const durationMs = () =>
  z
    .int()
    .min(minuteMs)
    .max(400 * dayMs)
const schema = z.strictObject({
  idleMs: durationMs().default(7 * dayMs),
  absoluteMs: durationMs().default(30 * dayMs),
  graceMs: z.int().min(0).max(minuteMs).default(10_000),
  maximumPerUser: z.int().min(1).max(1_000).default(20),
})

export type SessionLimits = Required<SessionOptions>

/** The options with their defaults. @throws DatabaseError `CONFIGURATION` for options that cannot be used. */
export function sessionOptionsOf(options: SessionOptions = {}): SessionLimits {
  return configured(schema, options, 'sessions')
}
