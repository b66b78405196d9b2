import { normalised } from '../blind-index.js'
import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import type { HashesOf } from './sealed-filter.js'

type Keys = Pick<Database, 'keyRing'>

/**
 * The hashes of sealed texts, for finding them: by all keys, so that what was stored under an older one is found too. They are bound to
 * the entity's name, not the collection's, to the field, and to how it is normalised.
 */
export function hashesOf(database: Keys, { name, blindIndexes }: EntityDescription): HashesOf {
  return (field, plain) => {
    const index = Object.hasOwn(blindIndexes, field) ? blindIndexes[field] : undefined
    if (index === undefined) return []
    return database.keyRing.hashes(normalised(plain, index), JSON.stringify([name, field, index.normalise]))
  }
}

/**
 * The hashes that are stored beside a sealed text, by the name of their field. A unique value is stored under every key of the ring:
 * while keys are changed it would otherwise not meet the same value under another.
 */
export function storedHashes(
  database: Keys,
  entity: EntityDescription,
  field: string,
  plain: string,
): Readonly<Record<string, readonly string[]>> {
  const index = Object.hasOwn(entity.blindIndexes, field) ? entity.blindIndexes[field] : undefined
  if (index === undefined) return {}
  const hashes = hashesOf(database, entity)(field, plain)
  return { [index.stored]: index.unique ? hashes : hashes.slice(0, 1) }
}
