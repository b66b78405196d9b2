import { createHash } from 'node:crypto'
import { formatNote, keyIdOf } from '../../../src/ledger/log/signed-note.js'
import { jsonLine, origin } from './parts.js'
import { base, checkpointText, entry1, entry2, fileVector, headerLine, note, withCheckpoint } from './sample.js'
import type { Vector, Verdict } from './vector.js'

// Signatures of Ed25519 that programs judge differently: RFC 8032, sections 5.1.3 and 5.1.7.

const prime = 2n ** 255n - 19n
const order = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n
/** Of the point that all others are multiples of. */
const basePoint = Buffer.from(`58${'66'.repeat(31)}`, 'hex')

/** A number in 32 bytes, little-endian. */
function bytesOf(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse()
}

/** A point without x, whose x is said to be negative. */
function withSign(point: Buffer): Buffer {
  const changed = Buffer.from(point)
  changed.writeUInt8(changed.readUInt8(31) | 0x80, 31)
  return changed
}

const neutral = bytesOf(1n)
/** It is neutral when it is taken twice. */
const ofOrderTwo = bytesOf(prime - 1n)

type Sign = (text: string) => Buffer

/** The file, as if a key had signed it. */
function fileBy(publicBytes: Buffer, sign: Sign, checkpoint = checkpointText): { file: string; digestText: string } {
  const noteOf = (text: string) =>
    formatNote({
      text,
      signatures: [{ keyName: origin, keyId: keyIdOf(origin, 1, publicBytes), bytes: sign(text) }],
    })
  const lines = [headerLine, entry1, entry2, jsonLine({ checkpoint: noteOf(checkpoint) })].join('')
  const { fromSize, size } = base.header
  const sha256 = createHash('sha256').update(lines).digest('base64')
  const digestText = `autovolt-ledger-export/1\n${origin}\n${fromSize} ${size}\n${sha256}\n`
  return { file: lines + jsonLine({ digest: noteOf(digestText) }), digestText }
}

function keyOf(publicBytes: Buffer): string {
  const encoded = Buffer.concat([Buffer.of(1), publicBytes]).toString('base64')
  return `${origin}+${keyIdOf(origin, 1, publicBytes).toString(16).padStart(8, '0')}+${encoded}`
}

const vector = (name: string, verdict: Verdict, publicBytes: Buffer, signature: Buffer): Vector => ({
  ...fileVector(name, verdict, [fileBy(publicBytes, () => signature).file], { keys: [keyOf(publicBytes)] }),
  name: `keys: ${name}`,
})
/** Whatever is signed: S is 1, so that R is the base point, where the key is neutral. */
const one = Buffer.concat([basePoint, bytesOf(1n)])
const zero = (r: Buffer) => Buffer.concat([r, bytesOf(0n)])

/** Whether a key of order two adds itself to the equation. */
function isOdd(text: string): boolean {
  const digest = createHash('sha512').update(basePoint).update(ofOrderTwo).update(text).digest()
  return (BigInt(`0x${Buffer.from(digest).reverse().toString('hex')}`) % order) % 2n === 1n
}

/** A file by the key of order two, whose digest fits; its checkpoint fits only by the equation with the cofactor, if it is odd. */
function byOrderTwo(isCheckpointOdd: boolean): string {
  for (let number = 0; ; number += 1) {
    const checkpoint = `${checkpointText}${number}\n`
    const { file, digestText } = fileBy(ofOrderTwo, () => one, checkpoint)
    if (isOdd(checkpoint) === isCheckpointOdd && !isOdd(digestText)) return file
  }
}

/** The same signature, with an S that is larger by the order. */
function malleated(signed: string): string {
  const [, encoded = ''] = /^\u2014 \S+ (\S+)$/mu.exec(signed) ?? []
  const bytes = Buffer.from(encoded, 'base64')
  const s = BigInt(`0x${Buffer.from(bytes.subarray(36)).reverse().toString('hex')}`)
  return signed.replace(encoded, Buffer.concat([bytes.subarray(0, 36), bytesOf(s + order)]).toString('base64'))
}

export const pointVectors: readonly Vector[] = [
  vector('a key that is the neutral point', 'sound', neutral, one),
  vector('a key that is the neutral point, written with the prime added', 'damaged', bytesOf(prime + 1n), one),
  vector('a key that is the neutral point, written with a sign', 'damaged', withSign(neutral), one),
  vector('a key of order two, written with a sign', 'damaged', withSign(ofOrderTwo), one),
  vector('a key that is no point', 'damaged', bytesOf(2n), one),
  vector('an R that is the neutral point', 'sound', neutral, zero(neutral)),
  vector('an R that is the neutral point, written with the prime added', 'damaged', neutral, zero(bytesOf(prime + 1n))),
  vector('an R that is the neutral point, written with a sign', 'damaged', neutral, zero(withSign(neutral))),
  vector('an R that is no point', 'damaged', neutral, zero(bytesOf(2n))),
  ...[true, false].map((isOddOne) => ({
    ...fileVector('', isOddOne ? 'damaged' : 'sound', [byOrderTwo(isOddOne)], { keys: [keyOf(ofOrderTwo)] }),
    name: `keys: a signature by a key of order two that fits ${isOddOne ? 'with the cofactor alone' : 'without the cofactor'}`,
  })),
  {
    ...fileVector('', 'damaged', [withCheckpoint(malleated(note))]),
    name: 'keys: an S that is larger by the order',
  },
]
