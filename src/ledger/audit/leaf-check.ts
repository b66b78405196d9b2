import { tileWidth } from '../log/tile.js'
import type { TileStore } from '../log/tile-store.js'
import type { EntryListener } from './chain-pass.js'
import { hasEntry, type LeafSegment, type SegmentIndex, segmentWith } from './segment-index.js'

/** Tiles that are kept in memory, 16 kB each: entries come nearly in the order of the tree. */
const maximumTiles = 2000
const hexDigits = 64

/** Compares the hashes of entries with those that the tree has for them. Entries come in any order. */
export class LeafCheck {
  /** Entries whose hashes are those of the tree. */
  matched = 0
  /** Chains that have another hash somewhere. */
  readonly suspects = new Set<string>()
  readonly #segments: SegmentIndex
  readonly #tileStore: TileStore
  readonly #size: number
  /** Leaf hashes in hexadecimal, by tile. */
  readonly #tiles = new Map<number, string>()
  readonly #open: { readonly chain: string; readonly leaf: number; readonly hash: string }[] = []

  constructor(segments: SegmentIndex, tileStore: TileStore, size: number) {
    this.#segments = segments
    this.#tileStore = tileStore
    this.#size = size
  }

  /** Compares the entries of a chain, at once or with the next {@link flush}. */
  listenerOf(chain: string): EntryListener {
    const segments = this.#segments.segmentsOf(chain)
    let segment: LeafSegment | undefined
    return (sequence, hash) => {
      if (segment === undefined || !hasEntry(segment, sequence)) segment = segmentWith(segments, sequence)
      if (segment !== undefined) this.#take(chain, segment.firstLeaf + sequence - segment.firstSequence, hash)
    }
  }

  #take(chain: string, leaf: number, hash: string): void {
    if (leaf >= this.#size) return
    const tile = this.#tiles.get(Math.floor(leaf / tileWidth))
    if (tile === undefined) this.#open.push({ chain, leaf, hash })
    else this.#compare(chain, leaf, hash, tile)
  }

  /** Looks at the entries whose tiles were not in memory. */
  async flush(): Promise<void> {
    if (this.#open.length === 0) return
    const missing = [...new Set(this.#open.map(({ leaf }) => Math.floor(leaf / tileWidth)))]
    const found = await this.#tileStore.leafTiles(missing)
    for (const index of missing) this.#tiles.set(index, found.get(index)?.toString('hex') ?? '')
    for (const { chain, leaf, hash } of this.#open.splice(0)) {
      this.#compare(chain, leaf, hash, this.#tiles.get(Math.floor(leaf / tileWidth)) ?? '')
    }
    for (const index of this.#tiles.keys()) {
      if (this.#tiles.size <= maximumTiles) break
      this.#tiles.delete(index)
    }
  }

  #compare(chain: string, leaf: number, hash: string, tile: string): void {
    // One that is no hash, or a part of one, may come from where it was tampered with.
    const isHash = hash.length === hexDigits
    if (isHash && tile.startsWith(hash, (leaf % tileWidth) * hexDigits)) this.matched += 1
    else this.suspects.add(chain)
  }
}
