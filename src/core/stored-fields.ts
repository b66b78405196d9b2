import type { ObjectId } from 'mongodb'

/** Identified: what every stored document has. */
export interface Identified {
  readonly _id: ObjectId
}

/** Stored fields: what every document that can change has besides the fields of its entity. */
export interface StoredFields extends Identified {
  readonly createdAt: Date
  readonly updatedAt: Date
  /** The version of the document: 0 when created, one more with each update. */
  readonly __v: number
}

/** Deletable: what every document has of an entity with `softDelete`. */
export interface Deletable {
  /** When the document was deleted; null while it is not. */
  readonly deletedAt: Date | null
}

/** Field access: who may set which fields, as dotted paths without the places in lists, such as `switches.state`. */
export interface FieldAccess {
  /** Fields that the library itself keeps. No request may set them. */
  readonly managed?: readonly string[]
  /** Fields that decide on rights or on money. No request may set them; the host's own code does, for whom it may. */
  readonly privileged?: readonly string[]
  /** Fields, of the document or of a list's items, that stay as they were when it was created. An upsert sets them only where it creates. */
  readonly immutable?: readonly string[]
}
