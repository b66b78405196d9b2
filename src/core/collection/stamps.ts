import type { Document } from 'mongodb'
import type { StoredFields } from '../entity.js'

/** Stamps: what every document that can change carries besides the fields of its entity. */
export type Stamps = Omit<StoredFields, '_id'>

/** The stamps of a document that is created now. */
export function newStamps(now: Date): Stamps {
  return { createdAt: now, updatedAt: now, __v: 0 }
}

/** The stamps of a document that takes the place of another one. */
export function nextStamps(before: Stamps, now: Date): Stamps {
  return { createdAt: before.createdAt, updatedAt: now, __v: before.__v + 1 }
}

/** The update, which also sets the time of the change and counts the version. */
export function stampedUpdate(update: Document, now: Date, isUpsert: boolean): Document {
  const created = isUpsert ? { $setOnInsert: { ...update.$setOnInsert, createdAt: now } } : {}
  return {
    ...update,
    ...created,
    $set: { ...update.$set, updatedAt: now },
    $inc: { ...update.$inc, __v: 1 },
  }
}

/**
 * The stamps as expressions of an update pipeline, for a document that may be new.
 * @param now A date, or `'$$NOW'` for the server's own time.
 */
export function stampStage(now: Date | '$$NOW'): Document {
  return {
    createdAt: { $ifNull: ['$createdAt', now] },
    updatedAt: now,
    __v: { $add: [{ $ifNull: ['$__v', -1] }, 1] },
  }
}
