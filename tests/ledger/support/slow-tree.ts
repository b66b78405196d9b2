import { createHash } from 'node:crypto'

/** SHA-256 over the bytes, one after the other. */
export function sha256(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** The hash of a leaf's input (RFC 6962, section 2.1). */
export function leafHashOf(input: Uint8Array): Buffer {
  return sha256(Buffer.of(0), input)
}

/** The tree's root straight from the definition in RFC 6962, section 2.1: slow, and easy to check by eye. */
export function slowRoot(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves
  if (first === undefined) return sha256('')
  if (leaves.length === 1) return first
  const k = largestPowerBelow(leaves.length)
  return sha256(Buffer.of(1), slowRoot(leaves.slice(0, k)), slowRoot(leaves.slice(k)))
}

/** PATH(m, D[n]) of RFC 6962, section 2.1.1. */
export function slowInclusion(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return []
  const k = largestPowerBelow(leaves.length)
  if (m < k) return [...slowInclusion(m, leaves.slice(0, k)), slowRoot(leaves.slice(k))]
  return [...slowInclusion(m - k, leaves.slice(k)), slowRoot(leaves.slice(0, k))]
}

/** PROOF(m, D[n]) of RFC 6962, section 2.1.2. */
export function slowConsistency(m: number, leaves: readonly Buffer[]): Buffer[] {
  return slowSubproof(m, leaves, true)
}

function slowSubproof(m: number, leaves: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (m === leaves.length) return isWhole ? [] : [slowRoot(leaves)]
  const k = largestPowerBelow(leaves.length)
  if (m <= k) return [...slowSubproof(m, leaves.slice(0, k), isWhole), slowRoot(leaves.slice(k))]
  return [...slowSubproof(m - k, leaves.slice(k), false), slowRoot(leaves.slice(0, k))]
}

function largestPowerBelow(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** So many different leaf hashes. */
export function someLeaves(count: number): Buffer[] {
  return Array.from({ length: count }, (_, at) => leafHashOf(Buffer.from(`leaf ${at}`)))
}
