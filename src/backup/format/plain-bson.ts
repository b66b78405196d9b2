import { FormatError } from './format-error.js'

/** The values that the headers of an archive have: strings, int32, int64 and booleans. */
export type PlainDocument = Readonly<Record<string, string | number | bigint | boolean>>

/** Encodes a header: the pure part of backups knows no driver. */
export function encodePlain(document: PlainDocument): Buffer {
  const parts = Object.entries(document).map(([name, value]) => encodeElement(name, value))
  const length = 4 + parts.reduce((sum, part) => sum + part.length, 0) + 1
  const head = Buffer.alloc(4)
  head.writeInt32LE(length)
  return Buffer.concat([head, ...parts, Buffer.alloc(1)])
}

function encodeElement(name: string, value: PlainDocument[string]): Buffer {
  const element = (type: number, body: Buffer) => Buffer.concat([Buffer.from([type]), Buffer.from(`${name}\0`), body])
  switch (typeof value) {
    case 'string': {
      const text = Buffer.from(`${value}\0`)
      const length = Buffer.alloc(4)
      length.writeInt32LE(text.length)
      return element(0x02, Buffer.concat([length, text]))
    }
    case 'boolean':
      return element(0x08, Buffer.from([value ? 1 : 0]))
    case 'bigint': {
      const body = Buffer.alloc(8)
      body.writeBigInt64LE(BigInt.asIntN(64, value))
      return element(0x12, body)
    }
    default: {
      const body = Buffer.alloc(4)
      body.writeInt32LE(value)
      return element(0x10, body)
    }
  }
}

/** @throws FormatError for what is no such header. */
export function decodePlain(bytes: Buffer): PlainDocument {
  const document: Record<string, PlainDocument[string]> = {}
  try {
    const end = bytes.readInt32LE(0) - 1
    for (let at = 4; at < end; ) {
      const type = bytes[at]
      const nameEnd = bytes.indexOf(0, at + 1)
      const name = bytes.toString('utf8', at + 1, nameEnd)
      const [value, length] = valueAt(bytes, nameEnd + 1, type)
      document[name] = value
      at = nameEnd + 1 + length
    }
  } catch (error) {
    if (error instanceof RangeError) throw new FormatError('a header of the archive is cut off')
    throw error
  }
  return document
}

function valueAt(bytes: Buffer, at: number, type: number | undefined): [PlainDocument[string], number] {
  switch (type) {
    case 0x02: {
      const length = bytes.readInt32LE(at)
      if (length < 1 || at + 4 + length > bytes.length) throw new FormatError('a text in a header is cut off')
      return [bytes.toString('utf8', at + 4, at + 3 + length), 4 + length]
    }
    case 0x08:
      return [bytes[at] === 1, 1]
    case 0x10:
      return [bytes.readInt32LE(at), 4]
    case 0x12:
      return [bytes.readBigInt64LE(at), 8]
    default:
      throw new FormatError(`a header of the archive has a value of type ${type}`)
  }
}
