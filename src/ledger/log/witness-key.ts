import { decodeBase64 } from './base64.js'
import { Ed25519Key } from './ed25519.js'
import { keyIdOf, NoteError, type NoteSignature } from './signed-note.js'

/** Ed25519 keys of C2SP tlog-cosignature. */
const cosignature = 0x04

/** The public key of a witness: its signatures carry the time at which it signed (C2SP tlog-cosignature, `cosignature/v1`). */
export class WitnessKey {
  readonly name: string
  readonly #keyId: number
  readonly #key: Ed25519Key

  private constructor(name: string, keyId: number, key: Ed25519Key) {
    this.name = name
    this.#keyId = keyId
    this.#key = key
  }

  /** @param given `name+id+base64`. @throws NoteError. */
  static parse(given: unknown): WitnessKey {
    const text = typeof given === 'string' ? given : ''
    const [, name = '', id = '', encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text.trim()) ?? []
    const bytes = decodeBase64(encoded)
    const publicBytes = bytes?.subarray(1)
    if (
      publicBytes?.length !== 32 ||
      bytes?.[0] !== cosignature ||
      Number.parseInt(id, 16) !== keyIdOf(name, cosignature, publicBytes)
    )
      throw new NoteError('the verifier key of a witness is name+id+base64 of a cosignature/v1 key')
    return new WitnessKey(name, Number.parseInt(id, 16), new Ed25519Key(publicBytes))
  }

  /** Whether the signature on the checkpoint is this witness's. */
  verifies(checkpointText: string, { keyName, keyId, bytes }: NoteSignature): boolean {
    if (keyName !== this.name || keyId !== this.#keyId || bytes.length !== 8 + 64) return false
    const message = `cosignature/v1\ntime ${bytes.readBigUInt64BE(0)}\n${checkpointText}`
    return this.#key.verifies(message, bytes.subarray(8))
  }
}
