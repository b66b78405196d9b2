import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { DatabaseError } from '../../core/errors.js'
import { decodeBase64 } from './base64.js'
import { keyIdOf, type NoteSignature } from './signed-note.js'

/** Ed25519 keys of C2SP tlog-cosignature. */
const cosignature = 0x04

/** The public key of a witness: its signatures carry the time at which it signed (C2SP tlog-cosignature, `cosignature/v1`). */
export class WitnessKey {
  readonly name: string
  readonly #keyId: number
  readonly #key: KeyObject

  private constructor(name: string, keyId: number, key: KeyObject) {
    this.name = name
    this.#keyId = keyId
    this.#key = key
  }

  /** @param text `name+id+base64`. @throws DatabaseError `CONFIGURATION`. */
  static parse(text: string): WitnessKey {
    const [, name = '', id = '', encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text.trim()) ?? []
    const bytes = decodeBase64(encoded)
    const publicBytes = bytes?.subarray(1)
    if (
      publicBytes?.length !== 32 ||
      bytes?.[0] !== cosignature ||
      Number.parseInt(id, 16) !== keyIdOf(name, cosignature, publicBytes)
    )
      throw new DatabaseError(
        'CONFIGURATION',
        'The verifier key of a witness is name+id+base64 of a cosignature/v1 key',
      )
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicBytes.toString('base64url') }
    return new WitnessKey(name, Number.parseInt(id, 16), createPublicKey({ key: jwk, format: 'jwk' }))
  }

  /** Whether the signature on the checkpoint is this witness's. */
  verifies(checkpointText: string, { keyName, keyId, bytes }: NoteSignature): boolean {
    if (keyName !== this.name || keyId !== this.#keyId || bytes.length !== 8 + 64) return false
    const message = `cosignature/v1\ntime ${bytes.readBigUInt64BE(0)}\n${checkpointText}`
    return verify(null, Buffer.from(message), this.#key, bytes.subarray(8))
  }
}
