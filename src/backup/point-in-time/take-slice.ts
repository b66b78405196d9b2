import { randomBytes } from 'node:crypto'
import type { Db } from 'mongodb'
import { DatabaseError, NotFoundError } from '../../core/errors.js'
import type { KeyRing } from '../../core/key-ring.js'
import type { SignerKey } from '../../ledger/log/signed-note.js'
import { type Block, BlockBuilder } from '../format/bson-blocks.js'
import { encodeContent, Measured } from '../format/file-content.js'
import { keyName, keyPlace } from '../format/names.js'
import { formatSignedJson, signJson } from '../format/signed-json.js'
import { packageVersion } from '../package-version.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { type ChainEnd, chainEnds } from './chain-end.js'
import { type History, openHistory } from './history.js'
import { keptOf, markOf, unreplayablePart } from './oplog-entry.js'
import { comparePositions } from './position.js'
import { entriesName, newSliceId, type SliceContent, sliceFolderOf, sliceManifestName } from './slice-format.js'

export interface TakeSliceOptions {
  readonly timeline: string
  /** Collections that are in no backup. */
  readonly left: readonly string[]
  /** Seals the data key of the slice; undefined for one that is not encrypted. */
  readonly keyRing: KeyRing | undefined
  readonly signers: readonly SignerKey[]
  readonly now: () => Date
  /** Changes something in the database: what a change stream has shown before that is complete. */
  readonly change: () => Promise<void>
  readonly signal?: AbortSignal
}

/**
 * Stores what has happened to the database since the last slice, or since the newest backup where there is none.
 * @returns null if nothing has happened in the whole replica set.
 * @throws NotFoundError if there is no backup yet. DatabaseError `HISTORY_LOST` if the history no longer has what comes after
 * the last slice and no later backup is there, `STORAGE`, `CONFIGURATION`.
 */
export async function takeSlice(
  database: Db,
  storage: StorageAccess,
  options: TakeSliceOptions,
): Promise<SliceContent | null> {
  const history = await openHistory(database, options.change)
  const [chainEnd, ...others] = await chainEnds(database.databaseName, storage, options.timeline, history.source)
  if (chainEnd === undefined)
    throw new NotFoundError('backup', `one of ${database.databaseName} in ${storage.name}: slices go on from a backup`)
  try {
    return await writeSlice(database, storage, chainEnd, history, options)
  } catch (error) {
    const [base] = others
    if (base === undefined || !(error instanceof DatabaseError) || error.code !== 'HISTORY_LOST') throw error
    return writeSlice(database, storage, base, history, options)
  }
}

async function writeSlice(
  database: Db,
  storage: StorageAccess,
  { after, previous, base, token }: ChainEnd,
  history: History,
  { timeline, left, keyRing, signers, now, signal }: TakeSliceOptions,
): Promise<SliceContent | null> {
  if (comparePositions(history.last, after) <= 0) return null
  const { databaseName: name } = database
  const id = newSliceId(after, history.last)
  const folder = sliceFolderOf({ database: name, timeline, id })
  const path = entriesName(keyRing !== undefined)
  const dataKey = keyRing === undefined ? undefined : randomBytes(32)
  if (keyRing !== undefined && dataKey !== undefined) {
    const sealed = keyRing.seal(dataKey.toString('base64'), keyPlace(folder))
    await storage.write(`${folder}/${keyName}`, once(Buffer.from(sealed)))
  }
  const found = { entries: 0, bsonBytes: 0, unreplayable: [] as SliceContent['unreplayable'] }
  const blocks = keptBlocks(history.entries({ after, token }, signal), name, left, found)
  const sealing = dataKey === undefined ? undefined : { dataKey, place: `${folder}/${path}` }
  const measured = new Measured()
  const stored = encodeContent(bytesOf(blocks), { isCompressed: true, sealing })
  await storage.write(`${folder}/${path}`, measured.through(stored))
  const hello = await database.command({ hello: 1 })
  const content: SliceContent = {
    format: 'autovolt-slice/1',
    id,
    database: name,
    timeline,
    replicaSet: typeof hello.setName === 'string' ? hello.setName : null,
    serverVersion: String((await database.command({ buildInfo: 1 })).version),
    packageVersion,
    createdAt: now().toISOString(),
    source: history.source,
    ...(await history.end(token)),
    after,
    previous,
    base,
    ...found,
    encryption: keyRing === undefined ? 'none' : 'AES-256-GCM',
    file: { path, ...measured.result() },
  }
  signal?.throwIfAborted()
  const manifest = formatSignedJson(signJson('slice', content, signers))
  await storage.write(`${folder}/${sliceManifestName}`, once(Buffer.from(manifest)))
  return content
}

/** More need not be named: an instant after the first cannot be reached. */
const namedUnreplayable = 100

/** The entries in blocks; counts them, and notes what a replay cannot do. */
async function* keptBlocks(
  entries: AsyncIterable<Buffer>,
  database: string,
  left: readonly string[],
  found: { entries: number; bsonBytes: number; unreplayable: SliceContent['unreplayable'] },
): AsyncGenerator<Block, void, undefined> {
  const builder = new BlockBuilder()
  for await (const entry of entries) {
    const kept = keptOf(entry, database, (collection) => !left.includes(collection))
    if (kept === undefined) continue
    const what = unreplayablePart(kept, database)
    if (what !== undefined && found.unreplayable.length < namedUnreplayable) {
      const { seconds, increment } = markOf(kept)
      found.unreplayable.push({ seconds, increment, what: what.slice(0, 500) })
    }
    found.entries += 1
    found.bsonBytes += kept.length
    const block = builder.add(kept, 0, kept.length)
    if (block !== undefined) yield block
  }
  const rest = builder.take()
  if (rest !== undefined) yield rest
}

async function* bytesOf(blocks: AsyncIterable<Block>): AsyncGenerator<Buffer, void, undefined> {
  for await (const { bytes } of blocks) yield bytes
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes
}
