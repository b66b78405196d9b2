import { BSON, type Document } from 'mongodb'

/** A document as a list of its elements, each as its bytes: what no driver would write can be put together of it. */
export class BsonElements {
  readonly elements: readonly { readonly name: string; readonly bytes: Buffer }[]

  constructor(elements: BsonElements['elements']) {
    this.elements = elements
  }

  static of(document: Document): BsonElements {
    return new BsonElements(Object.entries(document).flatMap(([name, value]) => elementOf(name, value)))
  }

  get names(): string[] {
    return this.elements.map(({ name }) => name)
  }

  /** With more elements behind one of them. */
  withAfter(name: string, ...more: BsonElements['elements']): BsonElements {
    return new BsonElements(this.elements.toSpliced(this.#indexOf(name) + 1, 0, ...more))
  }

  /** With other elements in place of one. */
  withInstead(name: string, ...others: BsonElements['elements']): BsonElements {
    return new BsonElements(this.elements.toSpliced(this.#indexOf(name), 1, ...others))
  }

  toBytes(): Buffer {
    const body = Buffer.concat(this.elements.map(({ bytes }) => bytes))
    const bytes = Buffer.concat([Buffer.alloc(4), body, Buffer.of(0)])
    bytes.writeInt32LE(bytes.length)
    return bytes
  }

  #indexOf(name: string): number {
    const at = this.names.indexOf(name)
    if (at < 0) throw new Error(`There is no ${name}`)
    return at
  }
}

/** The element as the driver writes it; none for what is undefined. */
export function elementOf(name: string, value: unknown): BsonElements['elements'] {
  if (value === undefined) return []
  const bytes = Buffer.from(BSON.serialize({ [name]: value }, { ignoreUndefined: true }))
  return [{ name, bytes: bytes.subarray(4, -1) }]
}

/** A string element of any bytes. */
export function rawText(name: string, text: Uint8Array): BsonElements['elements'][number] {
  const length = Buffer.alloc(4)
  length.writeInt32LE(text.length + 1)
  const bytes = Buffer.concat([Buffer.of(0x02), Buffer.from(`${name}\0`), length, text, Buffer.of(0)])
  return { name, bytes }
}

/** A date element of any number of milliseconds. */
export function rawDate(name: string, ms: bigint): BsonElements['elements'][number] {
  const value = Buffer.alloc(8)
  value.writeBigInt64LE(ms)
  return { name, bytes: Buffer.concat([Buffer.of(0x09), Buffer.from(`${name}\0`), value]) }
}

/** An element that holds a document or an array of such elements. */
export function nested(name: string, type: 0x03 | 0x04, inner: BsonElements): BsonElements['elements'][number] {
  return { name, bytes: Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`), inner.toBytes()]) }
}
