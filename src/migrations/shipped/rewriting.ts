import { isDeepStrictEqual } from 'node:util'
import type { AnyBulkWriteOperation, Db, Document } from 'mongodb'
import type { Clock } from '../../core/clock.js'
import type { FunctionBackfill, MigrationContext } from '../migration.js'

/** Fields of a document as they are to be; undefined for those that are to go. */
export type FieldChanges = Readonly<Record<string, unknown>>

/** Change log: where migrations of the package write down what they did, and by which clock. */
export interface ChangeLog {
  readonly collection: string
  readonly clock: Clock
}

export interface Rewriting {
  readonly collection: string
  /** The documents that may have to be changed. */
  readonly filter: Document
  /** What is to change of each document; undefined for one that stays as it is. */
  readonly changesOf: (documents: readonly Document[]) => Promise<readonly (FieldChanges | undefined)[]>
}

/** A backfill that changes fields of documents, and writes down how they were. */
export function rewriting(log: ChangeLog, { collection, filter, changesOf }: Rewriting): FunctionBackfill {
  return {
    collection,
    filter,
    batch: async (documents, context) => {
      const wanted = await changesOf(documents)
      const rewritten = documents.flatMap((document, at) => {
        const fields = wanted[at]
        return fields === undefined ? [] : [{ document, fields }]
      })
      if (rewritten.length === 0) return undefined
      await keepBefore(context, log, collection, rewritten)
      return rewritten.map(({ document, fields }) => updateOf(log.clock, document, fields))
    },
  }
}

/** Undoes what a migration has written down: fields, and whole copies. What was changed since then stays as it is. */
export function undoing(log: ChangeLog, migration: string): FunctionBackfill {
  return {
    collection: log.collection,
    filter: { migration },
    batch: async (found, { db }) => {
      for (const target of new Set(found.map((change) => String(change.document.collection)))) {
        const ofTarget = found.filter((change) => change.document.collection === target)
        await undo(db, log.clock, target, ofTarget)
      }
      return found.map(({ _id }) => ({ deleteOne: { filter: { _id } } }))
    },
  }
}

interface Rewritten {
  readonly document: Document
  readonly fields: FieldChanges
}

async function keepBefore(
  { db, id }: MigrationContext,
  log: ChangeLog,
  target: string,
  rewritten: readonly Rewritten[],
): Promise<void> {
  const writes = rewritten.map(({ document, fields }) => {
    const names = Object.keys(fields)
    return {
      updateOne: {
        filter: { migration: id, 'document.collection': target, 'document.id': document._id },
        // Run again, what it changed the first time stays what there was before.
        update: { $setOnInsert: { before: present(document, names) }, $set: { after: present(fields, names) } },
        upsert: true,
      },
    }
  })
  await db.collection(log.collection).bulkWrite(writes, { ordered: false })
}

function present(document: Document, names: readonly string[]): Document {
  return Object.fromEntries(names.filter((name) => document[name] !== undefined).map((name) => [name, document[name]]))
}

/** With the stamps of the library where the document has them: a reader from before has an older version. */
function updateOf(clock: Clock, document: Document, fields: FieldChanges): AnyBulkWriteOperation<Document> {
  const { _id, updatedAt, __v } = document
  const entries = Object.entries(fields)
  const set = Object.fromEntries(entries.filter(([, value]) => value !== undefined))
  const unset = Object.fromEntries(entries.filter(([, value]) => value === undefined).map(([name]) => [name, '']))
  const stamped = updatedAt instanceof Date ? { ...set, updatedAt: clock.now() } : set
  const update = {
    ...(Object.keys(stamped).length === 0 ? {} : { $set: stamped }),
    ...(Object.keys(unset).length === 0 ? {} : { $unset: unset }),
    ...(typeof __v === 'number' ? { $inc: { __v: 1 } } : {}),
  }
  return { updateOne: { filter: { _id }, update } }
}

async function undo(db: Db, clock: Clock, target: string, changes: readonly Document[]): Promise<void> {
  const read = async (collection: string) => {
    const ids = changes.map((change) => change.document.id)
    const found = await db
      .collection<Document>(collection)
      .find({ _id: { $in: ids } })
      .toArray()
    return new Map(found.map((document) => [keyOf(document._id), document]))
  }
  const current = await read(target)
  const sources = new Map<string, ReadonlyMap<string, Document>>()
  for (const { copiedFrom } of changes) {
    if (typeof copiedFrom === 'string' && !sources.has(copiedFrom)) sources.set(copiedFrom, await read(copiedFrom))
  }
  const writes = changes.flatMap<AnyBulkWriteOperation>(({ document: { id }, before, after, copiedFrom }) => {
    const document = current.get(keyOf(id))
    if (document === undefined) return []
    if (copiedFrom === undefined)
      return isAsWritten(document, before, after) ? [restoring(clock, document, before, after)] : []
    const source = after ?? sources.get(copiedFrom)?.get(keyOf(id))
    // A copy whose original is gone, or that was changed since, is the only document that there is of it.
    return isDeepStrictEqual(source, document) ? [{ deleteOne: { filter: { _id: id } } }] : []
  })
  if (writes.length > 0) await db.collection<Document>(target).bulkWrite(writes, { ordered: false })
}

function keyOf(id: unknown): string {
  return `${typeof id} ${String(id)}`
}

function isAsWritten(document: Document, before: Document, after: Document): boolean {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.every((name) => isDeepStrictEqual(document[name], after[name]))
}

function restoring(
  clock: Clock,
  document: Document,
  before: Document,
  after: Document,
): AnyBulkWriteOperation<Document> {
  const added = Object.keys(after).filter((name) => !(name in before))
  return updateOf(clock, document, { ...before, ...Object.fromEntries(added.map((name) => [name, undefined])) })
}
