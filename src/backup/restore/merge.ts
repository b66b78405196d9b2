import { BSON, type Document } from 'mongodb'
import type { Database } from '../../core/database.js'
import { ConflictError, DatabaseError } from '../../core/errors.js'
import { translateError } from '../../core/translate-error.js'
import { type Block, documentLength } from '../format/bson-blocks.js'
import { BlockInserter, hasId } from './raw-insert.js'
import type { MergeConflict, PlannedRestore } from './restore-plan.js'
import type { RestoreSource } from './restore-source.js'

/**
 * Adds the documents of a backup to collections that are there, block by block. Done once more it changes nothing more.
 * @throws ConflictError if an id is there and that is to fail: nothing was written then. DatabaseError `DATABASE` if a document
 * is refused, by a validator or a unique index: what was written before stays.
 */
export async function mergeCollections(
  database: Database,
  source: RestoreSource,
  planned: readonly PlannedRestore[],
  onConflict: MergeConflict,
  signal?: AbortSignal,
): Promise<void> {
  try {
    if (onConflict === 'fail') await requireNoConflict(database, source, planned)
    const inserter = new BlockInserter()
    for (const { collection, name } of planned)
      for await (const block of source.documents(collection)) {
        signal?.throwIfAborted()
        if (onConflict === 'replace') await replaceBlock(database, name, block, inserter)
        else await addBlock(database, name, block, inserter, onConflict)
      }
  } catch (error) {
    throw translateError(error)
  }
}

/** @throws ConflictError if one of the documents is there. */
export async function requireNoConflict(
  database: Database,
  source: RestoreSource,
  planned: readonly PlannedRestore[],
): Promise<void> {
  for (const one of planned)
    for await (const block of source.documents(one.collection)) await requireNew(database, one.name, block)
}

async function requireNew(database: Database, name: string, block: Block): Promise<void> {
  const found = await database.native.collection(name).findOne({ _id: { $in: idsOf(block) } } as Document, {
    projection: { _id: 1 },
  })
  if (found !== null) throw taken(name)
}

function taken(name: string): ConflictError {
  return new ConflictError('CONFLICT', `${name} has documents of the backup already`, { fields: ['_id'] })
}

async function addBlock(
  database: Database,
  name: string,
  block: Block,
  inserter: BlockInserter,
  onConflict: 'skip' | 'fail',
): Promise<void> {
  const refused = await inserter.insert(database.native, name, block)
  if (onConflict === 'fail' && refused.some(hasId)) throw taken(name)
  throwRefused(
    name,
    refused.filter((one) => !hasId(one)),
  )
}

/** Together or not at all: a document that is to be replaced is never gone. */
async function replaceBlock(database: Database, name: string, block: Block, inserter: BlockInserter): Promise<void> {
  await database.transactions.run(async () => {
    const session = database.transactions.session
    if (session === undefined) return
    await database.native.collection(name).deleteMany({ _id: { $in: idsOf(block) } } as Document, { session })
    throwRefused(name, await inserter.insert(database.native, name, block, session))
  })
}

function throwRefused(name: string, [refused]: Awaited<ReturnType<BlockInserter['insert']>>): void {
  if (refused === undefined) return
  throw new DatabaseError('DATABASE', `A document of ${name} was refused (${refused.code}): ${refused.message}`)
}

function idsOf({ bytes }: Block): unknown[] {
  const ids: unknown[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = documentLength(bytes, at)
    ids.push(BSON.deserialize(bytes.subarray(at, at + length), { promoteValues: false })._id)
    at += length
  }
  return ids
}
