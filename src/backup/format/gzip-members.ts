import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { crc32, gunzip, gzip } from 'node:zlib'
import { blockBytes } from './bson-blocks.js'
import { ByteReader } from './byte-reader.js'
import { FormatError } from './format-error.js'
import { inOrder } from './in-order.js'

const compress = promisify(gzip)
const decompress = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip)

/**
 * A gzip member (RFC 1952) whose extra field says how long the member is, so that a reader finds the next one without
 * decompressing this one: members are independent, and all cores work on them. Every gzip reader takes a file of them.
 */
const fixedHeader = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, 0x41, 0x56, 4, 0])
const headerBytes = fixedHeader.length + 4
const plainHeaderBytes = 10
const trailerBytes = 8
/** What a block can have at most, see `BlockBuilder`, and what a reader takes into memory for it. */
const largestContentBytes = 64 << 20
const largestMemberBytes = largestContentBytes + (1 << 20)
const largestStoredBlock = 0xffff

/** Level 3: twice as fast as the usual 6, for a tenth more bytes. */
const level = 3

/** Compresses each block to a member of its own, in their order, on all cores. */
export function compressMembers(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  return inOrder(blocks, availableParallelism(), async (block) => {
    const member = await compress(block, { level })
    // Its own header has neither time nor name, and is left out.
    return framed(member.subarray(plainHeaderBytes))
  })
}

/** Pieces of at least this size: each member costs some bytes. */
export async function* coalesced(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let [parts, length]: [Buffer[], number] = [[], 0]
  for await (const piece of pieces) {
    parts.push(piece)
    length += piece.length
    if (length < blockBytes) continue
    yield Buffer.concat(parts)
    ;[parts, length] = [[], 0]
  }
  if (length > 0) yield Buffer.concat(parts)
}

/** A member that is not compressed: its bytes depend on the content alone, not on who wrote them. */
export function storedMember(content: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at === 0 || at < content.length; at += largestStoredBlock) {
    const block = content.subarray(at, at + largestStoredBlock)
    const isLast = at + largestStoredBlock >= content.length
    const head = Buffer.alloc(5)
    head[0] = isLast ? 1 : 0
    head.writeUInt16LE(block.length, 1)
    head.writeUInt16LE(0xffff - block.length, 3)
    parts.push(head, block)
  }
  const trailer = Buffer.alloc(trailerBytes)
  trailer.writeUInt32LE(crc32(content))
  trailer.writeUInt32LE(content.length, 4)
  return framed(Buffer.concat([...parts, trailer]))
}

function framed(body: Buffer): Buffer {
  const member = Buffer.allocUnsafe(headerBytes + body.length)
  fixedHeader.copy(member)
  member.writeUInt32LE(member.length, fixedHeader.length)
  body.copy(member, headerBytes)
  return member
}

/** Cuts a file into its members, which are still compressed. @throws FormatError if it is not made of whole ones. */
export async function* splitMembers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  await using reader = new ByteReader(chunks)
  while (!(await reader.isAtEnd())) yield await reader.read(memberLength(await reader.peek(headerBytes)))
}

function memberLength(header: Buffer): number {
  if (header.length < headerBytes) throw new FormatError('it is cut off in the header of a gzip member')
  if (!header.subarray(0, fixedHeader.length).equals(fixedHeader))
    throw new FormatError('a gzip member has another header')
  const length = header.readUInt32LE(fixedHeader.length)
  if (length < headerBytes + trailerBytes || length > largestMemberBytes)
    throw new FormatError(`no gzip member has ${length} bytes`)
  return length
}

/** What the members contain, in their order, decompressed on all cores. @throws FormatError for one that was altered. */
export function decompressMembers(members: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  return inOrder(members, availableParallelism(), decompressMember)
}

async function decompressMember(member: Buffer): Promise<Buffer> {
  try {
    return await decompress(member, { maxOutputLength: largestContentBytes })
  } catch (cause) {
    throw new FormatError('a gzip member cannot be decompressed', { cause })
  }
}
