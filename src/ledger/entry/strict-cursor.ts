import { isUtf8 } from 'node:buffer'
import { ByteMark } from './byte-mark.js'
import { isAscii, isDate, msAt, type Span } from './entry-shape.js'
import { hashBytes, viewOf } from './hash-bytes.js'
import type { StoredBytes } from './stored-bytes.js'

/** The length and subtype of a hash. */
const hashPrefix = new ByteMark(Buffer.of(hashBytes, 0, 0, 0, 0))

const mostBytesOfCharacter = 4

/** Ends the reading of bytes that are not as they have to be. */
const refusal = new Error('The bytes are refused')

/** A field that an entry can have. */
export interface Field {
  readonly name: string
  /** Its type and name, as it begins in the bytes. */
  readonly mark: ByteMark
  /** Of a number its smallest and largest value, of a text the fewest and the most characters (code points). */
  readonly minimum: number
  readonly maximum: number
}

/** Goes through the fields of a stored entry, and refuses what cannot be there. Nothing is decoded that is not to be checked. */
export class StrictCursor {
  at = 0
  end = 0
  bytes: Buffer = Buffer.alloc(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  /** Whether another entry with these bytes between its values is one, too, if its values can be. */
  isShaped = true
  #fault = ''
  #start = 0
  #spans: Span[] = []
  #isNoting = false

  /** @returns what is refused in the entry; undefined if nothing is. */
  faultOf({ buffer, start, length }: StoredBytes, read: (cursor: StrictCursor) => void): string | undefined {
    this.open(buffer)
    this.at = start
    this.#start = start
    this.isShaped = true
    this.end = start + length
    this.#fault = 'it ends too early'
    try {
      read(this)
      return undefined
    } catch (error) {
      // The bytes may end in the middle of a field.
      if (error === refusal || error instanceof RangeError) return this.#fault
      throw error
    }
  }

  /** Where the values are in an entry in which nothing is refused. */
  spansOf(entry: StoredBytes, read: (cursor: StrictCursor) => void): readonly Span[] {
    this.#spans = []
    this.#isNoting = true
    this.faultOf(entry, read)
    this.#isNoting = false
    return this.#spans
  }

  open(buffer: Buffer): DataView {
    this.bytes = buffer
    this.view = viewOf(buffer)
    return this.view
  }

  isNext(field: Field): boolean {
    return field.mark.isAt(this.view, this.at)
  }

  take(field: Field): void {
    if (!field.mark.isAt(this.view, this.at)) this.refuseMissing(field)
    this.at += field.mark.length
  }

  skip(field: Field, length: number): void {
    this.take(field)
    this.#pass('any', length)
  }

  optional(field: Field): boolean {
    if (!this.isNext(field)) return false
    this.number(field)
    return true
  }

  number(field: Field): void {
    this.take(field)
    this.#valueOf(field)
    this.#pass('number', 8, field.minimum, field.maximum)
  }

  integer(field: Field): void {
    this.take(field)
    const value = this.#valueOf(field)
    if (Math.floor(value) !== value) this.refuseValue(field)
    this.#pass('integer', 8, field.minimum, field.maximum)
  }

  #valueOf(field: Field): number {
    const value = this.view.getFloat64(this.at, true)
    // Neither does what is no number pass.
    if (!(value >= field.minimum && value <= field.maximum)) this.refuseValue(field)
    return value
  }

  boolean(field: Field, minimum: 0 | 1, maximum: 0 | 1): void {
    this.take(field)
    const value = this.view.getUint8(this.at)
    if (value < minimum || value > maximum) this.refuseValue(field)
    this.#pass('byte', 1, minimum, maximum)
  }

  date(field: Field): void {
    this.take(field)
    if (!isDate(msAt(this.view, this.at))) this.refuseValue(field)
    this.#pass('date', 8)
  }

  oneOf(field: Field, choices: readonly ByteMark[]): number {
    this.take(field)
    return this.choice(field, choices, 0)
  }

  /** @returns which of the strings it is, from some of them on. */
  choice(field: Field, choices: readonly ByteMark[], from: number): number {
    for (let at = from; at < choices.length; at += 1) {
      const choice = choices[at] as ByteMark
      if (!choice.isAt(this.view, this.at)) continue
      this.at += choice.length
      return at
    }
    return this.refuseValue(field)
  }

  optionalText(field: Field): void {
    if (this.isNext(field)) this.text(field)
  }

  text(field: Field): void {
    this.take(field)
    const start = this.at + 4
    const length = this.view.getInt32(this.at, true) - 1
    if (length < 0 || length > field.maximum * mostBytesOfCharacter) this.refuseValue(field)
    const end = start + length
    if (end >= this.end || this.bytes[end] !== 0) this.refuseValue(field)
    const characters = this.#charactersIn(start, end)
    if (!(characters >= field.minimum && characters <= field.maximum)) this.refuseValue(field)
    this.at = start
    this.#pass('text', length, field.minimum, field.maximum)
    this.at += 1
  }

  /** The number of characters (code points) of a text; none that can be counted where it is no UTF-8. */
  #charactersIn(start: number, end: number): number {
    if (isAscii(this.view, start, end - start)) return end - start
    const bytes = this.bytes.subarray(start, end)
    if (!isUtf8(bytes)) return Number.NaN
    return bytes.reduce((count, byte) => ((byte & 0xc0) === 0x80 ? count : count + 1), 0)
  }

  hash(field: Field): void {
    this.take(field)
    if (!hashPrefix.isAt(this.view, this.at)) this.refuseValue(field)
    this.at += hashPrefix.length
    this.#pass('any', hashBytes)
  }

  /** Goes on to the first field of a document inside. @returns where what comes after it begins. */
  document(field: Field): number {
    this.take(field)
    return this.begin()
  }

  begin(): number {
    const end = this.at + this.view.getInt32(this.at, true)
    this.at += 4
    return end
  }

  /** Nothing but the end of the document comes after its last field. */
  finish(end: number, field: Field): void {
    if (this.at !== end - 1 || this.bytes[this.at] !== 0) this.refuse(`something else follows in \`${field.name}\``)
    this.at = end
  }

  /** Goes on behind a value. */
  #pass(kind: Span['kind'], length: number, minimum = 0, maximum = 0): void {
    if (this.#isNoting) this.#spans.push({ kind, at: this.at - this.#start, length, minimum, maximum })
    this.at += length
  }

  refuseMissing(field: Field): never {
    return this.refuse(`\`${field.name}\` is not in its place, or of another type`)
  }

  refuseExtra(field: Field): never {
    return this.refuse(`\`${field.name}\` is not for an entry of this type`)
  }

  refuseValue(field: Field): never {
    return this.refuse(`\`${field.name}\` has a value that it cannot have`)
  }

  refuse(fault: string): never {
    this.#fault = fault
    throw refusal
  }
}
