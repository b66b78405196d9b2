import { type Collection, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError, NotFoundError } from '../../core/errors.js'
import { findInArchives } from '../archive/archive-reader.js'
import type { LedgerEntry } from '../entry/entry.js'
import { chainKey, computedHash, sequenceOf, switchIdOf } from '../entry/stored-bytes.js'
import { entryFault } from '../entry/strict-entry.js'
import { viewsAmong } from '../views.js'
import { CheckpointStore } from './checkpoint-store.js'
import { Checkpointer, type CheckpointerParts, type CheckpointResult } from './checkpointer.js'
import { contradiction } from './known-statements.js'
import type { Segment, StoredCheckpoint, Tile } from './log-entities.js'
import { consistencyPath, inclusionPath, provesInclusion } from './merkle-proof.js'
import type { LeafRange } from './merkle-tree.js'
import { NewEntryReader } from './new-entries.js'
import type { ConsistencyProof, InclusionProof } from './proof-form.js'
import { SegmentStore } from './segment-store.js'
import { hashAt, tileWidth } from './tile.js'
import { TileStore, whereMissing } from './tile-store.js'

/** The names of the log's collections. */
export interface LogCollections {
  readonly entries: string
  readonly checkpoints: string
  readonly tiles: string
  readonly segments: string
}

/** Log signing: who signs checkpoints, whose signatures are believed, and who is asked before. */
export type LogSigning = Pick<CheckpointerParts, 'signers' | 'keys' | 'anchors'>

/** The Merkle tree over the ledger's entries, with its checkpoints and proofs. */
export class TransparencyLog {
  readonly checkpoints: CheckpointStore
  readonly segments: SegmentStore
  readonly tiles: TileStore
  readonly #checkpointer: Checkpointer
  readonly #entries: () => Collection<LedgerEntry>
  readonly #database: Database
  readonly #collections: readonly string[]

  constructor(database: Database, names: LogCollections, signing: LogSigning) {
    this.#database = database
    this.#collections = [names.entries, names.checkpoints, names.tiles, names.segments]
    const journaled = { writeConcern: { w: 'majority', journal: true } } as const
    // What a secondary does not have yet would look as if it were missing.
    const primary = { readPreference: 'primary' } as const
    this.#entries = () => database.native.collection<LedgerEntry>(names.entries, primary)
    this.checkpoints = new CheckpointStore(() =>
      database.native.collection<StoredCheckpoint>(names.checkpoints, { ...journaled, ...primary }),
    )
    this.segments = new SegmentStore(() => database.native.collection<Segment>(names.segments, primary))
    this.tiles = new TileStore(() => database.native.collection<Tile>(names.tiles, primary))
    this.#checkpointer = new Checkpointer({
      database,
      entries: new NewEntryReader(this.#entries),
      checkpoints: this.checkpoints,
      segments: this.segments,
      tiles: this.tiles,
      ...signing,
    })
  }

  /** @throws DatabaseError `LEDGER_DAMAGED` where a view is in the place of one of its collections, or nothing can be signed. */
  async checkpoint(): Promise<CheckpointResult> {
    const [view] = await viewsAmong(this.#database.native, this.#collections)
    if (view !== undefined) throw contradiction(`there is a view in the place of ${view}`)
    return this.#checkpointer.run()
  }

  /** @throws NotFoundError; DatabaseError `NOT_COVERED` if no checkpoint covers the entry yet. */
  async proveInclusion(entryId: ObjectId, archiveFiles: readonly string[]): Promise<InclusionProof> {
    const stored =
      ((await this.#entries().findOne({ _id: entryId }, { raw: true })) as Buffer | null) ??
      (await findInArchives(archiveFiles, entryId.toHexString()))
    if (stored === undefined) throw new NotFoundError('ledger entry', `_id ${entryId.toHexString()}`)
    const bytes = { buffer: stored, start: 0, length: stored.length }
    if (entryFault(bytes) !== undefined) throw damaged(entryId)
    const [leafIndex, newest] = await Promise.all([
      this.segments.leafOf(new ObjectId(switchIdOf(chainKey(bytes))), sequenceOf(bytes)),
      this.checkpoints.newest(),
    ])
    if (leafIndex === undefined || newest === null || leafIndex >= newest.size) throw notCovered()
    const hashes = await this.#rootsOf(inclusionPath(leafIndex, newest.size))
    const leaf = Buffer.from(computedHash(bytes), 'hex')
    if (!provesInclusion(leafIndex, newest.size, leaf, hashes, Buffer.from(newest.rootHash, 'hex')))
      throw notInTree(entryId)
    return {
      kind: 'inclusion',
      entry: stored.toString('base64'),
      leafIndex,
      hashes: hashes.map((hash) => hash.toString('base64')),
      checkpoint: newest.note,
    }
  }

  /** @throws NotFoundError if there is no checkpoint of a size. */
  async proveConsistency(fromSize: number, toSize: number): Promise<ConsistencyProof> {
    const [from, to] = [await this.#ofSize(fromSize), await this.#ofSize(toSize)]
    const hashes = await this.#rootsOf(consistencyPath(fromSize, toSize))
    return { kind: 'consistency', from: from.note, to: to.note, hashes: hashes.map((hash) => hash.toString('base64')) }
  }

  /** The leaf hashes of entries by their sequence numbers, in hexadecimal, as far as there are any. */
  async leafHashes(
    segments: readonly Pick<Segment, 'firstSequence' | 'count' | 'firstLeaf'>[],
  ): Promise<Map<number, string>> {
    const hashes = new Map<number, string>()
    for (const { firstSequence, count, firstLeaf } of segments) {
      const [first, last] = [Math.floor(firstLeaf / tileWidth), Math.floor((firstLeaf + count - 1) / tileWidth)]
      const tiles = await this.tiles.leafTiles(Array.from({ length: last - first + 1 }, (_, at) => first + at))
      for (let at = 0; at < count; at += 1) {
        const leaf = firstLeaf + at
        const tile = tiles.get(Math.floor(leaf / tileWidth))
        if (tile !== undefined) hashes.set(firstSequence + at, hashAt(tile, leaf % tileWidth).toString('hex'))
      }
    }
    return hashes
  }

  async #rootsOf(ranges: readonly LeafRange[]): Promise<Buffer[]> {
    const roots = await this.tiles.rootsOf(ranges).catch(whereMissing(undefined))
    if (roots === undefined) throw missingTile()
    return roots
  }

  async #ofSize(size: number): Promise<StoredCheckpoint> {
    const checkpoint = await this.checkpoints.ofSize(size)
    if (checkpoint === null) throw new NotFoundError('ledger checkpoint', `of ${size} entries`)
    return checkpoint
  }
}

function damaged(entryId: ObjectId): DatabaseError {
  return new DatabaseError(
    'LEDGER_DAMAGED',
    `The entry ${entryId.toHexString()} is not laid out as one: verify the ledger`,
  )
}

function notInTree(entryId: ObjectId): DatabaseError {
  return new DatabaseError(
    'LEDGER_DAMAGED',
    `The Merkle tree does not have the entry ${entryId.toHexString()} where its index says: verify the ledger`,
  )
}

function missingTile(): DatabaseError {
  return new DatabaseError('LEDGER_DAMAGED', 'The Merkle tree lacks some of its tiles: verify the ledger')
}

function notCovered(): DatabaseError {
  return new DatabaseError('NOT_COVERED', 'No checkpoint covers the entry yet: make one', { retryable: true })
}
