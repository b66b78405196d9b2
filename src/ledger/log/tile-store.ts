import {
  type AnyBulkWriteOperation,
  Binary,
  BSON,
  type ClientSession,
  type Collection,
  type Document,
  type Filter,
  type FindCursor,
  type FindOptions,
  ObjectId,
} from 'mongodb'
import { rawIn } from '../../core/raw-documents.js'
import { inSession } from '../../core/repository/in-session.js'
import { hashBytes } from '../entry/hash-bytes.js'
import type { Tile } from './log-entities.js'
import { type LeafRange, MerkleFrontier, perfectRoot, perfectSubtrees } from './merkle-tree.js'
import { joinParts, perfectParts, sliceOf, type TilePosition, tileWidth } from './tile.js'

const tilesInMemory = 64

/** Tile hashes: what a tile has. */
export interface TileHashes {
  readonly index: number
  readonly hashes: Buffer
}

/** A tile is not there, or is short. */
export class MissingLeavesError extends Error {
  override readonly name = 'MissingLeavesError'
}

/** For `catch`: gives this where leaves are missing; whatever else failed is thrown on. */
export function whereMissing<Value>(value: Value): (error: unknown) => Value {
  return (error) => {
    if (error instanceof MissingLeavesError) return value
    throw error
  }
}

/** Keeps the hashes of the Merkle tree, in tiles. */
export class TileStore {
  readonly #collection: () => Collection<Tile>

  constructor(collection: () => Collection<Tile>) {
    this.#collection = collection
  }

  /** The root of a range of the tree that RFC 6962 has a node for. */
  async rootOf(range: LeafRange): Promise<Buffer> {
    const [root] = await this.rootsOf([range])
    return root as Buffer
  }

  /** The roots of ranges that RFC 6962 has nodes for; reads as many tiles as the tree has levels, and a few more. */
  async rootsOf(ranges: readonly LeafRange[]): Promise<Buffer[]> {
    const tiles = await this.#read(ranges.flatMap(perfectParts).map(sliceOf))
    const rootOf = (part: LeafRange): Buffer => {
      const { first, count, ...place } = sliceOf(part)
      const hashes = tiles.get(nameOf(place))?.subarray(first * hashBytes, (first + count) * hashBytes)
      if (hashes?.length !== count * hashBytes)
        throw new MissingLeavesError(`The tree has no leaves ${part.begin} to ${part.end}`)
      return perfectRoot(hashes)
    }
    return ranges.map((range) => joinParts(perfectParts(range).map(rootOf)))
  }

  /** What it takes to append leaves to the tree of this size. */
  async frontier(size: number): Promise<MerkleFrontier> {
    return new MerkleFrontier(size, await this.rootsOf(perfectSubtrees(size)))
  }

  /** The leaf hashes of a tile, at once for many; undefined for one that is not there. */
  async leafTiles(indexes: readonly number[]): Promise<Map<number, Buffer>> {
    const tiles = await this.#find({ level: 0, index: { $in: [...indexes] } }, {}).toArray()
    return new Map(tiles.map(({ index, hashes }) => [index, bytesOf(hashes)]))
  }

  /** The tiles of the leaves from one on, up to the size. What is missing is not made up for: a tile may be short, or not come. */
  leaves(from: number, size: number): AsyncGenerator<TileHashes, void, undefined> {
    return this.ofLevel(0, from, size)
  }

