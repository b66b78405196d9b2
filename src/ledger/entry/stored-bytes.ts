import { hash } from 'node:crypto'
import { leafDomain } from './hash.js'

/** An entry in the bytes in which MongoDB stores it, somewhere in a larger buffer. */
export interface StoredBytes {
  readonly buffer: Buffer
  readonly start: number
  readonly length: number
}

const digits = 64
const documentEnd = 1
/** The type, name, length, digits and final zero of the last two fields. */
const hashElement = 1 + 'hash\0'.length + 4 + digits + 1
const previousHashElement = 1 + 'previousHash\0'.length + 4 + digits + 1
const hashFromEnd = documentEnd + hashElement
const previousHashFromEnd = hashFromEnd + previousHashElement

/** Where the first fields are, which are all of a fixed size. */
const idAt = 4 + 1 + '_id\0'.length
const formatVersionAt = idAt + 12 + 1 + 'formatVersion\0'.length
const switchIdAt = formatVersionAt + 8 + 1 + 'switchId\0'.length
const sequenceAt = switchIdAt + 12 + 1 + 'sequence\0'.length
const smallest = sequenceAt + 8 + previousHashFromEnd

/** Bytes that must stand between the values, and where. */
interface Marks {
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

const marksFromStart = marksOf([
  [4, '\x07_id\0'],
  [idAt + 12, '\x01formatVersion\0'],
  [formatVersionAt + 8, '\x07switchId\0'],
  [switchIdAt + 12, '\x01sequence\0'],
])
const marksFromEnd = marksOf([
  [-previousHashFromEnd, '\x02previousHash\0\x41\0\0\0'],
  [-hashFromEnd, '\x02hash\0\x41\0\0\0'],
  // The hash covers nothing of its own field: the zero that ends it is looked at here.
  [-2, '\0\0'],
])

function marksOf(texts: readonly (readonly [at: number, text: string])[]): Marks {
  return {
    offsets: Int32Array.from(texts.flatMap(([at, text]) => Array.from(text, (_, n) => at + n))),
    bytes: Buffer.from(texts.map(([, text]) => text).join(''), 'latin1'),
  }
}

function hasMarks(buffer: Buffer, origin: number, { offsets, bytes }: Marks): boolean {
  for (let n = 0; n < bytes.length; n += 1) {
    if (buffer[origin + (offsets[n] as number)] !== bytes[n]) return false
  }
  return true
}

/** Whether the first and last fields are those of an entry, in their places. What is between them is the hash's business. */
export function isLaidOut({ buffer, start, length }: StoredBytes): boolean {
  return length >= smallest && hasMarks(buffer, start, marksFromStart) && hasMarks(buffer, start + length, marksFromEnd)
}

let scratch = Buffer.concat([leafDomain, Buffer.alloc(4096)])

/**
 * The hash that the bytes have: over everything but the last field. Nothing is decoded: an added field, another type or
 * another order of fields changes it as an edited value does. 64 hexadecimal digits.
 */
export function computedHash({ buffer, start, length }: StoredBytes): string {
  const bodyLength = length - hashFromEnd
  const prefix = leafDomain.length
  if (scratch.length < prefix + bodyLength + 1) scratch = Buffer.concat([leafDomain, Buffer.alloc(2 * bodyLength)])
  buffer.copy(scratch, prefix, start, start + bodyLength)
  scratch.writeInt32LE(bodyLength + 1, prefix)
  scratch[prefix + bodyLength] = 0
  return hash('sha256', scratch.subarray(0, prefix + bodyLength + 1), 'hex')
}

/** The hash that the entry carries. */
export function carriedHash({ buffer, start, length }: StoredBytes): string {
  const end = start + length - documentEnd - 1
  return buffer.toString('latin1', end - digits, end)
}

/** The hash of the entry before it, as it says. */
export function previousHash({ buffer, start, length }: StoredBytes): string {
  const end = start + length - hashFromEnd - 1
  return buffer.toString('latin1', end - digits, end)
}

/** The id of the switch as 12 characters: a key for maps that is cheap to make. */
export function chainKey({ buffer, start }: StoredBytes): string {
  return buffer.toString('latin1', start + switchIdAt, start + switchIdAt + 12)
}

/** The id of the switch in hexadecimal. */
export function switchIdOf(key: string): string {
  return Buffer.from(key, 'latin1').toString('hex')
}

/** The key of a switch's id. */
export function keyOfSwitchId(switchId: string): string {
  return Buffer.from(switchId, 'hex').toString('latin1')
}

export function sequenceOf({ buffer, start }: StoredBytes): number {
  return buffer.readDoubleLE(start + sequenceAt)
}

export function formatVersionOf({ buffer, start }: StoredBytes): number {
  return buffer.readDoubleLE(start + formatVersionAt)
}

/** The entry's own id in hexadecimal. */
export function entryIdOf({ buffer, start }: StoredBytes): string {
  return buffer.toString('hex', start + idAt, start + idAt + 12)
}

/** The hash of an entry's stored bytes, if they are those of an entry that has the hash it carries. */
export function hashEntry(stored: Buffer): Buffer | undefined {
  const bytes = { buffer: stored, start: 0, length: stored.length }
  if (stored.length < 4 || stored.readInt32LE(0) !== stored.length || !isLaidOut(bytes)) return undefined
  const computed = computedHash(bytes)
  return computed === carriedHash(bytes) ? Buffer.from(computed, 'hex') : undefined
}
