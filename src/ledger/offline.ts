/**
 * What an auditor needs: pure, no database, no network.
 *
 * @module @autovolt/data/ledger
 */
export type { AnchorReport, Damage, Finding, VerificationReport } from './audit/finding.js'
export type { LedgerEntry } from './entry/entry.js'
export type { UnhashedEntry } from './entry/entry-bytes.js'
export { generateHash, genesisHash } from './entry/hash.js'
export { ExportError } from './export/export-error.js'
export { type OpenExport, type VerifyExportOptions, verifyExport } from './export/export-verifier.js'
export { UntrustedCheckpointError } from './log/checkpoint-text.js'
export { type ProofVerdict, verifyConsistency, verifyInclusion } from './log/proof.js'
export type { ConsistencyProof, InclusionProof } from './log/proof-form.js'
export { generateLogKeys, type LogKeys, NoteError } from './log/signed-note.js'
export type { WitnessPolicy } from './log/witness-policy.js'
