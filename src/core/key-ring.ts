import { createHmac, hkdfSync } from 'node:crypto'
import { DatabaseError } from './errors.js'
import { bytesIn, openedBytes, sealedBytes } from './sealed-bytes.js'

const keyBytes = 32
const keyName = /^[A-Za-z0-9_-]{1,64}$/

/** Keys for fields that are encrypted at rest. To rotate, add a new key, make it active, and call `volt.resealSecrets()`. */
export interface KeyRingOptions {
  /** The name of the key that seals from now on. */
  readonly active: string
  /** Every key that something may still be sealed with: 32 bytes each, as they are or in base64. */
  readonly keys: Readonly<Record<string, Uint8Array | string>>
}

/** Seals short texts with AES-256-GCM. What is sealed is bound to its place, so it cannot be moved to another document. */
export class KeyRing {
  readonly active: string
  readonly #keys: ReadonlyMap<string, Buffer>
  /** Derived keys, by the name of the key and the purpose: one for each of them and each blind index. */
  readonly #derived = new Map<string, Buffer>()

  /** @throws DatabaseError `KEY_RING` if a key is not 32 bytes, a name is not usable or the active key is missing. */
  constructor(options: KeyRingOptions) {
    this.#keys = new Map(Object.entries(options.keys).map(([name, key], at) => [name, readKey(name, key, at)]))
    this.active = options.active
    if (!this.#keys.has(options.active)) {
      throw new DatabaseError('KEY_RING', 'The active key is not among the keys')
    }
  }

  /** @param place Where the text will be stored, such as `devices/secret/65f0...`. */
  seal(plain: string, place: string): string {
    const sealed = sealedBytes(this.#key(this.active), plain, place)
    return `av1.${this.active}.${sealed.toString('base64url')}`
  }

  /** @throws DatabaseError `KEY_RING` if the key is not known, or the text was altered or moved from its place. */
  open(sealed: string, place: string): string {
    const { name, bytes } = partsOf(sealed)
    if (name === undefined || bytes === undefined) {
      throw new DatabaseError('KEY_RING', `What is stored at ${place} is not a sealed text`)
    }
    const key = this.#key(name)
    try {
      return openedBytes(key, bytes, place)
    } catch (cause) {
      throw new DatabaseError('KEY_RING', `What is stored at ${place} was altered, moved, or sealed with another key`, {
        cause,
      })
    }
  }

  /** Whether the text was sealed with the active key. */
  isCurrent(sealed: string): boolean {
    return sealed.startsWith(`av1.${this.active}.`)
  }

  /**
   * Keyed hashes of a text (HMAC-SHA-256), by which equal texts can be told without being read: one for each key of the ring,
   * that of the active key first. They say nothing of each other, nor of those for another purpose.
   * @param purpose What they are for, such as a field of an entity: each has a key of its own, derived by HKDF-SHA-256.
   */
  hashes(plain: string, purpose: string): string[] {
    const others = [...this.#keys.keys()].filter((name) => name !== this.active)
    return [this.active, ...others].map((name) => {
      const hmac = createHmac('sha256', this.#derivedKey(name, purpose)).update(plain, 'utf8').digest('base64url')
      return `bi1.${name}.${hmac}`
    })
  }

  #derivedKey(name: string, purpose: string): Buffer {
    const known = this.#derived.get(`${name}/${purpose}`)
    if (known !== undefined) return known
    const info = `autovolt blind index 1/${purpose}`
    const derived = Buffer.from(hkdfSync('sha256', this.#key(name), Buffer.alloc(0), info, keyBytes))
    this.#derived.set(`${name}/${purpose}`, derived)
    return derived
  }

  #key(name: string): Buffer {
    const key = this.#keys.get(name)
    if (key === undefined) throw new DatabaseError('KEY_RING', `The key ${JSON.stringify(name)} is not in the key ring`)
    return key
  }
}

const sealedParts = /^av1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]+)$/

/** A part more would not be looked at, so there may be none. */
function partsOf(sealed: string): { readonly name?: string; readonly bytes?: Buffer } {
  const [, name, body = ''] = sealedParts.exec(sealed) ?? []
  const bytes = bytesIn(body)
  return name === undefined || bytes === undefined ? {} : { name, bytes }
}

/** A key that was given as a name, or as the active one, must not be in an error: keys are named by their positions. */
function readKey(name: string, key: Uint8Array | string, at: number): Buffer {
  if (!keyName.test(name)) {
    throw new DatabaseError('KEY_RING', `The name of key ${at + 1} may have only letters, digits, _ and -, at most 64`)
  }
  if (typeof key !== 'string' && !(key instanceof Uint8Array))
    throw new DatabaseError('KEY_RING', `Key ${at + 1} is neither bytes nor a text in base64`)
  const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : Buffer.from(key)
  if (bytes.length !== keyBytes) {
    throw new DatabaseError('KEY_RING', `Key ${at + 1} has ${bytes.length} bytes; AES-256 takes ${keyBytes}`)
  }
  return bytes
}
