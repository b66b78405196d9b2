import type { StoredBytes } from './stored-bytes.js'

/** A place in an entry whose bytes differ between entries that are laid out alike. */
export interface Span {
  readonly at: number
  readonly length: number
  readonly kind: 'any' | 'number' | 'integer' | 'date' | 'byte' | 'text'
  /** Of numbers and bytes the smallest and largest value, of texts the fewest and most characters. */
  readonly minimum: number
  readonly maximum: number
}

/** ms since 1970, either way: what a date of ECMAScript can be. */
const furthestMs = 8.64e15
const notAscii = 0x80808080

/** The milliseconds of a BSON date, as far as a double can tell them. */
export function msAt(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true)
}

export function isDate(ms: number): boolean {
  return ms >= -furthestMs && ms <= furthestMs
}

/**
 * How an entry is laid out that was read field by field. Of a fleet's entries most are laid out as one that came before, and
 * to compare the bytes between the values with that one's takes a fraction of the time of reading them.
 */
export class EntryShape {
  readonly #length: number
  /** The bytes between the values, eight at a time where there are so many: where they are, and the number that they are. */
  readonly #doubleOffsets: Int32Array
  readonly #doubles: Float64Array
  /** The others, four at a time: where they are, which of their bits count, and what these are. */
  readonly #offsets: Int32Array
  readonly #masks: Int32Array
  readonly #words: Int32Array
  readonly #numbers: readonly Span[]
  readonly #dates: readonly Span[]
  readonly #bytes: readonly Span[]
  readonly #texts: readonly Span[]

  /** @param spans Of an entry that was found to be one, from its beginning on, in order. */
  constructor({ buffer, start, length }: StoredBytes, spans: readonly Span[]) {
    this.#length = length
    const fixed = [...fixedWords(buffer.subarray(start, start + length), spans)]
    const doubles = fixed.filter((word) => 'double' in word)
    this.#doubleOffsets = Int32Array.from(doubles, ({ at }) => at)
    this.#doubles = Float64Array.from(doubles, ({ double }) => double)
    const words = fixed.filter((word) => 'mask' in word)
    this.#offsets = Int32Array.from(words, ({ at }) => at)
    this.#masks = Int32Array.from(words, ({ mask }) => mask)
    this.#words = Int32Array.from(words, ({ word }) => word)
    this.#numbers = spans.filter(({ kind }) => kind === 'number' || kind === 'integer')
    this.#dates = spans.filter(({ kind }) => kind === 'date')
    this.#bytes = spans.filter(({ kind }) => kind === 'byte')
    this.#texts = spans.filter(({ kind }) => kind === 'text')
  }

  /** Whether the bytes are an entry that is laid out in this way, with texts of ASCII alone: else they may still be one. */
  isOf(view: DataView, start: number, length: number): boolean {
    return (
      length === this.#length &&
      this.#hasFixed(view, start) &&
      this.#hasNumbers(view, start) &&
      this.#hasDates(view, start) &&
      this.#hasBytes(view, start) &&
      this.#hasTexts(view, start)
    )
  }

  #hasFixed(view: DataView, start: number): boolean {
    const doubleOffsets = this.#doubleOffsets
    const doubles = this.#doubles
    for (let n = 0; n < doubleOffsets.length; n += 1) {
      if (view.getFloat64(start + (doubleOffsets[n] as number), true) !== doubles[n]) return false
    }
    const offsets = this.#offsets
    const masks = this.#masks
    const words = this.#words
    for (let n = 0; n < offsets.length; n += 1) {
      const word = view.getInt32(start + (offsets[n] as number), true) & (masks[n] as number)
      if (word !== words[n]) return false
    }
    return true
  }

  #hasNumbers(view: DataView, start: number): boolean {
    for (const { at, kind, minimum, maximum } of this.#numbers) {
      const value = view.getFloat64(start + at, true)
      if (!isWithin(value, minimum, maximum)) return false
      if (kind === 'integer' && Math.floor(value) !== value) return false
    }
    return true
  }

  #hasDates(view: DataView, start: number): boolean {
    for (const { at } of this.#dates) if (!isDate(msAt(view, start + at))) return false
    return true
  }

  #hasBytes(view: DataView, start: number): boolean {
    for (const { at, minimum, maximum } of this.#bytes) {
      if (!isWithin(view.getUint8(start + at), minimum, maximum)) return false
    }
    return true
  }

  #hasTexts(view: DataView, start: number): boolean {
    for (const { at, length, minimum, maximum } of this.#texts) {
      if (!isWithin(length, minimum, maximum) || !isAscii(view, start + at, length)) return false
    }
    return true
  }
}

function isWithin(value: number, minimum: number, maximum: number): boolean {
  return value >= minimum && value <= maximum
}

export function isAscii(view: DataView, start: number, length: number): boolean {
  const end = start + length
  let at = start
  for (; at + 4 <= end; at += 4) if ((view.getInt32(at, true) & notAscii) !== 0) return false
  for (; at < end; at += 1) if (view.getUint8(at) > 0x7f) return false
  return true
}

type FixedWord =
  | { readonly at: number; readonly double: number }
  | { readonly at: number; readonly mask: number; readonly word: number }

/** The bytes outside the spans; the last ones before a span are taken with those before them, so that none behind are read. */
function* fixedWords(bytes: Buffer, spans: readonly Span[]): Generator<FixedWord, void, undefined> {
  let begin = 0
  for (const { at: end, length } of [...spans, { at: bytes.length, length: 0 }]) {
    for (let at = begin; at < end; ) {
      const double = at + 8 <= end ? bytes.readDoubleLE(at) : 0
      // Two doubles that are equal have the same bits, but for the zeros; and one that is none equals nothing.
      if (double !== 0 && !Number.isNaN(double)) {
        yield { at, double }
        at += 8
        continue
      }
      const missing = Math.max(0, at + 4 - end)
      // Bits of the bytes before, which belong to a value, or were compared already.
      const mask = missing === 0 ? -1 : -1 << (8 * missing)
      yield { at: at - missing, mask, word: bytes.readInt32LE(at - missing) & mask }
      at += 4
    }
    begin = end + length
  }
}
