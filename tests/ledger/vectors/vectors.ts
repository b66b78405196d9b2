import { chainVectors } from './chain-vectors.js'
import { entryVectors } from './entry-vectors.js'
import { fileVectors } from './file-vectors.js'
import { keyVectors } from './key-vectors.js'
import { proofVectors } from './proof-vectors.js'
import type { Vector } from './vector.js'

/** What is in docs/ledger-vectors, by the name of the file. */
export const vectorFiles: Readonly<Record<string, readonly Vector[]>> = {
  'entries.json': entryVectors,
  'files.json': [...fileVectors, ...chainVectors],
  'keys.json': keyVectors,
  'proofs.json': proofVectors,
}

export const formatVectors = (vectors: readonly Vector[]) => `${JSON.stringify(vectors, null, 2)}\n`
