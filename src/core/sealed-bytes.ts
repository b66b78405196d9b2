import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/** Encrypts with AES-256-GCM, and binds the text to its place: nonce, what is encrypted, tag. */
export function sealedBytes(key: Buffer, plain: string, place: string): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(place))
  return Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** @throws Error for bytes that were altered, moved, or sealed with another key. */
export function openedBytes(key: Buffer, bytes: Buffer, place: string): string {
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-tagBytes))
  return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
}

/** The bytes of the text; undefined for one that is none of ours. Each has one spelling: base64url has others for the same bytes. */
export function bytesIn(body: string): Buffer | undefined {
  const bytes = Buffer.from(body, 'base64url')
  const isWhole = bytes.length >= nonceBytes + tagBytes && bytes.toString('base64url') === body
  return isWhole ? bytes : undefined
}
