import type { LedgerEntry } from './entry.js'

/** An entry before it has its hash. */
export type UnhashedEntry = Omit<LedgerEntry, 'hash'>

const typeDouble = 0x01
const typeString = 0x02
const typeDocument = 0x03
const typeArray = 0x04
const typeBinary = 0x05
const typeObjectId = 0x07
const typeBoolean = 0x08
const typeDate = 0x09

/**
 * Writes BSON field by field. The driver would choose a number's type by its value; here every number is a double, so the
 * bytes are those that MongoDB stores for the entry, whatever its values are.
 */
class BsonWriter {
  #bytes = Buffer.allocUnsafe(4096)
  #view = viewOf(this.#bytes)
  #at = 0

  start(): void {
    this.#at = 0
  }

  /** The bytes written since the start; valid until the next start. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  raw(source: Uint8Array): void {
    const { length } = source
    this.#reserve(length)
    const bytes = this.#bytes
    const start = this.#at
    // Faster than a call of `set` for the few bytes that there are.
    for (let n = 0; n < length; n += 1) bytes[start + n] = source[n] as number
    this.#at = start + length
  }

  beginDocument(): number {
    const start = this.#at
    this.#reserve(5)
    this.#at += 4
    return start
  }

  endDocument(start: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = 0
    this.#view.setInt32(start, this.#at - start, true)
  }

  double(element: Uint8Array, value: number): void {
    this.raw(element)
    this.#reserve(8)
    this.#view.setFloat64(this.#at, value, true)
    this.#at += 8
  }

  string(element: Uint8Array, value: string): void {
    this.raw(element)
    this.#reserve(value.length * 3 + 5)
    const start = this.#at + 4
    const length = writeAscii(this.#bytes, start, value) ?? this.#bytes.write(value, start, 'utf8')
    this.#view.setInt32(this.#at, length + 1, true)
    this.#bytes[start + length] = 0
    this.#at = start + length + 1
  }

  boolean(element: Uint8Array, value: boolean): void {
    this.raw(element)
    this.#reserve(1)
    this.#bytes[this.#at++] = value ? 1 : 0
  }

  date(element: Uint8Array, value: Date): void {
    this.raw(element)
    this.#reserve(8)
    const ms = value.getTime()
    const high = Math.floor(ms / 0x1_0000_0000)
    this.#view.setUint32(this.#at, ms - high * 0x1_0000_0000, true)
    this.#view.setInt32(this.#at + 4, high, true)
    this.#at += 8
  }

  /** Bytes of the generic subtype. */
  binary(element: Uint8Array, value: { value(): Uint8Array }): void {
    this.raw(element)
    const bytes = value.value()
    this.#reserve(5)
    this.#view.setInt32(this.#at, bytes.length, true)
    this.#bytes[this.#at + 4] = 0
    this.#at += 5
    this.raw(bytes)
  }

