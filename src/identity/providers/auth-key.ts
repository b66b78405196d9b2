import { z } from 'zod'
import { DatabaseError } from '../../core/errors.js'
import { validateData } from '../../core/validate.js'

/** Those of the origin systems, beside `local`, which is the password. Any other name will do. */
export type AuthProviderName = 'google' | 'apple' | 'tuya' | (string & {})

/** How another system knows a user. */
export interface ProviderAccount {
  readonly provider: AuthProviderName
  /** The provider's own id of the account, such as the claim `sub`: never an address, which may change hands. */
  readonly providerId: string
}

/** An account with what the provider's services are called with. */
export interface AuthProviderInput extends ProviderAccount {
  readonly accessToken?: string | undefined
  readonly refreshToken?: string | undefined
}

/** The password is a way in by itself, and no account elsewhere. */
export const localProvider = 'local'
export const providerName = () =>
  z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,31}$/, { error: 'expected a short name in small letters' })
    .refine((name) => name !== localProvider, { error: 'is the password, and no account elsewhere' })
const providerId = () =>
  z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^\s\0]+$/)
const providerToken = () => z.string().min(1).max(16_384)

export const accountSchema = z.strictObject({
  provider: providerName(),
  providerId: providerId(),
  accessToken: providerToken().optional(),
  refreshToken: providerToken().optional(),
})

/** The field that keeps an account: providers have ids of their own each, and none is put in another case. */
export const authKey = () => z.string().regex(/^[a-z][a-z0-9_-]{0,31}:[^\s\0]{1,255}$/)

export function authKeyOf({ provider, providerId: id }: ProviderAccount): string {
  return `${provider}:${id}`
}

export function providerOf(key: string): string {
  return key.slice(0, key.indexOf(':'))
}

/** @throws ValidationError for what is no account. */
export function accountOf(account: AuthProviderInput): z.output<typeof accountSchema> {
  return validateData(accountSchema, account, 'The account')
}

/** @throws ValidationError for what is no provider's name. */
export function providerNameOf(provider: string): string {
  return validateData(z.strictObject({ provider: providerName() }), { provider }, 'The account').provider
}

export function lastWayIn(provider: string): DatabaseError {
  const message = `Without ${provider} the user could not sign in any more: add another account or a password before`
  return new DatabaseError('LAST_WAY_IN', message)
}
