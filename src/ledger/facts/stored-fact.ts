import { BSON, ObjectId } from 'mongodb'
import type { LedgerEntry } from '../entry/entry.js'
import { elements } from '../entry/entry-bytes.js'
import type { StoredBytes } from '../entry/stored-bytes.js'
import type { FactEntry } from './fact.js'

/** An entry as far as energy is made of it. */
export type EnergyEntry = FactEntry & Pick<LedgerEntry, 'switchId' | 'adjustment'>

/**
 * Reads an entry out of the bytes in which MongoDB stores it. Its fields are in the order in which they were written, so
 * most of it is skipped, and that takes a fraction of the time of decoding it. What is laid out otherwise is decoded.
 */
export function energyEntryOf(stored: StoredBytes): EnergyEntry {
  try {
    return reader.read(stored)
  } catch {
    const { buffer, start, length } = stored
    return BSON.deserialize(buffer.subarray(start, start + length)) as EnergyEntry
  }
}

/** Ends the reading of bytes that are laid out in another way. */
const otherwise = new Error('The entry is not laid out as it was written')

/** Bytes that no element begins with. */
const noText = { bytes: Uint8Array.of(0xff), text: '' }

class EntryReader {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  /** What the entry before had in these fields, this one is likely to have too: then it is not made anew. */
  readonly #ids = { switchId: new ObjectId(), deviceId: new ObjectId(), classroom: new ObjectId() }
  readonly #texts = { eventType: noText, energySource: noText, bootId: noText }

  /** @throws Error if a field is missing, or is not in its place. */
  read({ buffer, start }: StoredBytes): EnergyEntry {
    this.#bytes = buffer
    this.#at = start + 4
    this.#skip(elements._id, 12)
    this.#skip(elements.formatVersion, 8)
    const switchId = this.#objectId('switchId')
    const sequence = this.#double(elements.sequence)
    const deviceId = this.#objectId('deviceId')
    const classroom = this.#objectId('classroom')
    const timestamp = this.#date(elements.timestamp)
    this.#skip(elements.receivedAt, 8)
    const eventType = this.#text('eventType') as LedgerEntry['eventType']
    const powerState = this.#boolean(elements.powerState)
    const powerRating = this.#double(elements.powerRating)
    const energySource = this.#text('energySource') as LedgerEntry['energySource']
    const energyDirection = this.#isNext(elements.energyDirection) ? this.#direction() : undefined
    const reading = this.#isNext(elements.reading) ? this.#reading() : undefined
    const adjustment = this.#isNext(elements.adjustment) ? this.#adjustment() : undefined
    if (this.#isNext(elements.erases)) this.#skipString(elements.erases)
    const gapLimitMs = this.#double(elements.gapLimitMs)
    const silentSince = this.#isNext(elements.silentSince) ? this.#date(elements.silentSince) : undefined
    const ratePerKwh = this.#double(elements.ratePerKwh)
    this.#at = this.#endOf(elements.flags)
    const metadata = this.#metadata()
    if (this.#isNext(elements.personalCommitment)) this.#skipString(elements.personalCommitment)
    const idempotencyKey = this.#string(elements.idempotencyKey)
    return {
      switchId,
      sequence,
      deviceId,
      classroom,
      timestamp,
      eventType,
      powerState,
      powerRating,
      energySource,
      energyDirection,
      reading,
      adjustment,
      gapLimitMs,
      silentSince,
      ratePerKwh,
      metadata,
      idempotencyKey,
    }
  }

  #direction(): NonNullable<LedgerEntry['energyDirection']> {
    this.#skipString(elements.energyDirection)
    return 'production'
  }

  #reading(): NonNullable<LedgerEntry['reading']> {
    const end = this.#endOf(elements.reading)
    const powerW = this.#optionalDouble(elements.powerW)
    const energyWh = this.#optionalDouble(elements.energyWh)
    const counterQuantumWh = this.#optionalDouble(elements.counterQuantumWh)
    const counterWidthWh = this.#optionalDouble(elements.counterWidthWh)
    const maximumPower = this.#optionalDouble(elements.maximumPower)
    this.#finish(end)
    return { powerW, energyWh, counterQuantumWh, counterWidthWh, maximumPower }
  }

