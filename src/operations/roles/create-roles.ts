import { isDeepStrictEqual } from 'node:util'
import type { Document } from 'mongodb'
import type { Privilege } from '../../core/privileges.js'
import { serverCode } from '../../core/server-codes.js'
import { serverErrorCode, translateError } from '../../core/translate-error.js'
import type { Admin } from '../admin.js'
import type { RoleDefinition } from './role-definitions.js'

/** Role report: how a role of the server compares with its definition. */
export interface RoleReport extends Pick<RoleDefinition, 'purpose' | 'role' | 'serves'> {
  readonly state: 'same' | 'missing' | 'different'
}

const durable = { writeConcern: { w: 'majority' } } as const

/** Compares the roles of the server with their definitions. */
export async function compareRoles(admin: Admin, definitions: readonly RoleDefinition[]): Promise<RoleReport[]> {
  const names = definitions.map(({ role }) => ({ role, db: 'admin' }))
  const { roles }: Document = await admin.runOnServer({ rolesInfo: names, showPrivileges: true })
  const found = new Map((roles as readonly Document[]).map((role) => [String(role.role), role]))
  return definitions.map(({ purpose, role, serves, privileges }) => {
    const one = found.get(role)
    const isSame = (stored: Document) =>
      stored.roles.length === 0 && isDeepStrictEqual(inOrder(stored.privileges), inOrder(privileges))
    return { purpose, role, serves, state: one === undefined ? 'missing' : isSame(one) ? 'same' : 'different' }
  })
}

/** Creates what is missing, and makes what differs as it is defined. Any number of processes may do so at once. */
export async function createRoles(admin: Admin, definitions: readonly RoleDefinition[]): Promise<RoleReport[]> {
  const reports = await compareRoles(admin, definitions)
  for (const [at, { role, privileges }] of definitions.entries()) {
    const state = reports[at]?.state
    if (state === 'missing') await createOrUpdate(admin, role, privileges)
    if (state === 'different') await update(admin, role, privileges)
  }
  return reports
}

async function createOrUpdate(admin: Admin, role: string, privileges: readonly Privilege[]): Promise<void> {
  try {
    await admin.database.native.admin().command({ createRole: role, privileges, roles: [], ...durable })
  } catch (error) {
    // Another process was first, perhaps one of another version.
    if (serverErrorCode(error) !== serverCode.roleExists) throw translateError(error)
    await update(admin, role, privileges)
  }
}

async function update(admin: Admin, role: string, privileges: readonly Privilege[]): Promise<void> {
  await admin.runOnServer({ updateRole: role, privileges, roles: [], ...durable })
}

/** Privileges by what they are on; the server orders them, and their actions, by itself. */
function inOrder(privileges: readonly Privilege[]): [string, string[]][] {
  const actions = new Map<string, string[]>()
  for (const { resource, actions: more } of privileges) {
    const key = JSON.stringify(Object.entries(resource).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    actions.set(key, [...new Set([...(actions.get(key) ?? []), ...more])].toSorted())
  }
  return [...actions].toSorted(([a], [b]) => (a < b ? -1 : 1))
}
