import type { Document } from 'mongodb'
import { actionsOn, type Privilege } from '../../core/privileges.js'
import type { Admin } from '../admin.js'
import type { RoleDefinition } from '../roles/role-definitions.js'
import { type Finding, ok, warning } from './diagnosis.js'

/** Roles of the server's own that may do more than any application needs. */
const tooWide = new Set([
  'root',
  '__system',
  'dbOwner',
  'userAdmin',
  'userAdminAnyDatabase',
  'readWriteAnyDatabase',
  'dbAdminAnyDatabase',
  'clusterAdmin',
  'clusterManager',
  'hostManager',
])
const shown = 3

/** Whom the server takes this handle for, and whether that is too much, or too little. */
export async function accessFindings(admin: Admin, definitions: readonly RoleDefinition[]): Promise<Finding[]> {
  const { authInfo } = await admin.run({ connectionStatus: 1, showPrivileges: true })
  const users: readonly Document[] = authInfo?.authenticatedUsers ?? []
  if (users.length === 0)
    return [
      warning(
        'access control',
        'This handle is not logged in',
        'Where the server has no access control, whoever reaches its port may read and change everything: start mongod with --auth, and give the application a user of its own',
      ),
    ]
  const name = users.map(({ user }) => String(user)).join(', ')
  const roles: readonly Document[] = authInfo?.authenticatedUserRoles ?? []
  return [ok('access control', `Logged in as ${name}`), ...rolesFindings(admin, name, roles, authInfo, definitions)]
}

function rolesFindings(
  { database }: Admin,
  user: string,
  roles: readonly Document[],
  { authenticatedUserPrivileges = [] }: Document,
  definitions: readonly RoleDefinition[],
): Finding[] {
  const named = roles.map(({ role, db }) => `${role} on ${db}`).join(', ')
  const wide = roles.filter(({ role }) => tooWide.has(String(role)))
  if (wide.length > 0)
    return [
      warning(
        'roles',
        `${user} has more than an application needs: ${wide.map(({ role, db }) => `${role} on ${db}`).join(', ')}`,
        'Create a user with the role of what runs under it: autovolt roles --help',
      ),
    ]
  const held = definitions.filter(({ role }) => roles.some((one) => one.db === 'admin' && one.role === role))
  // Roles that somebody has made himself are known to him alone.
  if (held.length === 0) return [ok('roles', `The roles are ${named}`)]
  const allowed = held.flatMap(({ privileges }) => privileges)
  const differing = (had: readonly Privilege[], wanted: readonly Privilege[]) =>
    differences(database.connection.name, collectionsOf(definitions), had, wanted)
  const lacking = differing(authenticatedUserPrivileges, allowed)
  const beyond = differing(allowed, authenticatedUserPrivileges)
  return [
    ...(lacking.length === 0
      ? []
      : [
          warning(
            'roles',
            `${user} lacks what its role has by now: ${listed(lacking)}`,
            'Make the roles anew: autovolt roles --create',
          ),
        ]),
    ...(beyond.length === 0
      ? []
      : [
          warning(
            'roles',
            `${user} may do more than its role ${held.map(({ role }) => role).join(', ')}: ${listed(beyond)}`,
            `Take from it what it has besides (${named}), or make the roles anew: autovolt roles --create`,
          ),
        ]),
    ...(lacking.length + beyond.length === 0 ? [ok('roles', `The roles are ${named}, as they are defined`)] : []),
  ]
}

/** The collections that the roles name. */
function collectionsOf(definitions: readonly RoleDefinition[]): ReadonlySet<string> {
  const resources = definitions.flatMap(({ privileges }) => privileges.map(({ resource }) => resource))
  return new Set(
    resources.flatMap(({ db, collection }) =>
      typeof collection === 'string' && collection !== '' && !collection.startsWith('system.') && db !== 'local'
        ? [collection]
        : [],
    ),
  )
}

/** The actions that `wanted` allows and `had` does not, with the collections on which, those on few collections first. */
function differences(
  dbName: string,
  collections: ReadonlySet<string>,
  had: readonly Privilege[],
  wanted: readonly Privilege[],
): string[] {
  const byActions = new Map<string, string[]>()
  for (const collection of collections) {
    const present = actionsOn(had, dbName, collection)
    const more = [...actionsOn(wanted, dbName, collection)].filter((action) => !present.has(action))
    const actions = more.toSorted().join(', ')
    if (more.length > 0) byActions.set(actions, [...(byActions.get(actions) ?? []), collection])
  }
  return [...byActions]
    .toSorted(([, a], [, b]) => a.length - b.length)
    .map(([actions, on]) => `${actions} on ${on.length > shown ? `${on.length} collections` : on.join(', ')}`)
}

function listed(differences: readonly string[]): string {
  return `${differences.slice(0, shown).join('; ')}${differences.length > shown ? '; and more' : ''}`
}
