import { hash } from 'node:crypto'
import { ExportError } from '../export/export-error.js'
import { entryBytes, type UnhashedEntry } from './entry-bytes.js'

/** The `previousHash` of the first entry of a chain, in hexadecimal. */
export const genesisHash = '0'.repeat(64)

/** The leaf prefix of RFC 6962, section 2.1, and the name of what is hashed. */
export const leafDomain: Uint8Array = Buffer.from('\x00autovolt-ledger-entry\n', 'latin1')

/**
 * The hash of an entry: its RFC 6962 leaf hash, SHA-256 over 0x00, a domain tag and the entry's BSON without the hash. It
 * covers every other field, the previous hash and the format version. 64 hexadecimal digits.
 * @throws ExportError for what is no entry.
 */
export function generateHash(entry: UnhashedEntry): string {
  try {
    return hash('sha256', entryBytes(leafDomain, entry), 'hex')
  } catch (error) {
    // A field is missing, or of another type.
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error
    throw new ExportError('expected the fields of a ledger entry')
  }
}
