import { z } from 'zod'
import { configured } from '../../core/validate.js'
import { fewestRounds, mostRounds } from './bcrypt-hash.js'
import { fewestCharacters } from './password.js'

export interface PasswordOptions {
  /** The binary logarithm of the work of a hash, 10 to 15. @default 12 */
  readonly rounds?: number
  /** Characters (code points) that a new password has at least, 8 to 64. @default 8 */
  readonly minimumLength?: number
  /** Whether a new password is not to be used: words of your own, known breaches. It is called with the plain text. */
  readonly isBlocked?: (password: string) => boolean | Promise<boolean>
  /** How many hashes and comparisons may wait at most; more are refused with `BUSY`. @default 256 */
  readonly maximumWaiting?: number
  /** How long one may wait before it is refused with `BUSY`. @default 60 000 */
  readonly maximumWaitMs?: number
}

/** What NIST SP 800-63B-4 asks of a password that is the only factor: 15 characters. */
export const nistPasswords = { minimumLength: 15 } as const satisfies PasswordOptions

const schema = z.strictObject({
  rounds: z.int().min(fewestRounds).max(mostRounds).default(12),
  minimumLength: z.int().min(fewestCharacters).max(64).default(fewestCharacters),
  isBlocked: z.custom<NonNullable<PasswordOptions['isBlocked']>>((value) => typeof value === 'function').optional(),
  maximumWaiting: z.int().min(1).max(100_000).default(256),
  maximumWaitMs: z.int().min(1_000).max(600_000).default(60_000),
})

/** The options with their defaults. @throws DatabaseError `CONFIGURATION` for options that cannot be used. */
export function passwordOptionsOf(options: PasswordOptions = {}): z.output<typeof schema> {
  return configured(schema, options, 'passwords')
}
