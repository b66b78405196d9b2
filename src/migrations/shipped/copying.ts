import type { Document } from 'mongodb'
import type { EntityDescription } from '../../core/entity.js'
import type { IndexDefinition } from '../../core/index-definition.js'
import type { FunctionBackfill, MigrationContext } from '../migration.js'
import type { ChangeLog } from './rewriting.js'

export interface Copying {
  /** The collection that documents are copied from. They stay in it. */
  readonly from: string
  /** Whose collection they are copied into, under their ids. */
  readonly entity: EntityDescription
  /** What a document becomes; undefined for one that cannot become any. Without it documents are copied as they are. */
  readonly adapt?: (document: Document) => Document | undefined
}

/**
 * A backfill that copies the documents that fit an entity into its collection, but for those that are there already, or whose
 * place another one has. What it copied is written down.
 */
export function copying(log: ChangeLog, { from, entity, adapt }: Copying): FunctionBackfill {
  return {
    collection: from,
    filter: adapt === undefined ? storableFilter(entity) : {},
    batch: async (documents, context) => {
      const fitting = documents.flatMap((original) => {
        const copy = adapt === undefined ? original : adapt(original)
        return copy !== undefined && isStorable(entity, copy) ? [{ original, copy }] : []
      })
      const free = await withFreePlace(context, entity, fitting)
      if (free.length === 0) return undefined
      const copies = free.map(({ copy }) => copy)
      // A collection that keeps documents from before the library takes them also where they do not fit.
      const options = copies.every((copy) => fits(entity, copy)) ? {} : { bypassDocumentValidation: true }
      await context.db.collection<Document>(entity.collection).insertMany(copies, options)
      const written = free.map(({ original, copy }) => ({
        updateOne: {
          filter: { migration: context.id, 'document.collection': entity.collection, 'document.id': copy._id },
          update: { $set: { copiedFrom: from, ...(copy === original ? {} : { after: copy }) } },
          upsert: true,
        },
      }))
      await context.db.collection(log.collection).bulkWrite(written, { ordered: false })
      return undefined
    },
  }
}

interface Copy {
  readonly original: Document
  readonly copy: Document
}

/** The documents that the collection may take: the server looks, so that the others are not even read. */
function storableFilter({ validationLevel, validator }: EntityDescription): Document {
  if (validationLevel === 'moderate' || validator === undefined) return {}
  // A rule may fail, and not only be broken, for a document of another shape.
  const [shape] = Array.isArray(validator.$and) ? validator.$and : [validator]
  return { ...shape }
}

/** Whether the collection takes the document. */
function isStorable(entity: EntityDescription, document: Document): boolean {
  return entity.validationLevel === 'moderate' || fits(entity, document)
}

/** Whether the document has the declared form. */
export function fits({ storedSchema, rules }: EntityDescription, document: Document): boolean {
  const parsed = storedSchema.safeParse(document)
  return parsed.success && rules.every((rule) => rule.check(document))
}

/** Those whose ids and unique values are not taken, neither in the collection nor by one before them. */
async function withFreePlace(
  { db }: MigrationContext,
  entity: EntityDescription,
  copies: readonly Copy[],
): Promise<readonly Copy[]> {
  if (copies.length === 0) return []
  const keys = [{ key: { _id: 1 } } as const, ...entity.indexes.filter(({ unique }) => unique === true)]
  let free = copies
  for (const index of keys) {
    const placed = free.map((one) => ({ one, place: placeOf(index, one.copy) }))
    const places = placed.flatMap(({ place }) => place ?? [])
    if (places.length === 0) continue
    const found = await db.collection<Document>(entity.collection).find({ $or: places }).toArray()
    const taken = new Set(found.map((document) => textOf(placeOf(index, document))))
    free = placed
      .filter(({ place }) => {
        if (place === undefined) return true
        const isFree = !taken.has(textOf(place))
        taken.add(textOf(place))
        return isFree
      })
      .map(({ one }) => one)
  }
  return free
}

/** The values of the index's fields; undefined for a document that is not in it. */
function placeOf(
  { key, partialFilterExpression = {} }: Pick<IndexDefinition, 'key' | 'partialFilterExpression'>,
  document: Document,
): Document | undefined {
  const isLeftOut = Object.keys(partialFilterExpression).some((name) => document[name] === undefined)
  if (isLeftOut) return undefined
  return Object.fromEntries(Object.keys(key).map((name) => [name, document[name] ?? null]))
}

function textOf(place: Document | undefined): string {
  return JSON.stringify(place)
}
