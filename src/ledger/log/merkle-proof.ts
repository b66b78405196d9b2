import { emptyRoot, type LeafRange, nodeHash, splitAt } from './merkle-tree.js'

/**
 * The subtrees whose roots prove that a leaf is in a tree, from the leaf upwards (RFC 9162, section 2.1.3.1).
 * @throws RangeError if the tree has no such leaf.
 */
export function inclusionPath(leafIndex: number, size: number): LeafRange[] {
  if (!isIndex(leafIndex) || !isIndex(size) || leafIndex >= size)
    throw new RangeError(`No leaf ${leafIndex} in ${size}`)
  const path: LeafRange[] = []
  let [begin, end] = [0, size]
  while (end - begin > 1) {
    const middle = begin + splitAt(end - begin)
    const isLeft = leafIndex < middle
    path.push(isLeft ? { begin: middle, end } : { begin, end: middle })
    if (isLeft) end = middle
    else begin = middle
  }
  return path.reverse()
}

/**
 * The subtrees whose roots prove that one tree begins with the other (RFC 9162, section 2.1.4.1).
 * @throws RangeError if the first size is 0 or larger than the second.
 */
export function consistencyPath(firstSize: number, secondSize: number): LeafRange[] {
  if (!isIndex(firstSize) || !isIndex(secondSize) || firstSize < 1 || firstSize > secondSize) {
    throw new RangeError(`No consistency of ${firstSize} with ${secondSize}`)
  }
  const path: LeafRange[] = []
  let [begin, end] = [0, secondSize]
  let isOldRoot = true
  while (firstSize !== end) {
    const middle = begin + splitAt(end - begin)
    if (firstSize <= middle) {
      path.push({ begin: middle, end })
      end = middle
    } else {
      path.push({ begin, end: middle })
      begin = middle
      isOldRoot = false
    }
  }
  // The old root itself is known to the verifier.
  if (!isOldRoot) path.push({ begin, end })
  return path.reverse()
}

/** Whether the hashes prove that the leaf is at the index of the tree with the root (RFC 9162, section 2.1.3.2). */
export function provesInclusion(
  leafIndex: number,
  size: number,
  leafHash: Uint8Array,
  hashes: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isIndex(leafIndex) || !isIndex(size) || leafIndex >= size || !hashes.every(isHash)) return false
  let [at, last] = [leafIndex, size - 1]
  let found: Uint8Array = leafHash
  for (const hash of hashes) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      found = nodeHash(hash, found)
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, half(last)]
    } else found = nodeHash(found, hash)
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 && isEqual(found, root)
}

/**
 * Whether the hashes prove that the tree with the second root begins with the tree with the first (RFC 9162, section
 * 2.1.4.2). Every tree begins with the empty one, which takes no hashes.
 */
export function provesConsistency(
  firstSize: number,
  secondSize: number,
  firstRoot: Uint8Array,
  secondRoot: Uint8Array,
  hashes: readonly Uint8Array[],
): boolean {
  if (!isIndex(firstSize) || !isIndex(secondSize) || firstSize > secondSize || !hashes.every(isHash)) return false
  if (firstSize === 0 && !isEqual(firstRoot, emptyRoot)) return false
  if (firstSize === secondSize) return hashes.length === 0 && isEqual(firstRoot, secondRoot)
  if (firstSize === 0) return hashes.length === 0
  const [start, ...rest] = isPowerOfTwo(firstSize) ? [firstRoot, ...hashes] : hashes
  if (start === undefined) return false
  let [at, last] = [firstSize - 1, secondSize - 1]
  while (at % 2 === 1) [at, last] = [half(at), half(last)]
  let [first, second]: Uint8Array[] = [start, start]
  for (const hash of rest) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      first = nodeHash(hash, first as Uint8Array)
      second = nodeHash(hash, second as Uint8Array)
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, half(last)]
    } else second = nodeHash(second as Uint8Array, hash)
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 && isEqual(first as Uint8Array, firstRoot) && isEqual(second as Uint8Array, secondRoot)
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function half(value: number): number {
  return Math.floor(value / 2)
}

function isPowerOfTwo(value: number): boolean {
  return value === 1 || splitAt(value) * 2 === value
}

function isHash(hash: Uint8Array): boolean {
  return hash.length === 32
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
