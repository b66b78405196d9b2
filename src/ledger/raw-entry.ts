import { hash } from 'node:crypto'
import { BSON } from 'mongodb'
import type { LedgerEntry } from './entry.js'
import { leafDomain } from './hash.js'

const hashElement = Buffer.from('\x02hash\x00\x41\x00\x00\x00', 'latin1')
const hashDigits = 64
/** The hash element, its closing zero and that of the document. */
const tailBytes = hashElement.length + hashDigits + 2

/**
 * The hash over the stored bytes of an entry, and the one that it carries; undefined if its last field is not a hash.
 * Nothing is decoded: an added field, another type or another order of fields changes the bytes as an edited value does.
 */
export function hashesOf(stored: Buffer): { readonly computed: string; readonly carried: string } | undefined {
  const bodyEnd = stored.length - tailBytes
  if (bodyEnd < 5 || stored.compare(hashElement, 0, hashElement.length, bodyEnd, bodyEnd + hashElement.length) !== 0)
    return undefined
  const bytes = Buffer.allocUnsafe(leafDomain.length + bodyEnd + 1)
  bytes.set(leafDomain)
  stored.copy(bytes, leafDomain.length, 0, bodyEnd)
  bytes[bytes.length - 1] = 0
  bytes.writeInt32LE(bodyEnd + 1, leafDomain.length)
  const carried = stored.toString('latin1', bodyEnd + hashElement.length, bodyEnd + hashElement.length + hashDigits)
  return { computed: hash('sha256', bytes, 'hex'), carried }
}

/** The entry in its stored bytes. */
export function decodeEntry(stored: Buffer): LedgerEntry {
  return BSON.deserialize(stored) as LedgerEntry
}
