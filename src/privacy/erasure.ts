import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { defineEntity, type Stored } from '../core/entity.js'
import { objectId, quantity } from '../core/fields.js'

const count = () => quantity(0, 1e15)

/** What an erasure did in a collection. */
const collectionFields = z.strictObject({
  /** The collection's real name. */
  collection: z.string().min(1).max(255),
  /** What its entity is called. */
  entity: z.string().min(1).max(100),
  /** Documents that were deleted. */
  deleted: count(),
  /** Changes of documents: fields deleted, ids and names replaced. Of a time series buckets are counted. */
  anonymised: count(),
  /** Documents that are kept for a time, by the declaration of the entity. */
  kept: count(),
  /** Why they are kept. */
  keptFor: z.array(z.string().max(500)).max(20).optional(),
  /** When the last of them is kept no longer. */
  keptUntil: z.date().optional(),
  /** Documents that name the person where nothing could be replaced, such as in the name of a field, or under a key that is not there. */
  unresolved: count(),
  /** Whether the collection is done. */
  isDone: z.boolean(),
})

/**
 * Erasure: that a person was erased, and what became of what was held. Who it was is in it only while something is left to be done; then a
 * hash is, by which a person is known that comes back with a restore.
 */
export const erasureEntity = defineEntity({
  name: 'erasure',
  collection: 'privacy_erasures',
  personal: {
    subjects: { user: { onErasure: 'delete' } },
    mentions: { in: ['reason'], onErasure: 'replace' },
    notPersonal:
      'subject pseudonym state requestedAt endedAt dueAt repeats keyDestroyedAt collections notDeclared notSearched'.split(
        ' ',
      ),
  },
  fields: {
    /** SHA-256 of the person's id, in hexadecimal. */
    subject: z.string().regex(/^[0-9a-f]{64}$/),
    /** The person, as long as the erasure has not ended. */
    user: objectId().optional(),
    /** What takes the place of the person's id; as long as the erasure has not ended. */
    pseudonym: objectId().optional(),
    /** `running` until all is done that can be; `waiting` while documents are kept; then `done`. */
    state: z.enum(['running', 'waiting', 'done']),
    /** Why, in the words of who asked for it. */
    reason: z.string().min(1).max(500),
    /** When it was asked for. */
    requestedAt: z.date(),
    /** When it had done all that could be done. */
    endedAt: z.date().optional(),
    /** When documents may go that are kept. */
    dueAt: z.date().optional(),
    /** How often it was done again, such as after restores. */
    repeats: z.int().min(0).default(0),
    /** When the key was destroyed with which fields of the person were sealed. */
    keyDestroyedAt: z.date().optional(),
    /** What it did in each collection. */
    collections: z.array(collectionFields).max(10_000),
    /** Entities, or fields of them, of which nobody has said whether they are personal: nothing was looked for there. */
    notDeclared: z.array(z.string().max(500)).max(10_000),
    /** What the person is known by that was not searched for in texts, because it may be a common word. */
    notSearched: z.array(z.string().max(100)).max(20),
  },
  indexes: [
    { key: { subject: 1 }, unique: true, serves: 'the erasure of a person, one for each' },
    { key: { state: 1, dueAt: 1, _id: 1 }, serves: 'what has not ended, and what is due' },
  ],
})

export type Erasure = Stored<typeof erasureEntity>
export type ErasedCollection = z.output<typeof collectionFields>

/** Erasure report: what became of what was held about a person. */
export interface ErasureReport {
  readonly id: ObjectId
  readonly state: Erasure['state']
  readonly reason: string
  readonly requestedAt: Date
  readonly endedAt: Date | undefined
  /** When the key was destroyed with which fields of the person were sealed: nobody reads these in any backup. Not while documents with such fields are kept. */
  readonly keyDestroyedAt: Date | undefined
  /** The collections in which something was found. */
  readonly collections: readonly ErasedCollection[]
  readonly notDeclared: readonly string[]
  readonly notSearched: readonly string[]
}

export function reportOf(erasure: Erasure): ErasureReport {
  const { _id, state, reason, requestedAt, endedAt, keyDestroyedAt, notDeclared, notSearched } = erasure
  const collections = erasure.collections.filter(
    ({ deleted, anonymised, kept, unresolved }) => deleted + anonymised + kept + unresolved > 0,
  )
  return { id: _id, state, reason, requestedAt, endedAt, keyDestroyedAt, collections, notDeclared, notSearched }
}