  objectId(element: Uint8Array, value: { readonly id: Uint8Array }): void {
    this.raw(element)
    this.raw(value.id)
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe((this.#at + length) * 2)
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
    this.#view = viewOf(larger)
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

/** Longer texts are written faster by a call. */
const shortText = 70

/** @returns the length of a short text of ASCII, written; undefined for any other. */
function writeAscii(bytes: Uint8Array, start: number, text: string): number | undefined {
  const { length } = text
  if (length > shortText) return undefined
  for (let n = 0; n < length; n += 1) {
    const code = text.charCodeAt(n)
    if (code > 0x7f) return undefined
    bytes[start + n] = code
  }
  return length
}

/** The beginning of a BSON element: its type and name. */
function element(type: number, name: string): Uint8Array {
  return Buffer.concat([Buffer.from([type]), Buffer.from(`${name}\0`, 'latin1')])
}

export const elements = {
  _id: element(typeObjectId, '_id'),
  formatVersion: element(typeDouble, 'formatVersion'),
  switchId: element(typeObjectId, 'switchId'),
  sequence: element(typeDouble, 'sequence'),
  deviceId: element(typeObjectId, 'deviceId'),
  classroom: element(typeObjectId, 'classroom'),
  timestamp: element(typeDate, 'timestamp'),
  receivedAt: element(typeDate, 'receivedAt'),
  eventType: element(typeString, 'eventType'),
  powerState: element(typeBoolean, 'powerState'),
  powerRating: element(typeDouble, 'powerRating'),
  energySource: element(typeString, 'energySource'),
  energyDirection: element(typeString, 'energyDirection'),
  reading: element(typeDocument, 'reading'),
  powerW: element(typeDouble, 'powerW'),
  energyWh: element(typeDouble, 'energyWh'),
  counterQuantumWh: element(typeDouble, 'counterQuantumWh'),
  counterWidthWh: element(typeDouble, 'counterWidthWh'),
  maximumPower: element(typeDouble, 'maximumPower'),
  adjustment: element(typeDocument, 'adjustment'),
  energyWs: element(typeDouble, 'energyWs'),
  productionWs: element(typeDouble, 'productionWs'),
  cost: element(typeDouble, 'cost'),
  erases: element(typeBinary, 'erases'),
  gapLimitMs: element(typeDouble, 'gapLimitMs'),
  silentSince: element(typeDate, 'silentSince'),
  ratePerKwh: element(typeDouble, 'ratePerKwh'),
  flags: element(typeArray, 'flags'),
  metadata: element(typeDocument, 'metadata'),
  source: element(typeString, 'source'),
  firmwareVersion: element(typeString, 'firmwareVersion'),
  voltage: element(typeDouble, 'voltage'),
  current: element(typeDouble, 'current'),
  powerFactor: element(typeDouble, 'powerFactor'),
  temperature: element(typeDouble, 'temperature'),
  bootId: element(typeString, 'bootId'),
  deviceSequence: element(typeDouble, 'deviceSequence'),
  originalRecordId: element(typeString, 'originalRecordId'),
  personalCommitment: element(typeBinary, 'personalCommitment'),
  idempotencyKey: element(typeString, 'idempotencyKey'),
  cumulativeEnergy: element(typeDouble, 'cumulativeEnergy'),
  cumulativeProduction: element(typeDouble, 'cumulativeProduction'),
  calculatedCost: element(typeDouble, 'calculatedCost'),
  previousHash: element(typeBinary, 'previousHash'),
}

const writer = new BsonWriter()

/**
 * What is hashed: a domain tag and the entry as MongoDB stores it, without its last field, the hash.
 * The bytes are valid until the next call.
 */
export function entryBytes(domain: Uint8Array, entry: UnhashedEntry): Buffer {
  writer.start()
  writer.raw(domain)
  const document = writer.beginDocument()
  writer.objectId(elements._id, entry._id)
  writer.double(elements.formatVersion, entry.formatVersion)
  writer.objectId(elements.switchId, entry.switchId)
  writer.double(elements.sequence, entry.sequence)
  writer.objectId(elements.deviceId, entry.deviceId)
  writer.objectId(elements.classroom, entry.classroom)
  writer.date(elements.timestamp, entry.timestamp)
  writer.date(elements.receivedAt, entry.receivedAt)
  writer.string(elements.eventType, entry.eventType)
  writer.boolean(elements.powerState, entry.powerState)
  writer.double(elements.powerRating, entry.powerRating)
  writer.string(elements.energySource, entry.energySource)
  if (entry.energyDirection !== undefined) writer.string(elements.energyDirection, entry.energyDirection)
  if (entry.reading !== undefined) writeReading(entry.reading)
  if (entry.adjustment !== undefined) writeAdjustment(entry.adjustment)
  if (entry.erases !== undefined) writer.binary(elements.erases, entry.erases)
  writer.double(elements.gapLimitMs, entry.gapLimitMs)
  if (entry.silentSince !== undefined) writer.date(elements.silentSince, entry.silentSince)
  writer.double(elements.ratePerKwh, entry.ratePerKwh)
  writeFlags(entry.flags)
  writeMetadata(entry.metadata)
  if (entry.personalCommitment !== undefined) writer.binary(elements.personalCommitment, entry.personalCommitment)
  writer.string(elements.idempotencyKey, entry.idempotencyKey)
  writer.double(elements.cumulativeEnergy, entry.cumulativeEnergy)
  writer.double(elements.cumulativeProduction, entry.cumulativeProduction)
  writer.double(elements.calculatedCost, entry.calculatedCost)
  writer.binary(elements.previousHash, entry.previousHash)
  writer.endDocument(document)
  return writer.written
}

function writeReading(reading: NonNullable<UnhashedEntry['reading']>): void {
  writer.raw(elements.reading)
  const start = writer.beginDocument()
  if (reading.powerW !== undefined) writer.double(elements.powerW, reading.powerW)
  if (reading.energyWh !== undefined) writer.double(elements.energyWh, reading.energyWh)
  if (reading.counterQuantumWh !== undefined) writer.double(elements.counterQuantumWh, reading.counterQuantumWh)
  if (reading.counterWidthWh !== undefined) writer.double(elements.counterWidthWh, reading.counterWidthWh)
  if (reading.maximumPower !== undefined) writer.double(elements.maximumPower, reading.maximumPower)
  writer.endDocument(start)
}

function writeAdjustment({ energyWs, productionWs, cost }: NonNullable<UnhashedEntry['adjustment']>): void {
  writer.raw(elements.adjustment)
  const start = writer.beginDocument()
  writer.double(elements.energyWs, energyWs)
  writer.double(elements.productionWs, productionWs)
  writer.double(elements.cost, cost)
  writer.endDocument(start)
}

function writeFlags(flags: UnhashedEntry['flags']): void {
  writer.raw(elements.flags)
  const start = writer.beginDocument()
  for (let at = 0; at < flags.length; at += 1) writer.string(element(typeString, String(at)), flags[at] ?? '')
  writer.endDocument(start)
}

function writeMetadata(metadata: UnhashedEntry['metadata']): void {
  writer.raw(elements.metadata)
  const start = writer.beginDocument()
  writer.string(elements.source, metadata.source)
  if (metadata.firmwareVersion !== undefined) writer.string(elements.firmwareVersion, metadata.firmwareVersion)
  if (metadata.voltage !== undefined) writer.double(elements.voltage, metadata.voltage)
  if (metadata.current !== undefined) writer.double(elements.current, metadata.current)
  if (metadata.powerFactor !== undefined) writer.double(elements.powerFactor, metadata.powerFactor)
  if (metadata.temperature !== undefined) writer.double(elements.temperature, metadata.temperature)
  if (metadata.bootId !== undefined) writer.string(elements.bootId, metadata.bootId)
  if (metadata.deviceSequence !== undefined) writer.double(elements.deviceSequence, metadata.deviceSequence)
  if (metadata.originalRecordId !== undefined) writer.string(elements.originalRecordId, metadata.originalRecordId)
  writer.endDocument(start)
}
