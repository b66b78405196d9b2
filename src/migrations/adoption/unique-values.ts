import type { ObjectId } from 'mongodb'
import type { StoreFilter } from '../../core/collection/store-query.js'
import { compiled } from '../../core/compiled-schema.js'
import type { Database } from '../../core/database.js'
import type { Entity, StoredFields } from '../../core/entity.js'
import type { Conflict } from './map/mapped.js'
import { shownId } from './map/values.js'

/** What a document has for the fields that no two may share. */
export interface OwnValues {
  readonly id: string
  readonly values: readonly { readonly field: string; readonly value: unknown }[]
}

type Keyed = { readonly _id?: ObjectId | string | undefined }

/**
 * What no two of our documents may share. It is asked before anything is written: with one query for each field and batch, which the
 * field's unique index answers.
 */
export class UniqueValues<Stored extends StoredFields, Input extends Keyed> {
  readonly #database: Database
  readonly #entity: Entity<Stored, Input>
  readonly #fields: readonly { readonly field: string; readonly partial: object }[]
  /** The ids of those that would be written before, by field and value. */
  readonly #taken = new Map<string, string>()

  constructor(database: Database, entity: Entity<Stored, Input>) {
    this.#database = database
    this.#entity = entity
    this.#fields = entity.indexes.flatMap(({ key, unique, partialFilterExpression: partial = {} }) => {
      const [field, ...others] = Object.keys(key)
      // Nothing that is adopted has a value for those of several fields.
      return unique === true && field !== undefined && others.length === 0 ? [{ field, partial }] : []
    })
  }

  /** The values of a document as it would be stored. */
  of(input: Input): OwnValues {
    const parsed = compiled(this.#entity.inputSchema).safeParse(input)
    const stored = parsed.success ? parsed.data : input
    const fields = ['_id', ...this.#fields.map(({ field }) => field)]
    const values = fields.flatMap((field) => valuesAt(stored, field).map((value) => ({ field, value })))
    return { id: shownId(input._id), values }
  }

  /** The ids of those of our documents that have a value of these, by field and value. */
  async ownersAmong(all: readonly OwnValues[]): Promise<ReadonlyMap<string, string>> {
    const owners = new Map<string, string>()
    for (const { field, partial } of this.#fields) {
      const values = all.flatMap((one) => one.values.flatMap(({ field: of, value }) => (of === field ? [value] : [])))
      if (values.length === 0) continue
      const filter = {
        ...partial,
        [field]: { ...Object(Reflect.get(partial, field)), $in: values },
      } as StoreFilter<Stored>
      const found = await this.#database.of(this.#entity).find(filter, { projection: { [field]: 1 } })
      for (const one of found)
        for (const value of valuesAt(one, field)) owners.set(keyOf(field, value), one._id.toHexString())
    }
    return owners
  }

  /** What has one of these values already: one of the owners, or of those that were {@link take}n. */
  conflictOf({ id, values }: OwnValues, owners: ReadonlyMap<string, string>): Conflict | undefined {
    for (const { field, value } of values) {
      const key = keyOf(field, value)
      const taker = this.#taken.get(key)
      const owner = owners.get(key)
      const existingId = taker ?? (owner === id ? undefined : owner)
      if (existingId !== undefined) return { fields: [field], existingId }
    }
    return undefined
  }

  /** Nothing else can have these values from now on. */
  take({ id, values }: OwnValues): void {
    for (const { field, value } of values) this.#taken.set(keyOf(field, value), id)
  }
}

function valuesAt(document: object, path: string): unknown[] {
  let values: unknown[] = [document]
  for (const name of path.split('.'))
    values = values.flatMap((value) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : []))
  return values.flat().filter((value) => value !== undefined && value !== null)
}

function keyOf(field: string, value: unknown): string {
  return `${field} ${shownId(value)}`
}
