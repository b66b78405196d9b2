import { gunzipSync } from 'node:zlib'
import { BSON, type Document } from 'mongodb'

/**
 * Reads what mongorestore reads, as mongodump's documentation and its archive specification describe it, and with nothing of
 * ours: gzip by zlib as a whole, documents and metadata by the driver's BSON.
 */
export interface DumpedCollection {
  readonly metadata: Document
  readonly documents: readonly Document[]
  /** The bytes of the documents. */
  readonly raw: Buffer
}

const unpromoted = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true }

/** @param files The files of a dump's folder, by path. */
export function readDumpFolder(files: ReadonlyMap<string, Buffer>, database: string): Map<string, DumpedCollection> {
  const found = new Map<string, DumpedCollection>()
  const contentOf = (path: string) => {
    const plain = files.get(path)
    const compressed = files.get(`${path}.gz`)
    return plain ?? (compressed === undefined ? undefined : gunzipSync(compressed))
  }
  for (const path of files.keys()) {
    const name = /^[^/]+\/(.*)\.metadata\.json(\.gz)?$/.exec(path)?.[1]
    if (name === undefined || !path.startsWith(`${database}/`)) continue
    const metadata = metadataOf(contentOf(`${database}/${name}.metadata.json`) ?? Buffer.alloc(0))
    const stored = metadata.type === 'timeseries' ? `system.buckets.${name}` : name
    const raw = contentOf(`${database}/${stored}.bson`) ?? Buffer.alloc(0)
    found.set(decodeURIComponent(name), { metadata, raw, documents: documentsOf(raw) })
  }
  return found
}

/** @throws Error where it is not as the specification says. */
export function readDumpArchive(archive: Buffer): Map<string, DumpedCollection> {
  const bytes = archive.readUInt16BE(0) === 0x1f8b ? gunzipSync(archive) : archive
  if (bytes.readUInt32LE(0) !== 0x8199e26d) throw new Error('no magic number')
  const metadata = new Map<string, string>()
  const data = new Map<string, Buffer[]>()
  const ended = new Set<string>()
  let at = 4
  const isTerminator = () => bytes.readUInt32LE(at) === 0xffffffff
  const take = () => {
    const document = bytes.subarray(at, at + bytes.readInt32LE(at))
    at += document.length
    return document
  }
  const header = BSON.deserialize(take())
  if (header.version !== '0.1' || header.concurrent_collections !== 1) throw new Error('another header')
  for (; !isTerminator(); ) {
    const { collection, metadata: text } = BSON.deserialize(take())
    metadata.set(collection, text)
  }
  at += 4
  while (at < bytes.length) {
    const { collection, EOF, CRC } = BSON.deserialize(take(), { promoteLongs: false })
    if (EOF) {
      ended.add(collection)
      const crc = crc64(Buffer.concat(data.get(collection) ?? []))
      if (BigInt.asUintN(64, CRC.toBigInt()) !== crc) throw new Error(`the CRC of ${collection} is another`)
    }
    while (!isTerminator()) data.set(collection, [...(data.get(collection) ?? []), take()])
    at += 4
  }
  const found = new Map<string, DumpedCollection>()
  for (const [collection, text] of metadata) {
    const described = text === '' ? {} : metadataOf(Buffer.from(text))
    const stored = described.type === 'timeseries' ? `system.buckets.${collection}` : collection
    if (described.type !== 'view' && !ended.has(stored)) throw new Error(`${collection} has no end`)
    const raw = Buffer.concat(data.get(stored) ?? [])
    found.set(collection, { metadata: described, raw, documents: documentsOf(raw) })
  }
  return found
}

function metadataOf(text: Buffer): Document {
  return BSON.EJSON.parse(text.toString(), { relaxed: false }) as Document
}

function documentsOf(raw: Buffer): Document[] {
  const documents: Document[] = []
  for (let at = 0; at < raw.length; ) {
    const length = raw.readInt32LE(at)
    documents.push(BSON.deserialize(raw.subarray(at, at + length), unpromoted))
    at += length
  }
  return documents
}

/** Bit by bit, as the definition of CRC-64/XZ has it. */
function crc64(bytes: Buffer): bigint {
  let crc = 0xffffffffffffffffn
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n
  }
  return crc ^ 0xffffffffffffffffn
}
