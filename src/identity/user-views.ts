import { withChecksum } from './wallet-address.js'

/** What of a user has a name. */
export interface NamedUser {
  readonly name: string
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
}

/** What of a user the virtuals look at. */
interface ViewedUser extends NamedUser {
  readonly status: string
  readonly walletAddress?: string | undefined
  readonly __v: number
  readonly deletedAt: Date | null
  readonly loginAttempts?: number | undefined
  readonly lockUntil?: Date | undefined
  readonly authKeys?: readonly string[] | undefined
}

type Internal = '__v' | 'deletedAt' | 'loginAttempts' | 'lockUntil' | 'authKeys'

/** A user as it may be shown to others: without what only the library needs. */
export type SafeUser<User> = Omit<User, Internal> & {
  readonly fullName: string
  readonly isActive: boolean
}

/** First and last name where both are known, otherwise the name. */
export function fullNameOf({ name, firstName, lastName }: NamedUser): string {
  return firstName === undefined || lastName === undefined ? name : `${firstName} ${lastName}`
}

export function isActive({ status }: Pick<ViewedUser, 'status'>): boolean {
  return status === 'active'
}

/** The wallet's address is spelled with its checksum. Passwords and tokens are in no user that was read in the first place. */
export function safeUser<User extends ViewedUser>(user: User): SafeUser<User> {
  const { __v, deletedAt, loginAttempts, lockUntil, authKeys, ...shown } = user
  const { walletAddress } = user
  return {
    ...shown,
    ...(walletAddress === undefined ? {} : { walletAddress: withChecksum(walletAddress) }),
    fullName: fullNameOf(user),
    isActive: isActive(user),
  }
}
