import { createPublicKey, type KeyObject, verify } from 'node:crypto'

/** 2^255 - 19, little-endian: coordinates are below it. */
const prime = Buffer.from(`ed${'ff'.repeat(30)}7f`, 'hex')
const [one, minusOne] = [Buffer.from(`01${'00'.repeat(31)}`, 'hex'), Buffer.from(`ec${'ff'.repeat(30)}7f`, 'hex')]

/** A public key of Ed25519. */
export class Ed25519Key {
  readonly bytes: Buffer
  readonly #key: KeyObject
  readonly #isCanonical: boolean

  /** @param bytes 32 of them; whether they are a point shows when a signature is checked. */
  constructor(bytes: Buffer) {
    this.bytes = bytes
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }
    this.#key = createPublicKey({ key: jwk, format: 'jwk' })
    this.#isCanonical = isCanonical(bytes)
  }

  /** As RFC 8032, section 5.1.7, has it, by the equation without the cofactor. A key that is no point has signed nothing. */
  verifies(message: string, signature: Buffer): boolean {
    return this.#isCanonical && verify(null, Buffer.from(message), this.#key, signature)
  }
}

/**
 * Whether a point is encoded in the one way of RFC 8032, section 5.1.3. OpenSSL decodes others, too: a y of the prime or more, and
 * the sign of an x that is zero, which it is for a y of 1 and -1.
 */
function isCanonical(bytes: Buffer): boolean {
  const y = Buffer.from(bytes)
  const sign = y.readUInt8(31) & 0x80
  y[31] = y.readUInt8(31) & 0x7f
  const isBelowPrime = Buffer.compare(y.toReversed(), prime.toReversed()) < 0
  return isBelowPrime && (sign === 0 || !(y.equals(one) || y.equals(minusOne)))
}
