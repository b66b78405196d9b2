import { z } from 'zod'
import { validateData } from '../../core/validate.js'
import type { Admin } from '../admin.js'
import { compareRoles, createRoles, type RoleReport } from './create-roles.js'
import { type CreatedUser, createCertificateUser, createPasswordUser } from './create-user.js'
import {
  type RoleCollections,
  type RoleDefinition,
  type RolePurpose,
  roleDefinitions,
  rolePurposes,
} from './role-definitions.js'

const purpose = () => z.enum(rolePurposes)
const userSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9_.@-]{1,100}$/, { error: 'expected letters, digits and _ . @ -' }),
  purpose: purpose(),
})
const certificateSchema = z.strictObject({
  subject: z
    .string()
    .max(1_000)
    .regex(/^[A-Za-z0-9.]+=[^\0\n]+$/, { error: 'expected a subject by RFC 2253, such as CN=metrics,O=School' }),
  purpose: purpose(),
})

/**
 * Roles and users of MongoDB's that may do what one part of the library needs, and no more. They are in the database `admin`, and
 * named after this database. Whoever creates them needs `userAdminAnyDatabase`.
 * @example
 * await volt.operations.roles.create()
 * const { password } = await volt.operations.roles.createUser('school-service', 'application')
 */
export class Roles {
  readonly #admin: Admin
  readonly #collections: () => RoleCollections

  constructor(admin: Admin, collections: () => RoleCollections) {
    this.#admin = admin
    this.#collections = collections
  }

  /** What each role may do. Asks nobody. */
  definitions(): RoleDefinition[] {
    return roleDefinitions(this.#admin.database.connection.name, this.#collections())
  }

  /** How the roles of the server compare with their definitions. @throws DatabaseError `NOT_AUTHORIZED` without the right to `viewRole`. */
  compare(): Promise<RoleReport[]> {
    return compareRoles(this.#admin, this.definitions())
  }

  /** Creates the roles, and makes those that differ as they are defined: again after an upgrade of the package. @returns how they were before. */
  create(): Promise<RoleReport[]> {
    return createRoles(this.#admin, this.definitions())
  }

  /**
   * Creates a user of one role with a generated password, which is in the result and nowhere else.
   * @throws ConflictError where there is such a user; DatabaseError `CONFIGURATION` before {@link create}.
   */
  async createUser(name: string, purpose: RolePurpose): Promise<CreatedUser> {
    const parsed = validateData(userSchema, { name, purpose }, 'The user')
    return createPasswordUser(this.#admin, parsed.name, this.#nameOf(parsed.purpose))
  }

  /**
   * Creates a user of one role that logs in with a certificate (MONGODB-X509).
   * @param subject The subject of its certificate by RFC 2253, as `openssl x509 -subject -nameopt RFC2253` prints it.
   * @throws as {@link createUser}.
   */
  async createCertificateUser(subject: string, purpose: RolePurpose): Promise<CreatedUser> {
    const parsed = validateData(certificateSchema, { subject, purpose }, 'The user')
    return createCertificateUser(this.#admin, parsed.subject, this.#nameOf(parsed.purpose))
  }

  #nameOf(purpose: RolePurpose): string {
    return `autovolt_${purpose}_${this.#admin.database.connection.name}`
  }
}
