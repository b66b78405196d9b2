import { hashBytes } from '../entry/hash-bytes.js'
import { type LeafRange, nodeHash, splitAt } from './merkle-tree.js'

/** Hashes of a full tile, and leaves below each hash of the next level. */
export const tileWidth = 256

/** A tile: 256 hashes of a level, of which level 0 has the leaves and every other the roots of the full tiles below it. */
export interface TilePosition {
  readonly level: number
  readonly index: number
}

/** Hashes beside each other in one tile, which together are one perfect subtree. */
export interface TileSlice extends TilePosition {
  /** The first hash in the tile. */
  readonly first: number
  /** How many of them; a power of two. */
  readonly count: number
}

/** Where the hashes below the root of a perfect subtree are kept. */
export function sliceOf({ begin, end }: LeafRange): TileSlice {
  let level = 0
  let [at, count] = [begin, end - begin]
  while (count >= tileWidth) {
    level += 1
    at /= tileWidth
    count /= tileWidth
  }
  return { level, index: Math.floor(at / tileWidth), first: at % tileWidth, count }
}

/** The perfect subtrees that a range of the tree consists of, from left to right. */
export function perfectParts({ begin, end }: LeafRange): LeafRange[] {
  const leaves = end - begin
  const half = leaves === 1 ? 1 : splitAt(leaves)
  if (leaves === 1 || half * 2 === leaves) return [{ begin, end }]
  return [{ begin, end: begin + half }, ...perfectParts({ begin: begin + half, end })]
}

/** The root of a range from the roots of its perfect parts. */
export function joinParts(roots: readonly Buffer[]): Buffer {
  return roots.reduceRight((right, left) => nodeHash(left, right))
}

export function hashAt(hashes: Buffer, at: number): Buffer {
  return hashes.subarray(at * hashBytes, (at + 1) * hashBytes)
}
