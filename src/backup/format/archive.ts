import { type Block, documentLength } from './bson-blocks.js'
import type { ByteReader } from './byte-reader.js'
import { Crc64 } from './crc64.js'
import { FormatError } from './format-error.js'
import { manifestCollection } from './names.js'
import { decodePlain, encodePlain } from './plain-bson.js'

/**
 * mongodump's archive: a magic number, a header, the metadata of each collection; then the documents of the collections in
 * segments, and after the last of each its end with a CRC-64. Of ours the last collection has the manifest.
 * https://github.com/mongodb/mongo-tools, common/archive/spec.md
 */
const magic = Buffer.from([0x6d, 0xe2, 0x99, 0x81])
const terminator = Buffer.from([0xff, 0xff, 0xff, 0xff])
const formatVersion = '0.1'

export interface ArchivePrelude {
  readonly serverVersion: string
  readonly toolVersion: string
  readonly collections: readonly ArchiveCollection[]
}

export interface ArchiveCollection {
  readonly database: string
  readonly name: string
  /** Extended JSON; empty where there is none. */
  readonly metadata: string
  readonly type: string
}

export function encodePrelude({ serverVersion, toolVersion, collections }: ArchivePrelude): Buffer {
  const header = {
    concurrent_collections: 1,
    version: formatVersion,
    server_version: serverVersion,
    tool_version: toolVersion,
  }
  const listed = collections.map(({ database, name, metadata, type }) =>
    encodePlain({ db: database, collection: name, metadata, size: 0, type }),
  )
  return Buffer.concat([magic, encodePlain(header), ...listed, terminator])
}

/** The documents of a collection, with their headers and their end. */
export async function* encodeCollection(
  database: string,
  collection: string,
  blocks: AsyncIterable<Block> | Iterable<Block>,
): AsyncGenerator<Buffer, void, undefined> {
  const crc = new Crc64()
  const namespace = { db: database, collection }
  const start = encodePlain({ ...namespace, EOF: false, CRC: 0n })
  for await (const { bytes } of blocks) {
    crc.update(bytes)
    yield start
    yield bytes
    yield terminator
  }
  yield encodePlain({ ...namespace, EOF: true, CRC: crc.digest() })
  yield terminator
}

/** The end of an archive of ours. What is in it depends on the manifest alone, so a reader can compare it byte by byte. */
export async function encodeArchiveEnd(database: string, manifest: string): Promise<Buffer> {
  const document = encodePlain({ manifest })
  const parts: Buffer[] = []
  for await (const part of encodeCollection(database, manifestCollection, [{ bytes: document, documents: 1 }]))
    parts.push(part)
  return Buffer.concat(parts)
}

export async function readPrelude(reader: ByteReader): Promise<ArchivePrelude> {
  if (!(await reader.read(magic.length)).equals(magic)) throw new FormatError('it does not begin as an archive does')
  const header = decodePlain(await readDocument(reader))
  const collections: ArchiveCollection[] = []
  while (!(await isTerminator(reader))) {
    const { db, collection, metadata = '', type = '' } = decodePlain(await readDocument(reader))
    collections.push({ database: String(db), name: String(collection), metadata: String(metadata), type: String(type) })
  }
  await reader.read(terminator.length)
  return { serverVersion: String(header.server_version), toolVersion: String(header.tool_version), collections }
}

/** A piece of an archive's body: documents of a collection, or its end. */
export type ArchivePart =
  | { readonly database: string; readonly collection: string; readonly documents: AsyncIterable<Buffer> }
  | { readonly database: string; readonly collection: string; readonly crc: bigint }

/** The parts, in their order. The documents of one have to be read before the next part is asked for. */
export async function* readParts(reader: ByteReader): AsyncGenerator<ArchivePart, void, undefined> {
  while (!(await reader.isAtEnd())) {
    const { db, collection, EOF, CRC } = decodePlain(await readDocument(reader))
    const namespace = { database: String(db), collection: String(collection) }
    if (EOF === true) {
      await requireTerminator(reader)
      yield { ...namespace, crc: BigInt.asUintN(64, BigInt(CRC ?? 0)) }
    } else yield { ...namespace, documents: readSegment(reader) }
  }
}

async function* readSegment(reader: ByteReader): AsyncGenerator<Buffer, void, undefined> {
  while (!(await isTerminator(reader))) yield await readDocument(reader)
  await reader.read(terminator.length)
}

async function readDocument(reader: ByteReader): Promise<Buffer> {
  const head = await reader.peek(4)
  if (head.length < 4) throw new FormatError(`it is cut off after ${reader.position + head.length} bytes`)
  const document = await reader.read(documentLength(head, 0))
  if (document.at(-1) !== 0) throw new FormatError('a BSON document does not end with a zero byte')
  return document
}

async function isTerminator(reader: ByteReader): Promise<boolean> {
  return (await reader.peek(terminator.length)).equals(terminator)
}

async function requireTerminator(reader: ByteReader): Promise<void> {
  if (!(await reader.read(terminator.length)).equals(terminator))
    throw new FormatError('the end of a collection in the archive is not where it has to be')
}
