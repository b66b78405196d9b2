import type { StoredFields } from '../entity.js'
import type { DottedFields } from './conditions.js'

export type UpdateOperator = '$unset' | '$inc' | '$mul' | '$min' | '$max' | '$push' | '$addToSet' | '$pull'

/** A change of a field other than setting it; it can come only from code. */
export class Change<Value> {
  declare readonly value?: Value

  constructor(
    readonly operator: UpdateOperator,
    readonly operand: unknown,
  ) {}
}

type Item<T> = T extends readonly (infer Element)[] ? Element : never

/** What to change: fields to set, or changes made with {@link change}. */
export type Changes<Document, Input> = {
  readonly [Key in keyof Omit<Input, '_id'>]?:
    | Input[Key]
    | (Key extends keyof Document ? Change<Document[Key]> : Change<never>)
} & { readonly [Path in keyof DottedFields<Document>]?: unknown }

/** Changes of fields, named as MongoDB names its operators. */
export const change = {
  unset: (): Change<never> => new Change<never>('$unset', ''),
  inc: (amount: number): Change<number> => new Change<number>('$inc', amount),
  mul: (factor: number): Change<number> => new Change<number>('$mul', factor),
  min: <Value>(value: Value): Change<Value> => new Change<Value>('$min', value),
  max: <Value>(value: Value): Change<Value> => new Change<Value>('$max', value),
  push: <Value extends readonly unknown[]>(item: Item<Value>): Change<Value> => new Change<Value>('$push', item),
  addToSet: <Value extends readonly unknown[]>(item: Item<Value>): Change<Value> =>
    new Change<Value>('$addToSet', item),
  pull: <Value extends readonly unknown[]>(item: Item<Value>): Change<Value> => new Change<Value>('$pull', item),
} as const

/** Fields of a document that its repository alone sets. */
export type ManagedField = keyof StoredFields
