import type { EntityDescription } from '../entity.js'
import type { SortDirection } from '../index-definition.js'
import { isPlainObject } from '../is-record.js'
import { requireField } from './compile-filter.js'
import type { DottedFields } from './conditions.js'
import { refused } from './data.js'

/** Fields to sort by, in order of weight. */
export type Sort<Document> = {
  readonly [Key in (keyof Document & string) | keyof DottedFields<Document>]?: SortDirection
}

/** The document, or with a selection only the selected fields and the `_id`. */
export type Selected<Document, Key extends keyof Document> = [keyof Document] extends [Key]
  ? Document
  : Pick<Document, Key | ('_id' & keyof Document)>

export interface ReadOptions<Document, Key extends keyof Document = keyof Document> {
  /** The fields to return besides `_id`; all if left out. */
  readonly select?: readonly Key[]
  /** Whether soft-deleted documents are returned too. */
  readonly withDeleted?: boolean
}

export interface ListOptions<Document, Key extends keyof Document = keyof Document> extends ReadOptions<Document, Key> {
  /** The order, such as `{ name: 1 }`. @default the server’s own */
  readonly sort?: Sort<Document> | undefined
}

const maximumNames = 1000

/**
 * Looks at options before anything is read of them.
 * @throws ValidationError for what is no object, and for options of other names.
 */
export function requireOptions(options: unknown, names: readonly string[]): void {
  if (!isPlainObject(options)) throw refused('The options', '', 'expected an object', options)
  const odd = Object.keys(options).find((name) => !names.includes(name))
  if (odd !== undefined) throw refused('The options', odd, 'is not an option of this call', options[odd])
}

export type Projection = Readonly<Record<string, 0 | 1>>

/** The projection of a selection; without one it leaves out the secrets. */
export function compileSelection(
  entity: EntityDescription,
  select: readonly PropertyKey[] | undefined,
): Projection | undefined {
  if (select === undefined) {
    const { hidden } = entity
    return hidden.length === 0 ? undefined : Object.fromEntries(hidden.map((name) => [name, 0]))
  }
  const subject = `The selection of ${entity.name}`
  if (!Array.isArray(select) || select.length > maximumNames)
    throw refused(subject, '', `expected a list of at most ${maximumNames} fields`, select)
  const projection: Record<string, 1> = { _id: 1 }
  for (const name of select as readonly unknown[]) {
    if (typeof name !== 'string') throw refused(subject, '', 'expected names of fields', name)
    requireField(entity, name, subject, name)
    if (name.includes('.')) throw refused(subject, name, 'only whole fields can be selected', name)
    projection[name] = 1
  }
  return projection
}

/** The sort as pairs, each checked to name a field and a direction. */
export function compileSort(entity: EntityDescription, sort: object | undefined): [string, SortDirection][] {
  const subject = `The sort of ${entity.name}`
  if (sort === undefined) return []
  if (!isPlainObject(sort) || Object.keys(sort).length > maximumNames)
    throw refused(subject, '', `expected an object of at most ${maximumNames} fields`, sort)
  return Object.entries(sort).map(([path, direction]): [string, SortDirection] => {
    requireField(entity, path, subject, direction)
    if (direction !== 1 && direction !== -1) throw refused(subject, path, 'expected 1 or -1', direction)
    return [path, direction]
  })
}

/** The number, if it is whole and within bounds. @throws ValidationError otherwise. */
export function bounded(name: string, value: number | undefined, fallback: number, maximum: number): number {
  const number = value ?? fallback
  if (!Number.isInteger(number) || number < 1 || number > maximum) {
    throw refused('The query', name, `expected a whole number from 1 to ${maximum}`, value)
  }
  return number
}
