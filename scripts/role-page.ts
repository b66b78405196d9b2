import { readFileSync } from 'node:fs'
import type { Privilege } from '../src/core/privileges.js'
import { chosenEntities } from '../src/domains.js'
import { roleCollections } from '../src/operations/roles/role-collections.js'
import { type RoleDefinition, roleDefinitions } from '../src/operations/roles/role-definitions.js'

/** The page of roles. */
export const rolePageFile = new URL('../docs/roles.md', import.meta.url)

const heading = '## What each role may do\n'
/** More collections than this are not named one by one. */
const named = 12

/** The text of the page: what stands there before its last section, and that section, made of the definitions. */
export function rolePage(): string {
  const [introduction = ''] = readFileSync(rolePageFile, 'utf8').split(heading)
  const entities = chosenEntities({})
  const definitions = roleDefinitions('DB', roleCollections(entities, Object.values(entities)))
  return `${introduction}${heading}\n${definitions.map(sectionOf).join('\n')}`
}

function sectionOf({ purpose, role, serves, privileges }: RoleDefinition): string {
  const byActions = new Map<string, string[]>()
  for (const privilege of privileges) {
    const actions = privilege.actions.map((action) => `\`${action}\``).join(', ')
    byActions.set(actions, [...(byActions.get(actions) ?? []), placeOf(privilege)])
  }
  const rows = [...byActions].map(([actions, places]) => `- ${shown(places)}: ${actions}`)
  return [`### ${purpose}`, '', `\`${role}\`, for ${serves}.`, '', ...rows, ''].join('\n')
}

function shown(places: readonly string[]): string {
  return places.length > named ? 'each other collection of the package and of your entities' : places.join(', ')
}

function placeOf({ resource }: Privilege): string {
  if (resource.cluster === true) return 'the server'
  const where =
    (resource.db ?? '') === '' ? 'any database' : resource.db === 'DB' ? 'the database' : `\`${resource.db}\``
  if (resource.system_buckets === '') return `the buckets of time series in ${where}`
  if (resource.collection === '') return `${where}, without the server's own collections`
  return resource.db === 'DB' ? `\`${resource.collection}\`` : `\`${resource.collection}\` of ${where}`
}
