import { hash } from 'node:crypto'
import { leafDomain } from './hash.js'
import { hashBytes } from './hash-bytes.js'

/** An entry in the bytes in which MongoDB stores it, somewhere in a larger buffer. */
export interface StoredBytes {
  readonly buffer: Buffer
  readonly start: number
  readonly length: number
}

/** More lengths than these are not in use at once. */
const mostInputs = 1000
const documentEnd = 1
/** The type, name, length, subtype and bytes of the last two fields. */
const hashElement = 1 + 'hash\0'.length + 4 + 1 + hashBytes
const previousHashElement = 1 + 'previousHash\0'.length + 4 + 1 + hashBytes
const hashFromEnd = documentEnd + hashElement
const previousHashFromEnd = hashFromEnd + previousHashElement
/** Where the values of the registers are, which come before them. */
const calculatedCostFromEnd = previousHashFromEnd + 8
const cumulativeProductionFromEnd = calculatedCostFromEnd + 1 + 'calculatedCost\0'.length + 8
const cumulativeEnergyFromEnd = cumulativeProductionFromEnd + 1 + 'cumulativeProduction\0'.length + 8

/** Where the first fields are, which are all of a fixed size. */
const idAt = 4 + 1 + '_id\0'.length
const formatVersionAt = idAt + 12 + 1 + 'formatVersion\0'.length
const switchIdAt = formatVersionAt + 8 + 1 + 'switchId\0'.length
const sequenceAt = switchIdAt + 12 + 1 + 'sequence\0'.length
const deviceIdAt = sequenceAt + 8 + 1 + 'deviceId\0'.length
const classroomAt = deviceIdAt + 12 + 1 + 'classroom\0'.length
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
  [-previousHashFromEnd, '\x05previousHash\0\x20\0\0\0\0'],
  [-hashFromEnd, '\x05hash\0\x20\0\0\0\0'],
  // The hash covers nothing of its own field, and not the end of the document behind it.
  [-documentEnd, '\0'],
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

/** Whether the first and last fields are those of an entry, in their positions: its chain, sequence and hash can be read. */
export function isLaidOut({ buffer, start, length }: StoredBytes): boolean {
  return length >= smallest && hasMarks(buffer, start, marksFromStart) && hasMarks(buffer, start + length, marksFromEnd)
}

let scratch = Buffer.concat([leafDomain, Buffer.alloc(4096)])
/** Its beginnings, by how long a body is: entries of one length follow each other, and to make a view takes time. */
const inputs = new Map<number, Buffer>()

function inputFor(bodyLength: number): Buffer {
  const known = inputs.get(bodyLength)
  if (known !== undefined) return known
  const length = leafDomain.length + bodyLength + 1
  if (scratch.length < length) {
    scratch = Buffer.concat([leafDomain, Buffer.alloc(2 * bodyLength)])
    inputs.clear()
  }
  if (inputs.size >= mostInputs) inputs.clear()
  const input = scratch.subarray(0, length)
  inputs.set(bodyLength, input)
  return input
}

/**
 * The hash that the bytes have: over everything but the last field. Nothing is decoded: an added field, another type or
 * another order of fields changes it as an edited value does. 64 hexadecimal digits.
 */
export function computedHash({ buffer, start, length }: StoredBytes): string {
  const bodyLength = length - hashFromEnd
  const prefix = leafDomain.length
  const input = inputFor(bodyLength)
  buffer.copy(input, prefix, start, start + bodyLength)
  input.writeInt32LE(bodyLength + 1, prefix)
  input[prefix + bodyLength] = 0
  return hash('sha256', input, 'hex')
}

/** The hash that the bytes would have with another number in their chain. */
export function hashWithSequence({ buffer, start, length }: StoredBytes, sequence: number): string {
  const copy = Buffer.from(buffer.subarray(start, start + length))
  copy.writeDoubleLE(sequence, sequenceAt)
  return computedHash({ buffer: copy, start: 0, length })
}

/** Where the hash is that the entry carries. */
export function carriedHashAt({ start, length }: StoredBytes): number {
  return start + length - documentEnd - hashBytes
}

/** Where the hash of the entry before it is, as it says. */
export function previousHashAt({ start, length }: StoredBytes): number {
  return start + length - hashFromEnd - hashBytes
}

/** The hash that the entry carries, in hexadecimal. */
export function carriedHash(entry: StoredBytes): string {
  const at = carriedHashAt(entry)
  return entry.buffer.toString('hex', at, at + hashBytes)
}

/** The hash of the entry before it, as it says, in hexadecimal. */
export function previousHash(entry: StoredBytes): string {
  const at = previousHashAt(entry)
  return entry.buffer.toString('hex', at, at + hashBytes)
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

/** The registers of an entry that is one to the byte: W·s, W·s and currency units. */
export function cumulativeEnergyOf({ buffer, start, length }: StoredBytes): number {
  return buffer.readDoubleLE(start + length - cumulativeEnergyFromEnd)
}

export function cumulativeProductionOf({ buffer, start, length }: StoredBytes): number {
  return buffer.readDoubleLE(start + length - cumulativeProductionFromEnd)
}

export function calculatedCostOf({ buffer, start, length }: StoredBytes): number {
  return buffer.readDoubleLE(start + length - calculatedCostFromEnd)
}

/** Whether the entry is of a device, or of a classroom, by the bytes of the id. */
export function isOfDevice({ buffer, start }: StoredBytes, id: Uint8Array): boolean {
  const at = start + deviceIdAt
  return buffer.compare(id, 0, id.length, at, at + id.length) === 0
}

export function isOfClassroom({ buffer, start }: StoredBytes, id: Uint8Array): boolean {
  const at = start + classroomAt
  return buffer.compare(id, 0, id.length, at, at + id.length) === 0
}

/** The entry's own id in hexadecimal. */
export function entryIdOf({ buffer, start }: StoredBytes): string {
  return buffer.toString('hex', start + idAt, start + idAt + 12)
}
