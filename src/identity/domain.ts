import type { Database } from '../core/database.js'
import type { InputIn, StoredIn } from '../core/extension.js'
import { Repository } from '../core/repository/repository.js'
import { type User, type UserInput, userEntity } from './user.js'

export type IdentityCollection = 'users'

export const identityEntities = { users: userEntity } satisfies Record<IdentityCollection, object>

/** What people bring to the handle. */
export interface IdentityServices<Extended = object> {
  /** The people and households that energy is accounted to. */
  readonly users: Repository<StoredIn<Extended, 'users', User>, InputIn<Extended, 'users', UserInput>>
}

export function openIdentity(database: Database, entities: typeof identityEntities): IdentityServices {
  return { users: new Repository(database, entities.users) }
}
