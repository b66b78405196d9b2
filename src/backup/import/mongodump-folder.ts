import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { pipeline } from 'node:stream'
import { promisify } from 'node:util'
import { createGunzip, gunzip } from 'node:zlib'
import { BSON, type Document } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import type { BackupSource, PlannedCollection, SourceFacts } from '../dump/dump-source.js'
import { type Block, blocksOf } from '../format/bson-blocks.js'
import { type BackupCollection, storedName } from '../format/manifest.js'
import { packageVersion } from '../package-version.js'

const decompress = promisify(gunzip)
const metadataEnd = /\.metadata\.json(\.gz)?$/

/**
 * Mongodump folder: what mongodump has written for one database. Nothing in it says what state it is of, nor whether it
 * is whole.
 */
export class MongodumpFolder implements BackupSource {
  readonly facts: SourceFacts
  readonly collections: readonly PlannedCollection[]
  /** The file of documents of each collection. */
  readonly #files: ReadonlyMap<string, string>

  private constructor(
    facts: SourceFacts,
    collections: readonly PlannedCollection[],
    files: ReadonlyMap<string, string>,
  ) {
    this.facts = facts
    this.collections = collections
    this.#files = files
  }

  /**
   * @param folder That of mongodump's `--out`, or the folder of a database in it.
   * @param database Which one, where there are several.
   * @throws DatabaseError `CONFIGURATION` if it is no such folder, `BACKUP_DAMAGED` if a file is missing or cannot be read.
   */
  static async open(folder: string, database: string | undefined): Promise<MongodumpFolder> {
    const found = await findDatabase(resolve(folder), database)
    const names = await readdir(found)
    const described = names.filter((name) => metadataEnd.test(name)).toSorted()
    const [collections, files]: [PlannedCollection[], Map<string, string>] = [[], new Map()]
    for (const file of described) {
      const collection = plannedOf(file, await readMetadata(join(found, file)))
      if (collection.name.startsWith('system.') && collection.name !== 'system.js') continue
      collections.push(collection)
      if (collection.type === 'view') continue
      files.set(collection.name, join(found, dataFileFor(file, collection, names)))
    }
    const serverVersion = (await serverVersionOf(found)) ?? (await serverVersionOf(join(found, '..'))) ?? '0'
    const none = {
      clusterTime: null,
      replicaSet: null,
      timeline: null,
      featureCompatibilityVersion: null,
      checkpoint: null,
    }
    return new MongodumpFolder(
      { database: basename(found), serverVersion, packageVersion, isWhole: true, ...none },
      collections,
      files,
    )
  }

  async *read({ name }: PlannedCollection): AsyncGenerator<Block, void, undefined> {
    const file = this.#files.get(name)
    if (file === undefined) return
    const stored = createReadStream(file, { highWaterMark: 1 << 20 })
    try {
      yield* blocksOf(file.endsWith('.gz') ? pipeline(stored, createGunzip(), () => undefined) : stored)
    } catch (error) {
      throw damaged(file, error)
    }
  }

  async requireUnchanged(): Promise<void> {}
}

function damaged(file: string, error: unknown): DatabaseError {
  const problem = error instanceof Error ? error.message : String(error)
  return new DatabaseError('BACKUP_DAMAGED', `${basename(file)} of the dump cannot be read: ${problem}`)
}

async function findDatabase(folder: string, database: string | undefined): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new DatabaseError('CONFIGURATION', `${folder} is no folder that can be read`, { cause })
  })
  if (entries.some(({ name }) => /^oplog\.bson(\.gz)?$/.test(name)))
    throw new DatabaseError(
      'CONFIGURATION',
      'A dump with an oplog (mongodump --oplog) is restored by mongorestore only',
    )
  if (entries.some(({ name }) => metadataEnd.test(name))) return folder
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const [only, ...more] = database === undefined ? folders : folders.filter((name) => name === database)
  if (only !== undefined && more.length === 0) return join(folder, only)
  const there = folders.length === 0 ? 'nothing that mongodump has written' : folders.join(', ')
  throw new DatabaseError('CONFIGURATION', `Name one database of the dump: there is ${there}`)
}

async function contentOf(file: string): Promise<string> {
  const bytes = await readFile(file)
  return (file.endsWith('.gz') ? await decompress(bytes) : bytes).toString()
}

async function readMetadata(file: string): Promise<Document> {
  try {
    return BSON.EJSON.parse(await contentOf(file), { relaxed: false }) as Document
  } catch (error) {
    throw damaged(file, error)
  }
}

/** Tools before 100.0 wrote neither the type nor the name. */
function plannedOf(file: string, metadata: Document): PlannedCollection {
  const { collectionName, options = {}, indexes = [] } = metadata
  const name = collectionName === undefined ? decodeURIComponent(file.replace(metadataEnd, '')) : String(collectionName)
  const type = options.viewOn !== undefined ? 'view' : options.timeseries !== undefined ? 'timeseries' : 'collection'
  return {
    name,
    type,
    isAtClusterTime: false,
    options: canonical(options),
    indexes: (indexes as Document[]).map(({ ns, ...index }) => canonical(index)),
    stored: storedName(name, type),
    uuid: undefined,
  }
}

function canonical(document: Document): BackupCollection['options'] {
  return BSON.EJSON.serialize(document, { relaxed: false }) as BackupCollection['options']
}

function dataFileFor(metadataFile: string, { name, type }: PlannedCollection, names: readonly string[]): string {
  const prefix = type === 'timeseries' ? 'system.buckets.' : ''
  const file = metadataFile.replace(metadataEnd, (_, gz = '') => `.bson${gz}`)
  if (names.includes(`${prefix}${file}`)) return `${prefix}${file}`
  throw new DatabaseError('BACKUP_DAMAGED', `The dump has no documents of ${name}: ${prefix}${file} is missing`)
}

/** Later tools write it beside the databases, or into each. */
async function serverVersionOf(folder: string): Promise<string | undefined> {
  for (const name of ['prelude.json', 'prelude.json.gz']) {
    const text = await contentOf(join(folder, name)).catch(() => undefined)
    if (text === undefined) continue
    const { ServerVersion } = BSON.EJSON.parse(text) as Document
    return typeof ServerVersion === 'string' ? ServerVersion : undefined
  }
  return undefined
}
