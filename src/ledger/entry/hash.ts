import { hash } from 'node:crypto'
import { entryBytes, type UnhashedEntry } from './entry-bytes.js'

/** The `previousHash` of the first entry of a chain. */
export const genesisHash = '0'.repeat(64)

/** The leaf prefix of RFC 6962, section 2.1, and the name of what is hashed. */
export const leafDomain: Uint8Array = Buffer.from('\x00autovolt-ledger-entry\n', 'latin1')

/**
 * The hash of an entry: its RFC 6962 leaf hash, SHA-256 over 0x00, a domain tag and the entry's BSON without the hash. It
 * covers every other field, the previous hash and the format version. 64 hexadecimal digits.
 */
export function generateHash(entry: UnhashedEntry): string {
  return hash('sha256', entryBytes(leafDomain, entry), 'hex')
}
