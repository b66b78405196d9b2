import { BSON, ObjectId } from 'mongodb'
import { ByteMark } from '../entry/byte-mark.js'
import { elementMarks as marks } from '../entry/element-marks.js'
import type { LedgerEntry } from '../entry/entry.js'
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
const noText = { mark: new ByteMark(Uint8Array.of(0xff)), text: '' }

class EntryReader {
  #bytes: Buffer = Buffer.alloc(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  #at = 0
  /** What the entry before had in these fields, this one is likely to have too: then it is not made anew. */
  readonly #ids = { switchId: new ObjectId(), deviceId: new ObjectId(), classroom: new ObjectId() }
  readonly #texts = { eventType: noText, energySource: noText, bootId: noText }

  /** @throws Error if a field is missing, or is not in its place. */
  read({ buffer, start }: StoredBytes): EnergyEntry {
    if (buffer !== this.#bytes) {
      this.#bytes = buffer
      this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    }
    this.#at = start + 4
    this.#skip(marks._id, 12)
    this.#skip(marks.formatVersion, 8)
    const switchId = this.#objectId('switchId')
    const sequence = this.#double(marks.sequence)
    const deviceId = this.#objectId('deviceId')
    const classroom = this.#objectId('classroom')
    const timestamp = this.#date(marks.timestamp)
    this.#skip(marks.receivedAt, 8)
    const eventType = this.#text('eventType') as LedgerEntry['eventType']
    const powerState = this.#boolean(marks.powerState)
    const powerRating = this.#double(marks.powerRating)
    const energySource = this.#text('energySource') as LedgerEntry['energySource']
    const energyDirection = this.#isNext(marks.energyDirection) ? this.#direction() : undefined
    const reading = this.#isNext(marks.reading) ? this.#reading() : undefined
    const adjustment = this.#isNext(marks.adjustment) ? this.#adjustment() : undefined
    if (this.#isNext(marks.erases)) this.#skipBinary(marks.erases)
    const gapLimitMs = this.#double(marks.gapLimitMs)
    const silentSince = this.#isNext(marks.silentSince) ? this.#date(marks.silentSince) : undefined
    const ratePerKwh = this.#double(marks.ratePerKwh)
    this.#at = this.#endOf(marks.flags)
    const metadata = this.#metadata()
    if (this.#isNext(marks.personalCommitment)) this.#skipBinary(marks.personalCommitment)
    const idempotencyKey = this.#string(marks.idempotencyKey)
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
    this.#skipString(marks.energyDirection)
    return 'production'
  }

  #reading(): NonNullable<LedgerEntry['reading']> {
    const end = this.#endOf(marks.reading)
    const powerW = this.#optionalDouble(marks.powerW)
    const energyWh = this.#optionalDouble(marks.energyWh)
    const counterQuantumWh = this.#optionalDouble(marks.counterQuantumWh)
    const counterWidthWh = this.#optionalDouble(marks.counterWidthWh)
    const maximumPower = this.#optionalDouble(marks.maximumPower)
    this.#finish(end)
    return { powerW, energyWh, counterQuantumWh, counterWidthWh, maximumPower }
  }

  #adjustment(): NonNullable<LedgerEntry['adjustment']> {
    const end = this.#endOf(marks.adjustment)
    const energyWs = this.#double(marks.energyWs)
    const productionWs = this.#double(marks.productionWs)
    const cost = this.#double(marks.cost)
    this.#finish(end)
    return { energyWs, productionWs, cost }
  }

  #metadata(): FactEntry['metadata'] {
    const end = this.#endOf(marks.metadata)
    this.#skipString(marks.source)
    if (this.#isNext(marks.firmwareVersion)) this.#skipString(marks.firmwareVersion)
    for (const element of [marks.voltage, marks.current, marks.powerFactor, marks.temperature])
      this.#optionalDouble(element)
    const bootId = this.#isNext(marks.bootId) ? this.#text('bootId') : undefined
    const deviceSequence = this.#optionalDouble(marks.deviceSequence)
    if (this.#isNext(marks.originalRecordId)) this.#skipString(marks.originalRecordId)
    this.#finish(end)
    return { bootId, deviceSequence }
  }

  /** Whether an element of this type and name comes next. */
  #isNext(element: ByteMark): boolean {
    return element.isAt(this.#view, this.#at)
  }

  #take(element: ByteMark): void {
    if (!this.#isNext(element)) throw otherwise
    this.#at += element.length
  }

  #skip(element: ByteMark, length: number): void {
    this.#take(element)
    this.#at += length
  }

  /** Goes on to the first field of a document. @returns where what comes after the document begins. */
  #endOf(element: ByteMark): number {
    this.#take(element)
    const end = this.#at + this.#view.getInt32(this.#at, true)
    this.#at += 4
    return end
  }

  /** Goes on after a document of which every field was read. */
  #finish(end: number): void {
    if (this.#at !== end - 1) throw otherwise
    this.#at = end
  }

  #optionalDouble(element: ByteMark): number | undefined {
    return this.#isNext(element) ? this.#double(element) : undefined
  }

  #double(element: ByteMark): number {
    this.#skip(element, 8)
    return this.#view.getFloat64(this.#at - 8, true)
  }

  #date(element: ByteMark): Date {
    this.#skip(element, 8)
    return new Date(this.#view.getInt32(this.#at - 4, true) * 0x1_0000_0000 + this.#view.getUint32(this.#at - 8, true))
  }

  #boolean(element: ByteMark): boolean {
    this.#skip(element, 1)
    return this.#bytes[this.#at - 1] === 1
  }

  #skipString(element: ByteMark): void {
    this.#take(element)
    this.#at += 4 + this.#view.getInt32(this.#at, true)
  }

  #skipBinary(element: ByteMark): void {
    this.#take(element)
    this.#at += 5 + this.#view.getInt32(this.#at, true)
  }

  #string(element: ByteMark): string {
    this.#take(element)
    const start = this.#at
    this.#at += 4 + this.#view.getInt32(start, true)
    return this.#bytes.toString('utf8', start + 4, this.#at - 1)
  }

  /** A string that many entries have. */
  #text(name: 'eventType' | 'energySource' | 'bootId'): string {
    const known = this.#texts[name]
    if (this.#isNext(known.mark)) {
      this.#at += known.mark.length
      return known.text
    }
    const start = this.#at
    const text = this.#string(marks[name])
    this.#texts[name] = { mark: new ByteMark(this.#bytes.subarray(start, this.#at)), text }
    return text
  }

  #objectId(name: 'switchId' | 'deviceId' | 'classroom'): ObjectId {
    this.#skip(marks[name], 12)
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
