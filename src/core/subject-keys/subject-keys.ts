import { randomBytes } from 'node:crypto'
import { ConflictError, DatabaseError } from '../errors.js'
import type { KeyRing } from '../key-ring.js'
import type { SubjectKeyStore } from './subject-key-store.js'

const keyBytes = 32
const keysAtOnce = 1_000

/**
 * The keys of persons, as they are used. They are asked for each time: one that was destroyed is of no use from then on, in no process.
 */
export class SubjectKeys {
  readonly #store: SubjectKeyStore
  readonly #keyRing: () => KeyRing

  constructor(store: SubjectKeyStore, keyRing: () => KeyRing) {
    this.#store = store
    this.#keyRing = keyRing
  }

  /** The keys to seal with, made for those who have none. @throws ConflictError for somebody whose key was destroyed. */
  async forSealing(subjects: Iterable<string>): Promise<ReadonlyMap<string, Buffer>> {
    const wanted = [...new Set(subjects)]
    const kept = wanted.length === 0 ? new Map<string, string | null>() : await this.#store.read(wanted)
    const keys = new Map<string, Buffer>()
    for (const subject of wanted) {
      const sealed = kept.has(subject) ? kept.get(subject) : await this.#store.write(subject, this.#newKey(subject))
      if (sealed == null) throw new ConflictError('CONFLICT', 'The person whom the sealed fields are about was erased')
      keys.set(subject, this.#opened(subject, sealed))
    }
    return keys
  }

  /**
   * The key to open with; null where it was destroyed.
   * @throws DatabaseError `KEY_RING` for somebody who has no key in this store: it is not the store that the field was sealed with.
   */
  async forOpening(subject: string): Promise<Buffer | null> {
    const sealed = (await this.#store.read([subject])).get(subject)
    if (sealed === undefined)
      throw new DatabaseError('KEY_RING', 'The key of the person is not in the store of keys that the handle has')
    return sealed === null ? null : this.#opened(subject, sealed)
  }

  /** Seals the keys of these persons anew that are not sealed with the active key of the ring. */
  async reseal(subjects: Iterable<string>): Promise<void> {
    const keyRing = this.#keyRing()
    for (const [subject, sealed] of await this.#store.read([...new Set(subjects)])) {
      if (sealed === null || keyRing.isCurrent(sealed)) continue
      const renewed = keyRing.seal(this.#opened(subject, sealed).toString('base64'), placeOf(subject))
      await this.#store.write(subject, renewed, sealed)
    }
  }

  /** Makes what was sealed for the person unreadable, wherever it lies. */
  async destroy(subject: string): Promise<void> {
    await this.#store.destroy(subject)
  }

  /** As {@link destroy}, of those who have a key. */
  async destroyAll(subjects: Iterable<string>): Promise<void> {
    const all = [...subjects]
    for (let at = 0; at < all.length; at += keysAtOnce) {
      for (const [subject, key] of await this.#store.read(all.slice(at, at + keysAtOnce)))
        if (key !== null) await this.#store.destroy(subject)
    }
  }

  #newKey(subject: string): string {
    return this.#keyRing().seal(randomBytes(keyBytes).toString('base64'), placeOf(subject))
  }

  #opened(subject: string, sealed: string): Buffer {
    return Buffer.from(this.#keyRing().open(sealed, placeOf(subject)), 'base64')
  }
}

function placeOf(subject: string): string {
  return `subject key/${subject}`
}