  /** The same for the hashes of another level. */
  async *ofLevel(level: number, from: number, size: number): AsyncGenerator<TileHashes, void, undefined> {
    const cursor = this.#find(
      { level, index: { $gte: Math.floor(from / tileWidth), $lt: Math.ceil(size / tileWidth) } },
      { sort: { index: 1 }, batchSize: tilesInMemory },
    )
    for await (const { index, hashes } of cursor) {
      const wanted = Math.min(tileWidth, size - index * tileWidth)
      yield { index, hashes: bytesOf(hashes).subarray(0, wanted * hashBytes) }
    }
  }

  /** Appends leaves to the tree of this size, in the transaction of the session. Whatever lies behind the size is dropped. */
  async append(size: number, leafHashes: readonly Buffer[], session: ClientSession): Promise<void> {
    let [first, hashes] = [size, leafHashes]
    for (let level = 0; hashes.length > 0; level += 1) {
      const index = Math.floor(first / tileWidth)
      const begun = await this.#begun({ level, index }, first % tileWidth, session)
      const tiles = inTiles(begun, hashes)
      const writes = tiles.map((bytes, at): AnyBulkWriteOperation<Tile> => {
        const place = { level, index: index + at }
        const update = { $set: { hashes: new Binary(bytes) }, $setOnInsert: { _id: new ObjectId() } }
        return { updateOne: { filter: place, update, upsert: true } }
      })
      await this.#collection().bulkWrite(writes, { session, ordered: true })
      hashes = tiles.filter((bytes) => bytes.length === tileWidth * hashBytes).map(perfectRoot)
      first = index
    }
  }

  /** The hashes that a tile has already. */
  async #begun({ level, index }: TilePosition, count: number, session: ClientSession): Promise<Buffer> {
    if (count === 0) return Buffer.alloc(0)
    const tile = await this.#find({ level, index }, inSession(session)).next()
    const bytes = tile === null ? Buffer.alloc(0) : bytesOf(tile.hashes)
    if (bytes.length < count * hashBytes)
      throw new MissingLeavesError(`The tile ${level}/${index} has not ${count} hashes`)
    return bytes.subarray(0, count * hashBytes)
  }

  /** Every document there is, as it is stored. */
  documents(): AsyncIterable<Buffer> {
    return rawIn(this.#collection().find({}, { raw: true, batchSize: tilesInMemory }))
  }

  /** What else somebody has put into a tile is not read: it could be anything. */
  #find(filter: Document, options: FindOptions): FindCursor<FoundTile> {
    const projection = { _id: 0, level: 1, index: 1, hashes: 1 }
    return this.#collection()
      .find(filter as Filter<Tile>, { ...options, projection, raw: true })
      .map(tileOf)
  }

  async #read(positions: readonly TilePosition[]): Promise<Map<string, Buffer>> {
    const wanted = new Map(positions.map(({ level, index }) => [nameOf({ level, index }), { level, index }]))
    if (wanted.size === 0) return new Map()
    const levels = [...new Set(positions.map(({ level }) => level))]
    const conditions = levels.map((level) => {
      const ofLevel = [...wanted.values()].filter((place) => place.level === level)
      return { level, index: { $in: ofLevel.map(({ index }) => index) } }
    })
    const tiles = await this.#find({ $or: conditions }, {}).toArray()
    return new Map(tiles.map((tile) => [nameOf(tile), bytesOf(tile.hashes)]))
  }
}

interface FoundTile extends TilePosition {
  readonly hashes: unknown
}

/** The driver cannot read everything that the server stores. */
function tileOf(bytes: unknown): FoundTile {
  try {
    return BSON.deserialize(bytes as Buffer) as FoundTile
  } catch {
    return { level: Number.NaN, index: Number.NaN, hashes: undefined }
  }
}

function nameOf({ level, index }: TilePosition): string {
  return `${level}/${index}`
}

/** Nothing, for what is not stored as bytes: it was tampered with. */
function bytesOf(binary: unknown): Buffer {
  if (!(binary instanceof Binary)) return Buffer.alloc(0)
  return Buffer.from(binary.buffer.buffer, binary.buffer.byteOffset, binary.length())
}

/** The hashes behind those of a begun tile, cut into tiles. */
function inTiles(begun: Buffer, hashes: readonly Buffer[]): Buffer[] {
  const all = Buffer.concat([begun, ...hashes])
  const tileBytes = tileWidth * hashBytes
  return Array.from({ length: Math.ceil(all.length / tileBytes) }, (_, at) =>
    all.subarray(at * tileBytes, (at + 1) * tileBytes),
  )
}
