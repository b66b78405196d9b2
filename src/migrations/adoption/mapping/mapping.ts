import { z } from 'zod'
import { ValidationError } from '../../../core/errors.js'
import { validateData } from '../../../core/validate.js'

/** The origin systems whose databases are known. */
export const originSystems = ['autovolt', 'maestro', 'jupiter', 'solchain'] as const
export type OriginSystem = (typeof originSystems)[number]

/** Field mapping: where a field is in the documents of the origin, and what becomes of it. */
export interface FieldMapping {
  /** Its path, such as `meta.room`. It can be changed, for a database that was made by a fork. */
  readonly from: string
  /** What becomes of it here. */
  readonly becomes: string
}

/** Collection mapping: where a collection is in the origin, and what becomes of its documents. */
export interface CollectionMapping {
  /** Its name there. It can be changed; null leaves the collection out, where it is. */
  readonly from: string | null
  readonly becomes: string
  readonly fields: Readonly<Record<string, FieldMapping>>
  /** What becomes of the values of a field; one that is not named becomes what `*` does. They can be changed and added to. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** What of the origin becomes what here: data that can be printed, edited and given back. */
export interface AdoptionMapping {
  readonly system: OriginSystem
  /** By the names that the public versions of the system have for them. */
  readonly collections: Readonly<Record<string, CollectionMapping>>
}

const name = () => z.string().min(1).max(200)
const mappingSchema = z.strictObject({
  system: z.enum(originSystems),
  collections: z.record(
    name(),
    z.strictObject({
      from: name().nullable(),
      becomes: z.string().max(1000),
      fields: z.record(name(), z.strictObject({ from: name(), becomes: z.string().max(1000) })),
      values: z.record(name(), z.record(z.string().max(200), name())).optional(),
    }),
  ),
})

const what = 'The mapping of adoption'

/** @throws ValidationError for what is no mapping. */
export function parseMapping(mapping: AdoptionMapping): AdoptionMapping {
  return validateData(mappingSchema, mapping, what) as AdoptionMapping
}

/**
 * The default mapping with what was changed of it.
 * @throws ValidationError for a collection or a field that the default does not have, and for a value that nothing can
 * become: what can be changed is where things are, and what becomes of values.
 */
export function merged(standard: AdoptionMapping, edited: AdoptionMapping): AdoptionMapping {
  const collections: Record<string, CollectionMapping> = { ...standard.collections }
  for (const [key, changed] of Object.entries(edited.collections)) {
    const known = standard.collections[key]
    if (known === undefined) throw unknown(`collections.${key}`, Object.keys(standard.collections))
    collections[key] = mergedCollection(`collections.${key}`, known, changed)
  }
  return { ...standard, collections }
}

function mergedCollection(path: string, known: CollectionMapping, changed: CollectionMapping): CollectionMapping {
  const fields: Record<string, FieldMapping> = { ...known.fields }
  for (const [field, { from }] of Object.entries(changed.fields)) {
    const before = fields[field]
    if (before === undefined) throw unknown(`${path}.fields.${field}`, Object.keys(known.fields))
    fields[field] = { ...before, from }
  }
  const values = mergedValues(path, known.values ?? {}, changed.values ?? {})
  return { ...known, from: changed.from, fields, ...(known.values === undefined ? {} : { values }) }
}

function mergedValues(
  path: string,
  known: NonNullable<CollectionMapping['values']>,
  changed: NonNullable<CollectionMapping['values']>,
): NonNullable<CollectionMapping['values']> {
  const values: Record<string, Readonly<Record<string, string>>> = { ...known }
  for (const [field, table] of Object.entries(changed)) {
    const before = known[field]
    if (before === undefined) throw unknown(`${path}.values.${field}`, Object.keys(known))
    const possible = new Set(Object.values(before))
    const odd = Object.entries(table).find(([, value]) => !possible.has(value))
    if (odd !== undefined) throw unknown(`${path}.values.${field}.${odd[0]}`, [...possible])
    values[field] = table
  }
  return values
}

function unknown(path: string, expected: readonly string[]): ValidationError {
  const message = `expected one of ${expected.join(', ')}`
  return new ValidationError(what, [{ path, message, received: 'string' }])
}
