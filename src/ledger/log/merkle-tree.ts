import { hash } from 'node:crypto'
import { hashBytes } from '../entry/hash-bytes.js'

const nodeInput = Buffer.alloc(1 + 2 * hashBytes, 0x01)

/** The hash of an inner node: SHA-256 over 0x01 and its two children (RFC 6962, section 2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + hashBytes)
  return Buffer.from(hashOfInput(), 'latin1')
}

/** As text, a character for each byte: Node takes twice as long to hand over a buffer. */
function hashOfInput(): string {
  return hash('sha256', nodeInput, 'binary')
}

/** The root of a perfect tree: of the hashes beside each other, which are as many as a power of two. */
export function perfectRoot(hashes: Uint8Array): Buffer {
  const level = Buffer.from(hashes)
  for (let length = level.length; length > hashBytes; length /= 2) {
    for (let at = 0; at < length; at += 2 * hashBytes) {
      // Faster than a copy by call.
      for (let n = 0; n < 2 * hashBytes; n += 1) nodeInput[1 + n] = level[at + n] as number
      level.write(hashOfInput(), at / 2, hashBytes, 'latin1')
    }
  }
  return Buffer.from(level.subarray(0, hashBytes))
}

/** The root of a tree without leaves. */
export const emptyRoot: Buffer = hash('sha256', '', 'buffer')

/** Called with the root of each perfect subtree. */
export type SubtreeListener = (leaves: number, root: Buffer) => void

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
  append(leafHash: Uint8Array, onSubtree?: SubtreeListener): void {
    this.appendPerfect(1, leafHash, onSubtree)
  }

  /**
   * Appends as many leaves as a power of two, of which the root is known.
   * @param onSubtree Called with the roots of the larger subtrees that they complete.
   * @throws RangeError unless the tree can have a subtree of so many leaves here.
   */
  appendPerfect(leaves: number, root: Uint8Array, onSubtree?: SubtreeListener): void {
    if (this.#size % leaves !== 0) throw new RangeError(`No subtree of ${leaves} leaves begins at ${this.#size}`)
    let completed: Buffer = Buffer.from(root)
    let width = leaves
    for (let size = this.#size / leaves; size % 2 === 1; size = (size - 1) / 2) {
      completed = nodeHash(this.#roots.pop() as Buffer, completed)
      width *= 2
      onSubtree?.(width, completed)
    }
    this.#roots.push(completed)
    this.#size += leaves
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