  #adjustment(): NonNullable<LedgerEntry['adjustment']> {
    const end = this.#endOf(elements.adjustment)
    const energyWs = this.#double(elements.energyWs)
    const productionWs = this.#double(elements.productionWs)
    const cost = this.#double(elements.cost)
    this.#finish(end)
    return { energyWs, productionWs, cost }
  }

  #metadata(): FactEntry['metadata'] {
    const end = this.#endOf(elements.metadata)
    this.#skipString(elements.source)
    if (this.#isNext(elements.firmwareVersion)) this.#skipString(elements.firmwareVersion)
    for (const element of [elements.voltage, elements.current, elements.powerFactor, elements.temperature])
      this.#optionalDouble(element)
    const bootId = this.#isNext(elements.bootId) ? this.#text('bootId') : undefined
    const deviceSequence = this.#optionalDouble(elements.deviceSequence)
    if (this.#isNext(elements.originalRecordId)) this.#skipString(elements.originalRecordId)
    this.#finish(end)
    return { bootId, deviceSequence }
  }

  /** Whether an element of this type and name comes next. */
  #isNext(element: Uint8Array): boolean {
    const bytes = this.#bytes
    const at = this.#at
    for (let n = 0; n < element.length; n += 1) if (bytes[at + n] !== element[n]) return false
    return true
  }

  #take(element: Uint8Array): void {
    if (!this.#isNext(element)) throw otherwise
    this.#at += element.length
  }

  #skip(element: Uint8Array, length: number): void {
    this.#take(element)
    this.#at += length
  }

  /** Goes on to the first field of a document. @returns where what comes after the document begins. */
  #endOf(element: Uint8Array): number {
    this.#take(element)
    const end = this.#at + this.#bytes.readInt32LE(this.#at)
    this.#at += 4
    return end
  }

  /** Goes on after a document of which every field was read. */
  #finish(end: number): void {
    if (this.#at !== end - 1) throw otherwise
    this.#at = end
  }

  #optionalDouble(element: Uint8Array): number | undefined {
    return this.#isNext(element) ? this.#double(element) : undefined
  }

  #double(element: Uint8Array): number {
    this.#skip(element, 8)
    return this.#bytes.readDoubleLE(this.#at - 8)
  }

  #date(element: Uint8Array): Date {
    this.#skip(element, 8)
    return new Date(this.#bytes.readInt32LE(this.#at - 4) * 0x1_0000_0000 + this.#bytes.readUInt32LE(this.#at - 8))
  }

  #boolean(element: Uint8Array): boolean {
    this.#skip(element, 1)
    return this.#bytes[this.#at - 1] === 1
  }

  #skipString(element: Uint8Array): void {
    this.#take(element)
    this.#at += 4 + this.#bytes.readInt32LE(this.#at)
  }

  #string(element: Uint8Array): string {
    this.#take(element)
    const start = this.#at
    this.#at += 4 + this.#bytes.readInt32LE(start)
    return this.#bytes.toString('utf8', start + 4, this.#at - 1)
  }

  /** A string that many entries have. */
  #text(name: 'eventType' | 'energySource' | 'bootId'): string {
    const known = this.#texts[name]
    if (this.#isNext(known.bytes)) {
      this.#at += known.bytes.length
      return known.text
    }
    const start = this.#at
    const text = this.#string(elements[name])
    this.#texts[name] = { bytes: Uint8Array.from(this.#bytes.subarray(start, this.#at)), text }
    return text
  }

  #objectId(name: 'switchId' | 'deviceId' | 'classroom'): ObjectId {
    this.#skip(elements[name], 12)
    const start = this.#at - 12
    const { id } = this.#ids[name]
    for (let n = 0; n < 12; n += 1) {
      if (this.#bytes[start + n] === id[n]) continue
      // A copy: the whole reply of the server would stay in memory with a part of it.
      this.#ids[name] = new ObjectId(Uint8Array.from(this.#bytes.subarray(start, this.#at)))
      break
    }
    return this.#ids[name]
  }
}

const reader = new EntryReader()
