import type { AutoVolt } from '../../../src/autovolt.js'
import type { OpenOptions } from '../../../src/handle-options.js'
import type { RolePurpose } from '../../../src/operations/roles/role-definitions.js'
import { type SecuredMongod, startSecuredMongod } from '../../support/secured-mongod.js'
import { openVolt } from '../../support/volt.js'

export interface SecuredDatabase extends SecuredMongod {
  readonly dbName: string
  /** The handle of a user who may do everything. */
  readonly byOwner: AutoVolt
  /** A handle whose user has a role of ours, and no other. */
  readonly as: (purpose: RolePurpose, options?: Omit<OpenOptions, 'uri'>) => Promise<AutoVolt>
  /** The connection string of such a user. */
  readonly uriAs: (purpose: RolePurpose) => Promise<string>
}

/** A database on a server whose users have to log in, with the roles of the library. */
export async function startSecuredDatabase(dbName = 'school'): Promise<SecuredDatabase> {
  const secured = await startSecuredMongod()
  const byOwner = await openVolt({ uri: secured.uriOf('owner'), dbName })
  await byOwner.operations.roles.create()
  let users = 0
  const uriAs = async (purpose: RolePurpose) => {
    users += 1
    const { user, password } = await byOwner.operations.roles.createUser(`${purpose}-${users}`, purpose)
    return secured.uriWith(user, String(password))
  }
  const as = async (purpose: RolePurpose, options: Omit<OpenOptions, 'uri'> = {}) =>
    openVolt({ uri: await uriAs(purpose), dbName }, options)
  return { ...secured, dbName, byOwner, as, uriAs }
}
