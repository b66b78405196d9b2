import type { LedgerEntry } from './entry.js'

/** An entry before it has its hash. */
export type UnhashedEntry = Omit<LedgerEntry, 'hash'>

const typeDouble = 0x01
const typeString = 0x02
const typeDocument = 0x03
const typeArray = 0x04
const typeObjectId = 0x07
const typeBoolean = 0x08
const typeDate = 0x09

/**
 * Writes BSON field by field. The driver would choose a number's type by its value; here every number is a double, so the
 * bytes are those that MongoDB stores for the entry, whatever its values are.
 */
class BsonWriter {
  #bytes = Buffer.allocUnsafe(2048)
  #at = 0

  start(): void {
    this.#at = 0
  }

  /** The bytes written since the start; valid until the next start. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  ascii(text: string): void {
    this.#reserve(text.length)
    this.#at += this.#bytes.write(text, this.#at, 'latin1')
  }

  beginDocument(): number {
    this.#reserve(5)
    const start = this.#at
    this.#at += 4
    return start
  }

  endDocument(start: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = 0
    this.#bytes.writeInt32LE(this.#at - start, start)
  }

  beginNested(type: typeof typeDocument | typeof typeArray, name: string): number {
    this.#name(type, name)
    return this.beginDocument()
  }

  double(name: string, value: number): void {
    this.#name(typeDouble, name)
    this.#at = this.#bytes.writeDoubleLE(value, this.#at)
  }

  string(name: string, value: string): void {
    this.#name(typeString, name)
    this.#reserve(value.length * 3 + 5)
    const length = this.#bytes.write(value, this.#at + 4, 'utf8')
    this.#at = this.#bytes.writeInt32LE(length + 1, this.#at) + length
    this.#bytes[this.#at++] = 0
  }

  boolean(name: string, value: boolean): void {
    this.#name(typeBoolean, name)
    this.#bytes[this.#at++] = value ? 1 : 0
  }

  date(name: string, value: Date): void {
    this.#name(typeDate, name)
    const ms = value.getTime()
    const high = Math.floor(ms / 0x1_0000_0000)
    this.#at = this.#bytes.writeUInt32LE(ms - high * 0x1_0000_0000, this.#at)
    this.#at = this.#bytes.writeInt32LE(high, this.#at)
  }

  objectId(name: string, value: { readonly id: Uint8Array }): void {
    this.#name(typeObjectId, name)
    this.#bytes.set(value.id, this.#at)
    this.#at += 12
  }

  #name(type: number, name: string): void {
    this.#reserve(name.length + 18)
    this.#bytes[this.#at++] = type
    this.#at += this.#bytes.write(name, this.#at, 'latin1')
    this.#bytes[this.#at++] = 0
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe((this.#at + length) * 2)
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}

const writer = new BsonWriter()

/**
 * What is hashed: a domain tag and the entry as MongoDB stores it, without its last field, the hash.
 * The bytes are valid until the next call.
 */
export function entryBytes(domain: string, entry: UnhashedEntry): Buffer {
  writer.start()
  writer.ascii(domain)
  const document = writer.beginDocument()
  writer.objectId('_id', entry._id)
  writer.double('formatVersion', entry.formatVersion)
  writer.objectId('switchId', entry.switchId)
  writer.double('sequence', entry.sequence)
  writer.objectId('deviceId', entry.deviceId)
  writer.objectId('classroom', entry.classroom)
  writer.date('timestamp', entry.timestamp)
  writer.date('receivedAt', entry.receivedAt)
  writer.string('eventType', entry.eventType)
  writer.boolean('powerState', entry.powerState)
  writer.double('powerRating', entry.powerRating)
  writer.string('energySource', entry.energySource)
  if (entry.reading !== undefined) writeReading(entry.reading)
  writer.double('gapLimitMs', entry.gapLimitMs)
  if (entry.silentSince !== undefined) writer.date('silentSince', entry.silentSince)
  writer.double('ratePerKwh', entry.ratePerKwh)
  writeFlags(entry.flags)
  writeMetadata(entry.metadata)
  writer.string('idempotencyKey', entry.idempotencyKey)
  writer.double('cumulativeEnergy', entry.cumulativeEnergy)
  writer.double('cumulativeProduction', entry.cumulativeProduction)
  writer.double('calculatedCost', entry.calculatedCost)
  writer.string('previousHash', entry.previousHash)
  writer.endDocument(document)
  return writer.written
}

function writeReading(reading: NonNullable<UnhashedEntry['reading']>): void {
  const start = writer.beginNested(typeDocument, 'reading')
  if (reading.powerW !== undefined) writer.double('powerW', reading.powerW)
  if (reading.energyWh !== undefined) writer.double('energyWh', reading.energyWh)
  if (reading.counterQuantumWh !== undefined) writer.double('counterQuantumWh', reading.counterQuantumWh)
  if (reading.counterWidthWh !== undefined) writer.double('counterWidthWh', reading.counterWidthWh)
  if (reading.maximumPower !== undefined) writer.double('maximumPower', reading.maximumPower)
  writer.endDocument(start)
}

function writeFlags(flags: UnhashedEntry['flags']): void {
  const start = writer.beginNested(typeArray, 'flags')
  for (let at = 0; at < flags.length; at += 1) writer.string(String(at), flags[at] ?? '')
  writer.endDocument(start)
}

function writeMetadata(metadata: UnhashedEntry['metadata']): void {
  const start = writer.beginNested(typeDocument, 'metadata')
  writer.string('source', metadata.source)
  if (metadata.firmwareVersion !== undefined) writer.string('firmwareVersion', metadata.firmwareVersion)
  if (metadata.voltage !== undefined) writer.double('voltage', metadata.voltage)
  if (metadata.current !== undefined) writer.double('current', metadata.current)
  if (metadata.powerFactor !== undefined) writer.double('powerFactor', metadata.powerFactor)
  if (metadata.temperature !== undefined) writer.double('temperature', metadata.temperature)
  if (metadata.bootId !== undefined) writer.string('bootId', metadata.bootId)
  if (metadata.deviceSequence !== undefined) writer.double('deviceSequence', metadata.deviceSequence)
  if (metadata.originalRecordId !== undefined) writer.string('originalRecordId', metadata.originalRecordId)
  writer.endDocument(start)
}
