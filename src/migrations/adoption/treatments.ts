import type { AdoptionMapping } from './mapping/mapping.js'
import { keptWhole } from './mapping/standard-mappings.js'
import type { Treatment } from './report.js'

/** The other collections of the public versions that are not adopted, by what becomes of them. */
const compared = new Set(['monthlyconsumptions', 'daily_aggregates', 'monthly_aggregates'])

/** @param collection What the public versions call it. */
export function treatmentOf({ collections }: AdoptionMapping, collection: string): Treatment {
  if (collections[collection] === undefined || collections[collection].from === null) return 'stays'
  if (keptWhole.has(collection)) return 'kept'
  return compared.has(collection) ? 'compared' : 'adopted'
}

/** What the library has no place for yet, and keeps. */
export function keptCollections(mapping: AdoptionMapping): string[] {
  return Object.keys(mapping.collections).filter((collection) => treatmentOf(mapping, collection) === 'kept')
}
