import type { Document } from 'mongodb'
import { bcryptHash } from '../../../identity/passwords/bcrypt-hash.js'
import { type UserInput, userEntity } from '../../../identity/user.js'
import { type Mapped, Mapping } from './mapped.js'
import type { OriginIds } from './origin-ids.js'
import { dateOf, given, shownId, textOf } from './values.js'

type UserFields = Pick<UserInput, 'role' | 'userType' | 'status'>

/** What becomes of the role of a user: what somebody may do, and what somebody is to the energy. */
export type RolesOf = (role: unknown) => Pick<UserInput, 'role' | 'userType'>

/** Of two flags: a rejected user looks like one who waits. */
export function autovoltUser({ role, isApproved, isActive }: Document, rolesOf: RolesOf): UserFields {
  const waits = isApproved !== true
  const status = waits ? 'pending' : isActive === true ? 'active' : 'inactive'
  return { ...rolesOf(role), status }
}

export function maestroUser({ role, isSuspended, isActive }: Document, rolesOf: RolesOf): UserFields {
  const left = isActive === false ? 'inactive' : 'active'
  return { ...rolesOf(role), status: isSuspended === true ? 'suspended' : left }
}

export function solchainUser({ role, is_active }: Document, rolesOf: RolesOf): UserFields {
  return { ...rolesOf(role), status: is_active === 0 || is_active === false ? 'inactive' : 'active' }
}

/** How the users of a system are read. */
export interface UserReading {
  readonly nameOf: (document: Document) => string | undefined
  readonly fieldsOf: (document: Document) => UserFields
}

/**
 * Users with an address and a name. Tokens and permissions have no counterpart and go nowhere; hashes of passwords are stored with
 * the user, and are in no input.
 */
export function mapUsers(
  documents: readonly Document[],
  { nameOf, fieldsOf }: UserReading,
  userIds: OriginIds,
): Mapped<UserInput> {
  const mapping = new Mapping('users', userEntity.inputSchema)
  const byAddress = new Map<string, string>()
  const ids = new Set<string>()
  const byEmployee = new Map<string, string>()
  for (const document of documents) {
    const id = userIds.of(document)
    const email = addressOf(document)
    const name = nameOf(document)
    const other = email === undefined ? undefined : byAddress.get(email)
    if (email === undefined) mapping.leave(document, 'no e-mail address')
    else if (other !== undefined) mapping.leave(document, `the address of ${other} in another spelling`)
    else if (name === undefined) mapping.leave(document, 'no name')
    else if (id === undefined) mapping.leave(document, 'it has no id')
    else if (ids.has(shownId(id))) mapping.leave(document, 'the id of another user once more')
    else if (mapping.add(document, { _id: id, email, name, ...fieldsOf(document), ...personOf(document) })) {
      byAddress.set(email, shownId(document._id))
      ids.add(shownId(id))
      noteShared(mapping, document, byEmployee)
    }
  }
  return mapping
}

/** The address in the spelling that identifies it; undefined for what is none. */
function addressOf({ email }: Document): string | undefined {
  const text = textOf(email)?.toLowerCase().normalize('NFC')
  return text?.includes('@') && !text.includes(' ') ? text : undefined
}

/** Nothing in the origin keeps the number of an employee unique. */
function noteShared(mapping: Mapping<UserInput>, document: Document, byEmployee: Map<string, string>): void {
  const employeeId = textOf(document.employeeId)
  if (employeeId === undefined) return
  const other = byEmployee.get(employeeId)
  if (other !== undefined) mapping.note(document, `shares its employeeId with ${other}`)
  else byEmployee.set(employeeId, shownId(document._id))
}

/** The bcrypt hash of a user's password. Anything else goes nowhere: some systems have passwords as they were typed. */
export function passwordHashOf({ password, password_hash: hash, auth }: Document): string | undefined {
  const local: unknown = Array.isArray(auth) ? auth.find((one) => one?.provider === 'local')?.accessToken : undefined
  const found = [password, hash, local].find((one) => typeof one === 'string' && bcryptHash.test(one))
  return typeof found === 'string' ? found : undefined
}

/** What is known of the person, as far as it fits: what does not is kept with the rest of the document. */
function personOf(document: Document): Pick<UserInput, 'firstName' | 'lastName' | 'profile' | 'lastLogin'> {
  const { profile } = document
  const text = (value: unknown, maximum: number) => {
    const found = textOf(value)
    return found !== undefined && found.length <= maximum ? found : undefined
  }
  const fields = {
    ...given('avatar', text(document.profilePicture ?? profile?.avatar, 2_000)),
    ...given('phone', text(document.phone ?? profile?.phone, 50)),
    ...given('department', text(document.department ?? profile?.department, 200)),
    ...given('studentId', text(profile?.studentId, 100)),
  }
  return {
    ...given('firstName', text(document.first_name ?? profile?.firstName, 50)),
    ...given('lastName', text(document.last_name ?? profile?.lastName, 50)),
    ...(Object.keys(fields).length === 0 ? {} : { profile: fields }),
    ...given('lastLogin', dateOf(document.lastLogin ?? document.lastLoginAt)),
  }
}
