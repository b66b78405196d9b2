import { EntryShape, type Span } from './entry-shape.js'
import type { StoredBytes } from './stored-bytes.js'

/** Of one length: there may be more, which are read field by field. */
const shapesPerLength = 8
/** Then those that were learnt first may be out of use. */
const mostMisses = 100_000

/** Known shapes: how the entries that were read so far are laid out, by their length. */
export class KnownShapes {
  readonly #shapes = new Map<number, EntryShape[]>()
  #misses = 0

  has(view: DataView, { start, length }: StoredBytes): boolean {
    if (start + length > view.byteLength) return false
    const shapes = this.#shapes.get(length)
    if (shapes === undefined) return false
    for (const shape of shapes) if (shape.isOf(view, start, length)) return true
    return false
  }

  /** To be called with what is an entry, and of no shape that is known. */
  learn(entry: StoredBytes, spans: () => readonly Span[]): void {
    const shapes = this.#shapes.get(entry.length)
    if (shapes === undefined) this.#shapes.set(entry.length, [new EntryShape(entry, spans())])
    else if (shapes.length < shapesPerLength) shapes.push(new EntryShape(entry, spans()))
    this.#misses += 1
    if (this.#misses < mostMisses) return
    this.#misses = 0
    this.#shapes.clear()
  }
}
