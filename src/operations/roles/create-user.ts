import { randomBytes } from 'node:crypto'
import { ConflictError, DatabaseError } from '../../core/errors.js'
import { serverCode } from '../../core/server-codes.js'
import { serverErrorCode, translateError } from '../../core/translate-error.js'
import type { Admin } from '../admin.js'

/** Created user: a user of MongoDB's that was just created. */
export interface CreatedUser {
  readonly user: string
  /** Where it logs in: `authSource` of its connection string. */
  readonly authSource: 'admin' | '$external'
  /** The role that it has. */
  readonly role: string
  /** It is nowhere else: the server has only a hash. Null for a user with a certificate. */
  readonly password: string | null
}

const passwordBytes = 24

/** Creates a user with a password of 192 random bits, none of whose characters need escaping in a connection string. */
export function createPasswordUser(admin: Admin, user: string, role: string): Promise<CreatedUser> {
  const password = randomBytes(passwordBytes).toString('base64url')
  return create(admin, { user, authSource: 'admin', role, password })
}

/** Creates a user that logs in with a certificate of this subject. */
export function createCertificateUser(admin: Admin, subject: string, role: string): Promise<CreatedUser> {
  return create(admin, { user: subject, authSource: '$external', role, password: null })
}

async function create(admin: Admin, created: CreatedUser): Promise<CreatedUser> {
  const { user, authSource, role, password } = created
  try {
    await admin.database.client.db(authSource).command({
      createUser: user,
      ...(password === null ? {} : { pwd: password }),
      roles: [{ role, db: 'admin' }],
      writeConcern: { w: 'majority' },
    })
    return created
  } catch (error) {
    const code = serverErrorCode(error)
    if (code === serverCode.userExists)
      throw new ConflictError('CONFLICT', `There is a user ${user} already: it was left as it is`, { fields: ['user'] })
    if (code === serverCode.roleNotFound)
      throw new DatabaseError('CONFIGURATION', `There is no role ${role} yet: create the roles first`)
    throw translateError(error)
  }
}
