import { hash } from 'node:crypto'
import { Binary } from 'mongodb'
import type { LedgerEntry } from './entry.js'
import { entryBytes, type UnhashedEntry } from './entry-bytes.js'
import { leafDomain } from './hash.js'

/** An entry with its hash, and the bytes in which MongoDB stores it. */
export interface SealedEntry {
  readonly entry: LedgerEntry
  readonly bytes: Buffer
}

/** The type and name of the last field, and the length and subtype of its value. */
const hashElement = Buffer.from('\x05hash\0\x20\0\0\0\0', 'latin1')

/** Gives the entry its hash. What is hashed is stored as it is: nothing is serialized a second time. */
export function seal(unhashed: UnhashedEntry): SealedEntry {
  const hashed = entryBytes(leafDomain, unhashed)
  const digest = hash('sha256', hashed, 'buffer')
  const bytes = Buffer.allocUnsafe(hashed.length - leafDomain.length + hashElement.length + digest.length)
  hashed.copy(bytes, 0, leafDomain.length)
  // Where the document without it ended, and behind it the end.
  const end = bytes.length - 1
  digest.copy(bytes, end - digest.length)
  hashElement.copy(bytes, end - digest.length - hashElement.length)
  bytes[end] = 0
  bytes.writeInt32LE(bytes.length, 0)
  return { entry: Object.assign(unhashed, { hash: new Binary(digest) }), bytes }
}
