import type { Database } from '../../core/database.js'
import { setUpCollections } from '../../core/setup/set-up.js'
import type { Migration } from '../migration.js'
import type { EntitiesByKey } from '../run/context.js'

/**
 * Creates the collections of the package that are missing, with their validators and indexes. Those that are there are for
 * `setup()` to bring into form, once their documents fit. There is no way back: an empty collection cannot be removed without
 * the risk of losing the document that is just being written to it.
 */
export function initialSchema(database: Database, entities: EntitiesByKey): Migration {
  const missing = async () => {
    const found = await database.native.listCollections({}, { nameOnly: true }).toArray()
    const names = new Set(found.map(({ name }) => name))
    return Object.values(entities).filter(({ collection }) => !names.has(collection))
  }
  return {
    id: 'autovolt-1-initial-schema',
    description: 'the collections of the package are there, with validators and indexes',
    repeatable: true,
    up: async () => {
      await setUpCollections(database, await missing(), false)
    },
    plan: async () => {
      const collections = await missing()
      return collections.map(({ collection }) => ({ collection, note: 'would be created' }))
    },
  }
}
