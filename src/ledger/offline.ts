// What an auditor needs: pure, no database, no network.
export type { LedgerEntry } from './entry.js'
export { generateHash, genesisHash } from './hash.js'
