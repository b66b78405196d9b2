import { hash } from 'node:crypto'

export const hashBytes = 32

const nodeInput = Buffer.alloc(1 + 2 * hashBytes, 0x01)

/** The hash of an inner node: SHA-256 over 0x01 and its two children (RFC 6962, section 2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + hashBytes)
  return hash('sha256', nodeInput, 'buffer')
}

/** The root of a tree without leaves. */
export const emptyRoot: Buffer = hash('sha256', '', 'buffer')

/**
 * The roots of the perfect subtrees of a tree, from the largest on the left to the smallest on the right: all that it takes
 * to append leaves and to know the root. One hash for each bit that is set in the size.
 */
export class MerkleFrontier {
  readonly #roots: Buffer[]
  #size: number

  /** @param roots Those of a tree of this size, from left to right. @throws RangeError if they are not as many as its bits. */
  constructor(size = 0, roots: readonly Uint8Array[] = []) {
    const isSize = Number.isSafeInteger(size) && size >= 0
    if (!isSize || perfectSubtrees(size).length !== roots.length || roots.some(({ length }) => length !== hashBytes))
      throw new RangeError(`Not the frontier of ${size} leaves`)
    this.#size = size
    this.#roots = roots.map((root) => Buffer.from(root))
  }

  get size(): number {
    return this.#size
  }

  get roots(): readonly Buffer[] {
    return this.#roots
  }

  /** @param onSubtree Called with the root of each perfect subtree that the leaf completes. */
  append(leafHash: Uint8Array, onSubtree?: (leaves: number, root: Buffer) => void): void {
    let root: Buffer = Buffer.from(leafHash)
    let leaves = 1
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2) {
      root = nodeHash(this.#roots.pop() as Buffer, root)
      leaves *= 2
      onSubtree?.(leaves, root)
    }
    this.#roots.push(root)
    this.#size += 1
  }

  /** The root of the tree of all leaves so far. */
  root(): Buffer {
    const [last, ...others] = this.#roots.toReversed()
    if (last === undefined) return emptyRoot
    return others.reduce((right, left) => nodeHash(left, right), last)
  }
}

/** A range of leaves, the end not included. */
export interface LeafRange {
  readonly begin: number
  readonly end: number
}

/** The largest perfect subtrees of a tree of this size, from left to right. */
export function perfectSubtrees(size: number): LeafRange[] {
  const ranges: LeafRange[] = []
  let begin = 0
  for (let width = 2 ** 52; width >= 1; width /= 2) {
    if (size - begin < width) continue
    ranges.push({ begin, end: begin + width })
    begin += width
  }
  return ranges
}

/** Where RFC 6962 splits so many leaves: the largest power of two that is smaller. */
export function splitAt(leaves: number): number {
  let width = 1
  while (width * 2 < leaves) width *= 2
  return width
}
