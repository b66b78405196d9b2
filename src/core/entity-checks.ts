import type { z } from 'zod'
import { DatabaseError } from './errors.js'
import { itemSchema, schemaAtAnyItem } from './field-schema.js'
import { isPlainObject } from './is-record.js'
import { typeName } from './validate.js'

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

const optionalLists = ['rules', 'indexes', 'managed', 'privileged', 'immutable'] as const

/** Left out, or a list: of indexes and rules objects, else of paths. */
function isListOf(value: unknown, list: (typeof optionalLists)[number]): boolean {
  if (value === undefined) return true
  if (!Array.isArray(value)) return false
  if (list === 'indexes') return value.every((index) => isPlainObject(index) && isPlainObject(index.key))
  if (list === 'rules') return value.every((rule) => isPlainObject(rule) && typeof rule.check === 'function')
  return value.every((path) => typeof path === 'string')
}

/** @throws DatabaseError `CONFIGURATION` for what describes no entity. */
export function requireDescription(options: unknown, required: readonly string[]): void {
  if (!isPlainObject(options)) throw new DatabaseError('CONFIGURATION', 'An entity is described by an object')
  const { fields, secrets = {}, name } = options
  const lists = optionalLists.filter((list) => !isListOf(options[list], list))
  const missing = required.filter((text) => typeof options[text] !== 'string' || options[text] === '')
  const objects = [!isPlainObject(fields) && 'fields', !isPlainObject(secrets) && 'secrets'].filter(
    (odd) => odd !== false,
  )
  const odd = [...missing, ...objects, ...lists]
  if (odd.length === 0) return
  const of = typeof name === 'string' ? ` ${name}` : ''
  throw new DatabaseError('CONFIGURATION', `The description of an entity${of} cannot be used: ${odd.join(', ')}`)
}

export function requireCollectionName(collection: unknown): void {
  if (typeof collection === 'string' && collectionName.test(collection)) return
  throw new DatabaseError(
    'CONFIGURATION',
    `A collection cannot be named ${typeof collection === 'string' ? JSON.stringify(collection) : typeName(collection)}`,
  )
}

/** An index on `details.$**` is one on everything inside `details`. */
const everythingInside = /\.\$\*\*$/

export function refuseUnknownIndexes(entity: string, schema: z.ZodObject, paths: readonly string[]): void {
  const isUnknown = (path: string) =>
    schemaAtAnyItem({ storedSchema: schema }, path.replace(everythingInside, '')) === undefined
  const unknown = paths.find(isUnknown)
  if (unknown === undefined) return
  throw new DatabaseError(
    'CONFIGURATION',
    `The entity ${entity} has an index on ${unknown}, which is not a field of it`,
  )
}

/** An immutable field is one of the document, or of a list's items: setting the object around another would set it too. */
export function requireImmutables(entity: string, schema: z.ZodObject, paths: readonly string[]): void {
  const described = { storedSchema: schema }
  const isUsable = (path: string): boolean => {
    const [head = '', ...tail] = path.split('.')
    const around = schemaAtAnyItem(described, head)
    if (around === undefined || schemaAtAnyItem(described, path) === undefined) return false
    return tail.length === 0 || (tail.length === 1 && itemSchema(around) !== undefined)
  }
  const odd = paths.find((path) => !isUsable(path))
  if (odd === undefined) return
  const message = `The entity ${entity} cannot have an immutable ${odd}: only fields of the document or of a list's items`
  throw new DatabaseError('CONFIGURATION', message)
}

export function refuseOwnFields(entity: string, names: readonly string[]): void {
  const taken = names.filter(
    (name) => ownFields.includes(name) || ofMongoose.includes(name) || name.startsWith('$') || name.includes('.'),
  )
  if (taken.length > 0) {
    throw new DatabaseError('CONFIGURATION', `The entity ${entity} cannot have fields named ${taken.join(', ')}`)
  }
}

export function refuseUnknownHashes(entity: string, secrets: readonly string[], hashes: readonly string[]): void {
  const unknown = hashes.filter((name) => !secrets.includes(name))
  if (unknown.length === 0) return
  throw new DatabaseError(
    'CONFIGURATION',
    `The entity ${entity} has no secrets ${unknown.join(', ')} to keep as hashes`,
  )
}

export function refuseTakenFields(entity: string, known: readonly string[], added: readonly string[]): void {
  const taken = added.filter((name) => known.includes(name))
  if (taken.length > 0) {
    throw new DatabaseError('CONFIGURATION', `The entity ${entity} has the fields ${taken.join(', ')} already`)
  }
}

/** @throws DatabaseError `CONFIGURATION` for entities that would share a collection. */
export function refuseSharedCollections(entities: readonly { readonly collection: string }[]): void {
  const names = entities.map(({ collection }) => collection)
  const shared = names.find((name, at) => names.indexOf(name) !== at)
  if (shared !== undefined)
    throw new DatabaseError('CONFIGURATION', `Two entities cannot share the collection ${shared}`)
}
