import { createHash, type Hash } from 'node:crypto'

export interface PacketLimits {
  /** A PUBLISH with a larger payload is cut. */
  readonly payloadBytes: number
  /** Whether the connection speaks MQTT 5, where a PUBLISH has properties. */
  readonly hasProperties: boolean
}

/** Cut payload: what was cut off a payload, as far as it is kept. */
export interface CutPayload {
  /** The first bytes, as many as the limit. */
  readonly beginning: Buffer
  readonly payloadBytes: number
  /** SHA-256 of the topic, a NUL and the whole payload, in hexadecimal. */
  readonly digest: string
}

const publish = 3
const digestBytes = 32
const trailerBytes = 4 + digestBytes
/** Properties that are larger are left out of a PUBLISH that is cut. */
const maximumPropertiesBytes = 65_536

/**
 * Passes the bytes of a broker on, packet by packet, and cuts the PUBLISH packets that are too large while they come, so that
 * no packet of a device is ever in memory as a whole that the protocol allows (256 MiB). A payload that was cut ends with its
 * length and digest: {@link readCutPayload} reads them.
 */
export class PacketLimiter {
  readonly #limits: PacketLimits
  /** The beginning of a packet that does not yet say how large it is. */
  #held: Buffer = Buffer.alloc(0)
  /** So many bytes of the present packet go on as they are. */
  #passing = 0
  #cut: CutPacket | undefined

  constructor(limits: PacketLimits) {
    this.#limits = limits
  }

  /** @returns what of the piece, and of what was held back before, goes on. */
  take(piece: Buffer): Buffer[] {
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece])
    this.#held = Buffer.alloc(0)
    const passed: Buffer[] = []
    let at = 0
    let from = 0
    while (at < bytes.length) {
      if (this.#cut !== undefined) {
        at += this.#cut.take(bytes.subarray(at))
        from = at
        if (this.#cut.isWhole) passed.push(this.#cut.toBuffer())
        if (this.#cut.isWhole) this.#cut = undefined
      } else if (this.#passing > 0) {
        const count = Math.min(this.#passing, bytes.length - at)
        this.#passing -= count
        at += count
      } else {
        const begun = beginPacket(bytes, at, this.#limits)
        if (begun === 'incomplete') break
        if (typeof begun === 'number') this.#passing = begun
        else {
          if (at > from) passed.push(bytes.subarray(from, at))
          this.#cut = begun.packet
          at = begun.payloadAt
          from = at
        }
      }
    }
    if (at > from) passed.push(bytes.subarray(from, at))
    if (at < bytes.length) this.#held = Buffer.from(bytes.subarray(at))
    return passed
  }
}

/** What of a payload was cut; undefined for one that is whole. */
export function readCutPayload(payload: Buffer, { payloadBytes: limit }: Pick<PacketLimits, 'payloadBytes'>) {
  if (payload.length <= limit) return undefined
  return {
    beginning: payload.subarray(0, limit),
    payloadBytes: payload.readUInt32BE(limit),
    digest: payload.subarray(limit + 4, limit + trailerBytes).toString('hex'),
  } satisfies CutPayload
}

/** A PUBLISH whose payload comes by and is not kept. */
class CutPacket {
  readonly #firstByte: number
  readonly #head: Buffer
  readonly #limit: number
  readonly #payloadBytes: number
  readonly #hash: Hash
  readonly #kept: Buffer[] = []
  #keptBytes = 0
  #missing: number

  constructor(firstByte: number, head: Buffer, topic: Buffer, payloadBytes: number, limit: number) {
    this.#firstByte = firstByte
    this.#head = Buffer.from(head)
    this.#limit = limit
    this.#payloadBytes = payloadBytes
    this.#missing = payloadBytes
    this.#hash = createHash('sha256').update(topic).update('\0')
  }

  get isWhole(): boolean {
    return this.#missing === 0
  }

  /** @returns how many of the bytes are the packet's. */
  take(bytes: Buffer): number {
    const own = bytes.subarray(0, this.#missing)
    this.#missing -= own.length
    this.#hash.update(own)
    const kept = Buffer.from(own.subarray(0, this.#limit - this.#keptBytes))
    this.#keptBytes += kept.length
    if (kept.length > 0) this.#kept.push(kept)
    return own.length
  }

  toBuffer(): Buffer {
    const trailer = Buffer.alloc(trailerBytes)
    trailer.writeUInt32BE(this.#payloadBytes)
    this.#hash.digest().copy(trailer, 4)
    const length = encodeLength(this.#head.length + this.#limit + trailerBytes)
    return Buffer.concat([Buffer.from([this.#firstByte, ...length]), this.#head, ...this.#kept, trailer])
  }
}

type Begun = 'incomplete' | number | { readonly packet: CutPacket; readonly payloadAt: number }

/** Reads how a packet begins (MQTT 3.1.1, sections 2.2 and 3.3). @returns how long it is, or the packet if it is to be cut. */
function beginPacket(bytes: Buffer, at: number, { payloadBytes: limit, hasProperties }: PacketLimits): Begun {
  const length = readLength(bytes, at + 1)
  if (length === undefined) return 'incomplete'
  const first = bytes.readUInt8(at)
  const packetBytes = length.end - at + length.value
  if (first >> 4 !== publish || length.value <= limit) return packetBytes
  const topicAt = length.end + 2
  if (topicAt > bytes.length) return 'incomplete'
  const topicEnd = topicAt + bytes.readUInt16BE(length.end)
  const fixedEnd = topicEnd + ((first & 0b110) === 0 ? 0 : 2)
  if (fixedEnd > bytes.length) return 'incomplete'
  const properties = hasProperties ? readLength(bytes, fixedEnd) : { value: 0, end: fixedEnd }
  if (properties === undefined) return 'incomplete'
  const end = length.end + length.value
  const payloadAt = Math.min(properties.end + properties.value, end)
  const hasFewProperties = properties.value <= maximumPropertiesBytes
  if (hasFewProperties && end - payloadAt <= limit) return packetBytes
  const topic = bytes.subarray(topicAt, topicEnd)
  if (hasFewProperties && payloadAt > bytes.length) return 'incomplete'
  // Properties that are too large are taken for a part of the payload, which is cut.
  const cutAt = hasFewProperties ? payloadAt : properties.end
  const head = hasFewProperties
    ? bytes.subarray(length.end, payloadAt)
    : Buffer.concat([bytes.subarray(length.end, fixedEnd), Buffer.from([0])])
  return { packet: new CutPacket(first, head, topic, end - cutAt, limit), payloadAt: cutAt }
}

/** A variable byte integer (section 2.2.3); undefined while its end is missing. */
function readLength(bytes: Buffer, at: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0
  for (let digit = 0; digit < 4; digit += 1) {
    const byte = bytes[at + digit]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 128 ** digit
    if (byte < 0x80) return { value, end: at + digit + 1 }
  }
  return { value, end: at + 4 }
}

function encodeLength(value: number): number[] {
  const digits: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...digits, rest]
    digits.push((rest % 128) | 0x80)
  }
}
