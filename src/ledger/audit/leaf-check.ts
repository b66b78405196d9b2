import { hashBytes, isSameHash, viewOn } from '../entry/hash-bytes.js'
import { tileWidth } from '../log/tile.js'
import type { TileStore } from '../log/tile-store.js'
import { hasEntry, type LeafSegment, type SegmentIndex, segmentWith } from './segment-index.js'

/** Tiles that are kept in memory, 16 kB each: entries come nearly in the order of the tree. */
const maximumTiles = 2000
const noTile = viewOn(new Uint8Array(0))

/** An entry that is to be compared. */
interface OpenLeaf {
  readonly leaves: ChainLeaves
  readonly isBefore: boolean
  readonly leaf: number
  /** The hash that it has, from the place on. */
  readonly bytes: DataView
  readonly at: number
}

/** Compares the entries of one chain with the leaves that the tree has for them, at once or with the next flush. */
export class ChainLeaves {
  /** Entries after the chain's start that have the hashes of their leaves; and others, which are archived. */
  matched = 0
  matchedBefore = 0
  /** Whether an entry has another hash than its leaf. */
  isOther = false
  readonly #check: LeafCheck
  readonly #segments: readonly LeafSegment[]
  readonly #startSequence: number
  #segment: LeafSegment | undefined

  constructor(check: LeafCheck, segments: readonly LeafSegment[], startSequence: number) {
    this.#check = check
    this.#segments = segments
    this.#startSequence = startSequence
  }

  /** @param bytes They have the hash of the entry from the place on, and stay as they are until the next flush. */
  take(sequence: number, bytes: DataView, at: number): void {
    if (this.#segment === undefined || !hasEntry(this.#segment, sequence))
      this.#segment = segmentWith(this.#segments, sequence)
    const segment = this.#segment
    if (segment === undefined) return
    const leaf = segment.firstLeaf + sequence - segment.firstSequence
    this.#check.compare(this, sequence <= this.#startSequence, leaf, bytes, at)
  }
}

/** Compares the hashes of entries with those that the tree has for them. Entries come in any order. */
export class LeafCheck {
  /** Entries whose hashes are those of the tree. */
  matched = 0
  readonly #segments: SegmentIndex
  readonly #tileStore: TileStore
  readonly #size: number
  /** Leaf hashes by tile. */
  readonly #tiles = new Map<number, DataView>()
  readonly #open: OpenLeaf[] = []

  constructor(segments: SegmentIndex, tileStore: TileStore, size: number) {
    this.#segments = segments
    this.#tileStore = tileStore
    this.#size = size
  }

  /** @param startSequence The last entry of the chain that is archived; 0 if none is. */
  leavesOf(chain: string, startSequence: number): ChainLeaves {
    return new ChainLeaves(this, this.#segments.segmentsOf(chain), startSequence)
  }

  compare(leaves: ChainLeaves, isBefore: boolean, leaf: number, bytes: DataView, at: number): void {
    if (leaf >= this.#size) return
    const tile = this.#tiles.get(Math.floor(leaf / tileWidth))
    if (tile === undefined) this.#open.push({ leaves, isBefore, leaf, bytes, at })
    else this.#compare(leaves, isBefore, leaf, bytes, at, tile)
  }

  /** Looks at the entries whose tiles were not in memory. */
  async flush(): Promise<void> {
    if (this.#open.length === 0) return
    const missing = [...new Set(this.#open.map(({ leaf }) => Math.floor(leaf / tileWidth)))]
    const found = await this.#tileStore.leafTiles(missing)
    for (const index of missing) {
      const tile = found.get(index)
      this.#tiles.set(index, tile === undefined ? noTile : viewOn(tile))
    }
    for (const { leaves, isBefore, leaf, bytes, at } of this.#open.splice(0)) {
      const tile = this.#tiles.get(Math.floor(leaf / tileWidth)) ?? noTile
      this.#compare(leaves, isBefore, leaf, bytes, at, tile)
    }
    for (const index of this.#tiles.keys()) {
      if (this.#tiles.size <= maximumTiles) break
      this.#tiles.delete(index)
    }
  }

  #compare(leaves: ChainLeaves, isBefore: boolean, leaf: number, bytes: DataView, at: number, tile: DataView): void {
    const place = (leaf % tileWidth) * hashBytes
    if (place + hashBytes > tile.byteLength || !isSameHash(bytes, at, tile, place)) {
      leaves.isOther = true
      return
    }
    this.matched += 1
    if (isBefore) leaves.matchedBefore += 1
    else leaves.matched += 1
  }
}
