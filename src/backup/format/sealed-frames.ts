import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { ByteReader } from './byte-reader.js'
import { FormatError } from './format-error.js'

/**
 * A sealed file: a magic text, the salt of its key, then frames of AES-256-GCM. Each file has a key of its own, derived from
 * the data key of its backup (HKDF-SHA-256 over the salt and the file's place), so no pair of key and nonce is used twice. The
 * nonce of a frame is its number and whether it is the last one: frames cannot be moved, left out, repeated or added, and a
 * file cannot end before its last frame (the STREAM construction, as in C2SP age).
 */
const magic = Buffer.from('AVSEALED1\n')
const saltBytes = 32
const tagBytes = 16
const frameBytes = 1 << 20
const algorithm = 'aes-256-gcm'

/** @param place What the file is bound to: the id of its backup and its path in it. */
export async function* seal(
  chunks: AsyncIterable<Uint8Array>,
  dataKey: Uint8Array,
  place: string,
): AsyncGenerator<Buffer, void, undefined> {
  const salt = randomBytes(saltBytes)
  const key = fileKey(dataKey, salt, place)
  const header = Buffer.concat([magic, salt])
  yield header
  await using reader = new ByteReader(chunks)
  for (let number = 0; ; number += 1) {
    // One byte more shows whether a frame follows.
    const next = await reader.peek(frameBytes + 1)
    const isLast = next.length <= frameBytes
    const plain = await reader.read(isLast ? next.length : frameBytes)
    const cipher = createCipheriv(algorithm, key, nonceOf(number, isLast), { authTagLength: tagBytes }).setAAD(header)
    yield Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    if (isLast) return
  }
}

/** Gives only what was authenticated, frame by frame. @throws FormatError for another key, and whatever was altered. */
export async function* unseal(
  chunks: AsyncIterable<Uint8Array>,
  dataKey: Uint8Array,
  place: string,
): AsyncGenerator<Buffer, void, undefined> {
  await using reader = new ByteReader(chunks)
  const header = await reader.read(magic.length + saltBytes)
  if (!header.subarray(0, magic.length).equals(magic)) throw new FormatError('it does not begin as a sealed file does')
  const key = fileKey(dataKey, header.subarray(magic.length), place)
  for (let number = 0; ; number += 1) {
    const next = await reader.peek(frameBytes + tagBytes + 1)
    const isLast = next.length <= frameBytes + tagBytes
    const sealed = await reader.read(isLast ? next.length : frameBytes + tagBytes)
    yield openFrame(sealed, key, number, isLast, header)
    if (isLast) return
  }
}

function openFrame(sealed: Buffer, key: Buffer, number: number, isLast: boolean, header: Buffer): Buffer {
  // Only an empty file has an empty last frame: a frame more could be added otherwise.
  if (sealed.length < tagBytes + (number === 0 ? 0 : 1)) throw new FormatError(`its frame ${number} is cut off`)
  try {
    const decipher = createDecipheriv(algorithm, key, nonceOf(number, isLast), { authTagLength: tagBytes })
    decipher.setAAD(header).setAuthTag(sealed.subarray(-tagBytes))
    return Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()])
  } catch (cause) {
    throw new FormatError(`its frame ${number} was altered, or is sealed with another key`, { cause })
  }
}

function fileKey(dataKey: Uint8Array, salt: Uint8Array, place: string): Buffer {
  return Buffer.from(hkdfSync('sha256', dataKey, salt, `autovolt backup 1|${place}`, 32))
}

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(number, 5, 6)
  nonce[11] = isLast ? 1 : 0
  return nonce
}
