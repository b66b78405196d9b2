import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity, Identified } from '../../core/entity.js'
import { retryCreation } from '../../core/retry-on-conflict.js'
import { validateData } from '../../core/validate.js'
import type { Client } from '../client.js'
import { emailAddress } from '../email-address.js'
import type { Attempts, SignedIn } from '../sign-in/attempts.js'
import { type RefusalReason, reasonOf, SignInError } from '../sign-in/sign-in-error.js'
import type { AnyUser } from '../user.js'
import { type AuthProviderInput, accountSchema, authKeyOf, providerOf } from './auth-key.js'
import type { AuthProviders } from './auth-providers.js'

export interface ProviderOptions {
  /**
   * Whether an account elsewhere is given to the user with its address, where the provider has verified it and we have.
   * @default false
   */
  readonly linkByVerifiedAddress?: boolean
}

/** A person as a provider identifies them. The host has verified the provider's statement: signature, issuer, audience, nonce. */
export interface ProviderIdentity extends AuthProviderInput {
  readonly email?: string | undefined
  /** Whether the provider has verified the address. */
  readonly emailVerified?: boolean | undefined
  readonly name?: string | undefined
}

/** What of a user decides on signing in by a provider. */
interface Candidate extends Identified {
  readonly email: string
  readonly emailVerifiedAt?: Date | undefined
  readonly status: string
  readonly authKeys?: readonly string[] | undefined
  readonly deletedAt: Date | null
}

/** What signing in by a provider needs. */
export interface ProviderSignInNeeds<Stored extends AnyUser> {
  readonly attempts: Attempts<Stored>
  readonly providers: AuthProviders
  readonly createUser: (fields: Readonly<Record<string, unknown>>) => Promise<Identified>
}

const identitySchema = accountSchema.extend({
  email: emailAddress().optional(),
  emailVerified: z.boolean().default(false),
  name: z.string().max(1_000).optional(),
})
type Identity = z.output<typeof identitySchema>

const projection = { email: 1, emailVerifiedAt: 1, status: 1, authKeys: 1, deletedAt: 1 }
const longestName = 50

/** Signing in by an account elsewhere, which makes a user where there is none. */
export class ProviderSignIn<Stored extends AnyUser> {
  readonly #database: Database
  readonly #users: EntityCollection<Candidate>
  readonly #needs: ProviderSignInNeeds<Stored>
  readonly #isLinking: boolean

  constructor(
    database: Database,
    users: Entity<Candidate>,
    needs: ProviderSignInNeeds<Stored>,
    { linkByVerifiedAddress = false }: ProviderOptions,
  ) {
    this.#database = database
    this.#users = database.of<Candidate>(users, { isDurable: true }).for('signIn')
    this.#needs = needs
    this.#isLinking = linkByVerifiedAddress
  }

  async perform(identity: ProviderIdentity, client: Client): Promise<SignedIn<Stored>> {
    const known = validateData(identitySchema, identity, 'The identity')
    // Another process may make or link the same user: then it is found.
    return retryCreation(this.#database, () => this.#attempt(known, client))
  }

  async #attempt(identity: Identity, client: Client): Promise<SignedIn<Stored>> {
    const authKeys = authKeyOf(identity)
    const user = await this.#users.findOne<Candidate>({ authKeys, deletedAt: null }, { projection })
    if (user !== null) return this.#enter(user, identity, client, () => Promise.resolve())
    if (identity.email === undefined) throw await this.#refused(null, 'unlinked', client)
    const namesake = await this.#users.findOne<Candidate>({ email: identity.email, deletedAt: null }, { projection })
    if (namesake === null) return this.#create(identity, identity.email, client)
    // Made by another process since we have looked.
    if (namesake.authKeys?.includes(authKeys)) return this.#enter(namesake, identity, client, () => Promise.resolve())
    if (!this.#isLinking || !isSamePerson(identity, namesake)) throw await this.#refused(namesake, 'unlinked', client)
    // Its tokens are kept as those of an account that is known are.
    const { provider, providerId } = identity
    const link = () => this.#needs.providers.add(namesake._id, { provider, providerId }, undefined)
    return this.#enter(namesake, identity, client, link)
  }

  /** In one transaction with what links the account, and the provider's tokens. */
  async #enter(
    user: Candidate,
    identity: Identity,
    client: Client,
    link: () => Promise<void>,
  ): Promise<SignedIn<Stored>> {
    const { attempts, providers } = this.#needs
    const reason = reasonOf(user)
    if (reason !== undefined) throw await this.#refused(user, reason, client)
    return this.#database.transactions.run(async () => {
      await link()
      await providers.keepTokens(user._id, identity)
      const signedIn = await attempts.byProvider(user._id, identity, client)
      // The account was taken away or the user shut out, since it was read.
      if (signedIn === null) throw new SignInError('wrong')
      return signedIn
    })
  }

  async #create(identity: Identity, email: string, client: Client): Promise<SignedIn<Stored>> {
    const { attempts, providers, createUser } = this.#needs
    const fields = {
      email,
      name: nameOf(identity, email),
      authKeys: [authKeyOf(identity)],
      ...(identity.emailVerified ? { emailVerifiedAt: this.#database.clock.now() } : {}),
    }
    const signedIn = await this.#database.transactions.run(async () => {
      const { _id } = await createUser(fields)
      await providers.keepTokens(_id, identity)
      return attempts.byProvider(_id, identity, client)
    })
    // A host's own default may be that new users wait to be let in.
    if (signedIn === null) throw new SignInError('pending')
    return signedIn
  }

  #refused(user: { readonly _id: ObjectId } | null, reason: RefusalReason, client: Client): Promise<SignInError> {
    return this.#needs.attempts.refused(user, reason, client)
  }
}

/** Both sides have verified the address, and the user has no other account there. */
function isSamePerson({ provider, emailVerified }: Identity, { emailVerifiedAt, authKeys = [] }: Candidate): boolean {
  return emailVerified && emailVerifiedAt !== undefined && !authKeys.some((key) => providerOf(key) === provider)
}

function nameOf({ name = '' }: Identity, email: string): string {
  const trimmed = name.trim().slice(0, longestName).trim()
  return trimmed.length >= 2 ? trimmed : email.slice(0, longestName)
}
