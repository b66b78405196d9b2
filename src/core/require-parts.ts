import type { EntityDescription } from './entity.js'
import { DatabaseError } from './errors.js'
import { isRecord } from './is-record.js'

/** What a host hands in has to be looked at here: later its lack shows up as a TypeError, far from its cause. */
export function requireParts(options: unknown): void {
  if (!isRecord(options)) throw new DatabaseError('CONFIGURATION', 'The options have to be an object')
  const { logger, clock, hostEntities = [] } = options
  requireFunctions('logger', logger, ['debug', 'info', 'warn', 'error'])
  requireFunctions('clock', clock, ['now'])
  if (!Array.isArray(hostEntities) || !hostEntities.every(isEntity)) {
    throw new DatabaseError('CONFIGURATION', '`hostEntities` has to be a list of what defineEntity() returns')
  }
}

function requireFunctions(option: string, value: unknown, names: readonly string[]): void {
  if (value === undefined) return
  const missing = names.filter((name) => !isRecord(value) || typeof value[name] !== 'function')
  if (missing.length === 0) return
  throw new DatabaseError('CONFIGURATION', `The ${option} lacks the functions ${missing.join(', ')}`)
}

function isEntity(value: unknown): value is EntityDescription {
  return isRecord(value) && typeof value.collection === 'string' && isRecord(value.storedSchema)
}
