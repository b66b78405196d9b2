// What an auditor needs: pure, no database, no network.
export type { LedgerEntry } from './entry.js'
export { generateHash, genesisHash } from './hash.js'
export {
  type ConsistencyProof,
  type InclusionProof,
  type ProofVerdict,
  verifyConsistency,
  verifyInclusion,
} from './log/proof.js'
export { generateLogKeys, type LogKeys } from './log/signed-note.js'
