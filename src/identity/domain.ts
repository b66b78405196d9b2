import type { AuditLog } from '../activity/audit-log.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import type { InputIn, StoredIn } from '../core/extension.js'
import type { PasswordOptions } from './passwords/password-options.js'
import { userPreferencesEntity } from './preferences/user-preferences.js'
import { UserPreferencesRepository } from './preferences/user-preferences-repository.js'
import { AuthProviders } from './providers/auth-providers.js'
import { providerTokenEntity } from './providers/provider-token.js'
import { sessionEntity } from './sessions/session.js'
import { type SessionOptions, sessionOptionsOf } from './sessions/session-options.js'
import { SessionStore } from './sessions/session-store.js'
import { Sessions } from './sessions/sessions.js'
import { SignIn, type SignInOptions } from './sign-in/sign-in.js'
import { userTokenEntity } from './sign-in/user-token.js'
import { type AnyUser, type User, type UserInput, userEntity } from './user.js'
import { UserRepository } from './user-repository.js'
import { UserWatch } from './user-watch.js'

export type IdentityCollection = 'users' | 'userTokens' | 'userSessions' | 'userProviderTokens' | 'userPreferences'

export const identityEntities = {
  users: userEntity,
  userTokens: userTokenEntity,
  userSessions: sessionEntity,
  userProviderTokens: providerTokenEntity,
  userPreferences: userPreferencesEntity,
} satisfies Record<IdentityCollection, object>

/** How people are known and kept apart. */
export interface IdentityOptions extends SignInOptions {
  /** How passwords are hashed, and which are taken. */
  readonly passwords?: PasswordOptions
  /** How long sessions live, and how many a user has. */
  readonly sessions?: SessionOptions
}

/** The users of a handle, with the fields and roles that the host adds. */
type UserIn<Extended> = Extended extends { readonly users: Entity } ? StoredIn<Extended, 'users', AnyUser> : User

/** The roles that users of a handle have: the host's where it names its own. */
export type RoleIn<Extended> = NonNullable<UserIn<Extended>['role']>

/** What people bring to the handle. */
export interface IdentityServices<Extended = object> {
  /** The people and households that energy is accounted to. */
  readonly users: UserRepository<UserIn<Extended>, InputIn<Extended, 'users', UserInput>>
  /** What they have chosen: how the host looks to them, how they are reached, what others see of them. */
  readonly userPreferences: UserPreferencesRepository
  /** How people prove who they are. */
  readonly signIn: SignIn<UserIn<Extended>>
  /** Who is signed in, on which devices. */
  readonly sessions: Sessions<UserIn<Extended>>
}

/** What people need of other domains. */
export interface IdentityNeeds {
  readonly auditLog: AuditLog
}

export function openIdentity(
  database: Database,
  entities: typeof identityEntities,
  { auditLog }: IdentityNeeds,
  options: IdentityOptions,
): IdentityServices {
  const { userSessions } = entities
  const limits = sessionOptionsOf(options.sessions)
  const sessions = new SessionStore(database, { sessions: userSessions, users: entities.users }, limits, auditLog)
  const watch = new UserWatch(database, entities, auditLog, sessions)
  const providers = new AuthProviders(database, entities.users, entities.userProviderTokens, watch)
  const users = new UserRepository(database, entities.users, { watch, providers })
  const createUser = (fields: Readonly<Record<string, unknown>>) => users.create(fields as UserInput)
  return {
    users,
    userPreferences: new UserPreferencesRepository(database, entities.userPreferences, entities.users),
    signIn: new SignIn(database, entities, { auditLog, sessions, watch, providers, createUser }, options),
    sessions: new Sessions(database, entities.users, sessions),
  }
}
