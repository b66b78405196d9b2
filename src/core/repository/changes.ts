export type UpdateOperator = '$unset' | '$inc' | '$mul' | '$min' | '$max' | '$push' | '$addToSet' | '$pull'

/** A change of a field other than setting it; it can come only from code. */
export class Change<Value> {
  /** Carries the type of the field it fits; never set. */
  declare readonly value?: Value
  /** Keeps look-alikes from passing for it; never set. */
  declare protected readonly nominal: true

  constructor(
    readonly operator: UpdateOperator,
    readonly operand: unknown,
  ) {}
}

declare const removal: unique symbol
/** The removal of a field that documents may lack. */
export interface Removal {
  readonly [removal]: true
}

type List = readonly unknown[]
type Item<T> = T extends readonly (infer Element)[] ? Element : never
/** A value that has no fields of its own to change. */
type Leaf = Date | Uint8Array | { readonly _bsontype: string } | string | number | boolean | bigint | null | undefined

type Names<T> = NonNullable<T> extends Leaf | List ? never : keyof NonNullable<T> & string

/** Dotted paths, such as `boot.id`, `switches.0` and `switches.0.name`. */
type Paths<Document> = {
  [Key in keyof Document & string]: NonNullable<Document[Key]> extends List
    ? `${Key}.${number}` | `${Key}.${number}.${Names<Item<NonNullable<Document[Key]>>>}`
    : `${Key}.${Names<Document[Key]>}`
}[keyof Document & string]

type ValueAt<Document, Path> = Path extends `${infer Head}.${infer Tail}`
  ? Head extends keyof Document
    ? ValueIn<NonNullable<Document[Head]>, Tail>
    : never
  : never
type ValueIn<Field, Tail> = Field extends readonly (infer Element)[]
  ? Tail extends `${number}.${infer Name}`
    ? NonNullable<Element>[Name & keyof NonNullable<Element>]
    : Element
  : Field[Tail & keyof Field]

type RemovalOf<Value> = undefined extends Value ? Removal : never
type NewValue<Value> = Exclude<Value, undefined> | Change<NonNullable<Value>> | RemovalOf<Value>

/** What to change: fields to set, or changes made with {@link change}; dotted paths change a part of a field. */
export type Changes<Document, Input> = {
  readonly [Key in keyof Omit<Input, '_id'>]?:
    | Exclude<Input[Key], undefined>
    | (Key extends keyof Document ? Change<NonNullable<Input[Key]>> | RemovalOf<Document[Key]> : RemovalOf<Input[Key]>)
} & { readonly [Path in Paths<Document>]?: NewValue<ValueAt<Document, Path>> }

/** Changes of fields, named as MongoDB names its operators. */
export const change = {
  /** Removes a field that documents may lack. */
  // A removal has no value whose type could tell it from other changes: `Removal` is a brand for the types alone.
  unset: (): Removal => new Change<never>('$unset', '') as unknown as Removal,
  inc: (amount: number): Change<number> => new Change<number>('$inc', amount),
  mul: (factor: number): Change<number> => new Change<number>('$mul', factor),
  /** Sets the value if it is less than the stored one. */
  min: <Value extends number | Date>(value: Value): Change<Value> => new Change<Value>('$min', value),
  /** Sets the value if it is greater than the stored one. */
  max: <Value extends number | Date>(value: Value): Change<Value> => new Change<Value>('$max', value),
  push: <Value extends List>(item: Item<Value>): Change<Value> => new Change<Value>('$push', item),
  /** Adds the item unless an equal one is there. */
  addToSet: <Value extends List>(item: Item<Value>): Change<Value> => new Change<Value>('$addToSet', item),
  /** Removes every item that is equal, or of a list of objects, that has these values. */
  pull: <Value extends List>(item: Item<Value> extends Leaf ? Item<Value> : Partial<Item<Value>>): Change<Value> =>
    new Change<Value>('$pull', item),
} as const
