import type { EntityDescription, SortDirection } from '../entity.js'
import { ValidationError } from '../errors.js'
import { typeName } from '../validate.js'
import { checkPath } from './compile-filter.js'

/** Fields to sort by, in order of weight. */
export type Sort<Document> = {
  readonly [Key in (keyof Document & string) | `${keyof Document & string}.${string}`]?: SortDirection
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
  readonly sort?: Sort<Document>
}

export type Projection = Readonly<Record<string, 0 | 1>>

/** The projection of a selection; without one it leaves out the secrets. */
export function compileSelection(
  entity: EntityDescription,
  select: readonly PropertyKey[] | undefined,
): Projection | undefined {
  if (select === undefined) {
    const secrets = Object.keys(entity.secrets)
    return secrets.length === 0 ? undefined : Object.fromEntries(secrets.map((name) => [name, 0]))
  }
  const projection: Record<string, 1> = { _id: 1 }
  for (const name of select) {
    checkPath(entity, String(name))
    projection[String(name)] = 1
  }
  return projection
}

/** The sort as pairs, each checked to name a field and a direction. */
export function compileSort(entity: EntityDescription, sort: object | undefined): [string, SortDirection][] {
  return Object.entries(sort ?? {}).map(([path, direction]): [string, SortDirection] => {
    checkPath(entity, path)
    if (direction !== 1 && direction !== -1) {
      throw new ValidationError(`The sort of ${entity.name}`, [
        { path, message: 'expected 1 or -1', received: typeName(direction) },
      ])
    }
    return [path, direction]
  })
}

/** The limit, if it is a whole number within bounds. @throws ValidationError otherwise. */
export function boundedLimit(limit: number | undefined, fallback: number, maximum: number): number {
  const value = limit ?? fallback
  if (!Number.isInteger(value) || value < 1 || value > maximum) {
    throw new ValidationError('The query', [
      { path: 'limit', message: `expected a whole number from 1 to ${maximum}`, received: typeName(value) },
    ])
  }
  return value
}
