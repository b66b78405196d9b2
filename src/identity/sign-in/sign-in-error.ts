import { DatabaseError } from '../../core/errors.js'

/**
 * Why somebody was not let in. That a user is not active is known only to who has the right password; that one is locked
 * out, to anybody who tries. `unlinked`: an account elsewhere belongs to no user, and none could be made for it.
 */
export type RefusalReason = 'wrong' | 'locked' | 'pending' | 'inactive' | 'suspended' | 'unlinked'

/**
 * Somebody was not let in. Message and JSON are the same whatever the reason, so that they can be shown to anybody: whether
 * there is such a user is nobody's business.
 */
export class SignInError extends DatabaseError {
  readonly #reason: RefusalReason
  readonly #lockedUntil: Date | undefined

  constructor(reason: RefusalReason, lockedUntil?: Date) {
    super('SIGN_IN_REFUSED', 'The address or the password is not right, or the user may not sign in')
    this.#reason = reason
    this.#lockedUntil = lockedUntil
  }

  /** Only for code that asks; not to be shown to strangers. */
  get reason(): RefusalReason {
    return this.#reason
  }

  /** When the lock ends, where the user is locked out. Only for code that asks. */
  get lockedUntil(): Date | undefined {
    return this.#lockedUntil
  }
}

/** Why the right password does not do; undefined if it does. */
export function reasonOf({ status, isLocked }: { status: string; isLocked?: boolean }): RefusalReason | undefined {
  if (status === 'pending' || status === 'inactive' || status === 'suspended') return status
  return isLocked === true ? 'locked' : undefined
}
