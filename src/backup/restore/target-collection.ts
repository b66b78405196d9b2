import { BSON, type CreateIndexesOptions, type Db, type Document, type IndexDescription } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { serverCode } from '../../core/server-codes.js'
import { serverErrorCode } from '../../core/translate-error.js'
import type { BackupCollection } from '../format/manifest.js'

/** What a collection gets when its documents are there, and not before. */
const laterOptions = ['validator', 'validationLevel', 'validationAction', 'expireAfterSeconds'] as const
/** Documents that are to expire after this have to stay for as long as the restore takes: 68 years. */
const noExpirySeconds = 2 ** 31 - 1

/** Building an index may last longer than any reply. */
const patient: CreateIndexesOptions & { readonly socketTimeoutMS: number } = { socketTimeoutMS: 0 }

/** What the server answers to options and indexes that it does not know. */
const refusals: ReadonlySet<unknown> = new Set([
  serverCode.badValue,
  serverCode.failedToParse,
  serverCode.typeMismatch,
  serverCode.cannotCreateIndex,
  serverCode.invalidOptions,
  serverCode.invalidPipelineOperator,
  serverCode.unknownField,
])

/** Creates the collection as it was, without its indexes, its validator and its expiry. One that is there already is left. */
export async function createTarget(database: Db, name: string, collection: BackupCollection): Promise<void> {
  const options = documentOf(collection.options)
  for (const option of laterOptions) delete options[option]
  try {
    await asDescribed(collection, () => database.command({ create: name, ...options }))
  } catch (error) {
    if (serverErrorCode(error) !== serverCode.namespaceExists) throw error
  }
}

/** Drops what an attempt before may have built: documents are stored without indexes but that of their ids. */
export async function dropTargetIndexes(database: Db, name: string): Promise<void> {
  await database.command({ dropIndexes: name, index: '*' })
}

/** Builds the indexes. Those that remove documents remove none yet. */
export async function buildTargetIndexes(database: Db, name: string, collection: BackupCollection): Promise<void> {
  const indexes = indexesOf(collection).map((index) => {
    const expiry = index.expireAfterSeconds === undefined ? {} : { expireAfterSeconds: noExpirySeconds }
    // Else the collection's own collation would become that of an index that has none.
    return { collation: { locale: 'simple' }, ...index, ...expiry }
  })
  if (indexes.length === 0) return
  const build = () => database.collection(name).createIndexes(indexes as IndexDescription[], patient)
  await asDescribed(collection, build)
}

/** Puts back what keeps documents out, and what removes them. */
export async function finishTarget(database: Db, name: string, collection: BackupCollection): Promise<void> {
  const { validator, validationLevel, validationAction, expireAfterSeconds } = documentOf(collection.options)
  const rules = {
    ...(validator === undefined ? {} : { validator }),
    ...(validationLevel === undefined ? {} : { validationLevel }),
    ...(validationAction === undefined ? {} : { validationAction }),
    ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }),
  }
  if (Object.keys(rules).length > 0) await asDescribed(collection, () => database.command({ collMod: name, ...rules }))
  for (const index of indexesOf(collection)) {
    const { name: indexName, expireAfterSeconds } = index
    if (expireAfterSeconds === undefined) continue
    const expiry = { name: indexName, expireAfterSeconds }
    await asDescribed(collection, () => database.command({ collMod: name, index: expiry }))
  }
}

/** @throws DatabaseError `BACKUP_DAMAGED` where the server does not take what the backup says of the collection. */
async function asDescribed<Result>({ name }: BackupCollection, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error) || !refusals.has(serverErrorCode(error))) throw error
    const message = `The server refuses what the backup says of the collection ${name}: ${error.message}. The backup is damaged, or of a newer server`
    throw new DatabaseError('BACKUP_DAMAGED', message, { cause: error })
  }
}

/** What has to be built: the index of `_id`, and that of a clustered collection, come with the collection. */
function indexesOf({ indexes }: BackupCollection): Document[] {
  return indexes.map(documentOf).filter(({ name, clustered }) => name !== '_id_' && clustered !== true)
}

function documentOf(value: BackupCollection['options']): Document {
  return BSON.EJSON.deserialize(value, { relaxed: false })
}
