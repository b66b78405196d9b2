import { hash } from 'node:crypto'
import { documentLength } from '../format/bson-blocks.js'

/**
 * A sum over documents that does not depend on their order: how many there are, and the SHA-256 of each added up. Two
 * collections with the same sum have the same documents, byte by byte.
 */
export class ContentSum {
  readonly #lanes = new Uint32Array(8)
  #documents = 0

  /** Adds whole documents, one after the other. */
  addAll(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const length = documentLength(bytes, at)
      this.add(bytes.subarray(at, at + length))
      at += length
    }
  }

  add(document: Uint8Array): void {
    const digest = hash('sha256', document, 'buffer')
    for (let lane = 0; lane < this.#lanes.length; lane += 1)
      this.#lanes[lane] = (this.#lanes[lane] ?? 0) + digest.readUInt32LE(lane * 4)
    this.#documents += 1
  }

  get documents(): number {
    return this.#documents
  }

  equals(other: ContentSum): boolean {
    return this.#documents === other.#documents && this.#lanes.every((value, lane) => value === other.#lanes[lane])
  }
}
