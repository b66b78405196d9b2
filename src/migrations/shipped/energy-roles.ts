import type { Migration } from '../migration.js'
import type { EntitiesByKey } from '../run/context.js'
import { type ChangeLog, rewriting, undoing } from './rewriting.js'

const id = 'autovolt-4-energy-roles'

/**
 * Maestro's words, and ours. What is bidirectional takes energy in and gives it back, as a storage does; what only measures
 * measures what is used.
 */
const roles: Readonly<Record<string, string>> = {
  consumer: 'consumption',
  producer: 'production',
  storage: 'storage',
  bidirectional: 'storage',
  monitor: 'consumption',
}

/** Every device has an energy role; one that has none consumes. */
export function energyRoles(log: ChangeLog, { devices }: EntitiesByKey): Migration {
  const words = Object.keys(roles).filter((word) => roles[word] !== word)
  return {
    id,
    description: 'every device has an energy role',
    up: rewriting(log, {
      collection: devices?.collection ?? 'devices',
      filter: { energyRole: { $in: [null, ...words] } },
      changesOf: async (documents) =>
        documents.map(({ energyRole }) => ({ energyRole: roles[String(energyRole)] ?? 'consumption' })),
    }),
    down: undoing(log, id),
  }
}
