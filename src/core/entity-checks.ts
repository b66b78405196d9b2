import type { z } from 'zod'
import { DatabaseError } from './errors.js'
import { schemaAtAnyItem } from './field-schema.js'

const ownFields = ['_id', 'createdAt', 'updatedAt', '__v', 'deletedAt']
/** What Mongoose's documents need themselves; a field of the name would break them. */
const ofMongoose = [
  'collection',
  'emit',
  'errors',
  'get',
  'init',
  'isModified',
  'isNew',
  'listeners',
  'populated',
  'prototype',
  'remove',
  'removeListener',
  'save',
  'toObject',
  'validate',
]

const collectionName = /^(?!system\.|\.)[^$\0]{1,235}(?<!\.)$/

export function requireCollectionName(collection: unknown): void {
  if (typeof collection === 'string' && collectionName.test(collection)) return
  throw new DatabaseError('CONFIGURATION', `A collection cannot be named ${JSON.stringify(collection)}`)
}

export function refuseUnknownIndexes(entity: string, schema: z.ZodObject, paths: readonly string[]): void {
  const unknown = paths.find((path) => schemaAtAnyItem({ storedSchema: schema }, path) === undefined)
  if (unknown === undefined) return
  throw new DatabaseError(
    'CONFIGURATION',
    `The entity ${entity} has an index on ${unknown}, which is not a field of it`,
  )
}

export function refuseOwnFields(entity: string, names: readonly string[]): void {
  const taken = names.filter(
    (name) => ownFields.includes(name) || ofMongoose.includes(name) || name.startsWith('$') || name.includes('.'),
  )
  if (taken.length > 0) {
    throw new DatabaseError('CONFIGURATION', `The entity ${entity} cannot have fields named ${taken.join(', ')}`)
  }
}

export function refuseTakenFields(entity: string, known: readonly string[], added: readonly string[]): void {
  const taken = added.filter((name) => known.includes(name))
  if (taken.length > 0) {
    throw new DatabaseError('CONFIGURATION', `The entity ${entity} has the fields ${taken.join(', ')} already`)
  }
}
