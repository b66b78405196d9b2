import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import { findCollections } from '../setup/found-collection.js'
import type { Notice } from './notice.js'

const shownCollections = 5

/**
 * Looks for collections that a write has created without `setup()`: they have neither the validator nor the indexes that
 * uniqueness rests on. One command.
 */
export async function setUpNotice(
  database: Database,
  entities: readonly EntityDescription[],
): Promise<Notice | undefined> {
  const names = entities.map(({ collection }) => collection)
  const found = await database.transactions.outside(() => findCollections(database, names))
  const plain = entities.filter(({ collection, validator, timeSeries }) => {
    const one = found.get(collection)
    if (one === undefined) return false
    if (timeSeries !== undefined) return one.type === 'collection'
    return validator !== undefined && one.type === 'collection' && one.options.validator === undefined
  })
  if (plain.length === 0) return undefined
  const shown = plain.slice(0, shownCollections).map(({ collection }) => collection)
  const more = plain.length > shown.length ? ` and ${plain.length - shown.length} more` : ''
  const message = `The database was not set up: ${shown.join(', ')}${more} have no validator, and perhaps no unique indexes. Run volt.setup(), or npx autovolt setup`
  return { code: 'NOT_SET_UP', message, completeUntil: null }
}
