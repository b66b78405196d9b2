import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign as signBytes,
} from 'node:crypto'
import { inspect } from 'node:util'
import { decodeBase64 } from './base64.js'
import { Ed25519Key } from './ed25519.js'

/** Ed25519, as the C2SP signed-note specification numbers it. */
const ed25519 = 0x01
/** No spaces, whatever Unicode calls one, no plus sign, and nothing that a note cannot have. */
const keyNamePattern = /^[^\s+\p{Cc}\p{Cs}\ufffd]{1,200}$/u
const signaturePrefix = '\u2014 '

/** A line of a signed note that is not in the specified form. */
export class NoteError extends Error {
  override readonly name = 'NoteError'
}

/** A text, and who signed it (C2SP signed-note). */
export interface SignedNote {
  /** What is signed; ends with a line feed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

export interface NoteSignature {
  readonly keyName: string
  readonly keyId: number
  /** What follows the key id. */
  readonly bytes: Buffer
}

/** @throws NoteError if it is no signed note. */
export function parseNote(note: string): SignedNote {
  requirePlain(note)
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) throw new NoteError('a signed note has a text, an empty line and signatures')
  const lines = note.slice(end + 2, -1).split('\n', mostSignatures + 1)
  if (lines.length > mostSignatures) throw new NoteError(`a signed note has at most ${mostSignatures} signatures`)
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) }
}

/** Half a surrogate pair, or what stands for a byte that is no UTF-8. */
const noText = /[\p{Cs}\ufffd]/u
const [lineFeed, space] = [0x0a, 0x20]
/** As `golang.org/x/mod/sumdb/note` has it: nobody spends an hour on the signatures of one note. */
const mostSignatures = 100
const longestNote = 1_000_000

/**
 * Control characters, and what is or stands for no UTF-8, would let two different notes look or sign the same.
 * @throws NoteError
 */
function requirePlain(note: string): void {
  if (note.length > longestNote) throw new NoteError(`a signed note has at most ${longestNote} characters`)
  if (note.startsWith('\ufeff')) throw new NoteError('a signed note does not begin with a byte-order mark')
  if (note.includes('\r\n')) throw new NoteError('the lines of a signed note end with a line feed, not with CRLF')
  for (let at = 0; at < note.length; at += 1) {
    const code = note.charCodeAt(at)
    if (code < space && code !== lineFeed) throw new NoteError('a signed note has no control characters')
  }
  if (noText.test(note)) throw new NoteError('a signed note is valid UTF-8')
}

function parseSignature(line: string): NoteSignature {
  const [keyName, encoded, ...more] = line.startsWith(signaturePrefix) ? line.slice(2).split(' ') : []
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded)
  if (
    keyName === undefined ||
    !keyNamePattern.test(keyName) ||
    more.length > 0 ||
    bytes === undefined ||
    bytes.length < 5
  )
    throw new NoteError('a signature line has a dash, the name of a key, and its signature in base64')
  return { keyName, keyId: bytes.readUInt32BE(0), bytes: bytes.subarray(4) }
}

/** The note as a text. */
export function formatNote({ text, signatures }: SignedNote): string {
  return `${text}\n${signatures.map((signature) => `${formatSignature(signature)}\n`).join('')}`
}

export function formatSignature({ keyName, keyId, bytes }: NoteSignature): string {
  const id = Buffer.alloc(4)
  id.writeUInt32BE(keyId)
  return `${signaturePrefix}${keyName} ${Buffer.concat([id, bytes]).toString('base64')}`
}

const mostParsedKeys = 100
/** To lay a key ready takes as long as to check a signature with it, and who checks many has few. */
const parsedKeys = new Map<string, VerifierKey>()

/** The public half of a key: checks signatures. */
export class VerifierKey {
  readonly name: string
  readonly keyId: number
  readonly #key: Ed25519Key

  private constructor(name: string, publicBytes: Buffer) {
    this.name = name
    this.keyId = keyIdOf(name, ed25519, publicBytes)
    this.#key = new Ed25519Key(publicBytes)
  }

  /** @param text `name+id+base64`, as {@link text} gives it. @throws NoteError. */
  static parse(text: string): VerifierKey {
    if (typeof text !== 'string') throw new NoteError('a verifier key is a text: name+id+base64')
    const known = parsedKeys.get(text)
    if (known !== undefined) return known
    const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text.trim()) ?? []
    const bytes = encoded === undefined ? undefined : decodeBase64(encoded)
    if (name === undefined || !keyNamePattern.test(name) || bytes?.length !== 33 || bytes[0] !== ed25519)
      throw new NoteError('a verifier key is name+id+base64 of an Ed25519 key')
    const key = new VerifierKey(name, bytes.subarray(1))
    if (Number.parseInt(id ?? '', 16) !== key.keyId)
      throw new NoteError('the id of the verifier key is not that of its key')
    if (parsedKeys.size >= mostParsedKeys) parsedKeys.clear()
    parsedKeys.set(text, key)
    return key
  }

  static ofPublicKey(name: string, publicKey: KeyObject): VerifierKey {
    return new VerifierKey(name, Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'))
  }

  /** `name+id+base64`, to be given to those who are to verify. */
  get text(): string {
    const bytes = Buffer.concat([Buffer.from([ed25519]), this.#key.bytes])
    return `${this.name}+${hexId(this.keyId)}+${bytes.toString('base64')}`
  }

  /** Whether the signature says that it is of this key. */
  isNamedIn({ keyName, keyId }: NoteSignature): boolean {
    return keyName === this.name && keyId === this.keyId
  }

  verifies(text: string, { bytes }: NoteSignature): boolean {
    return this.#key.verifies(text, bytes)
  }

  toJSON(): string {
    return this.text
  }
}

/** The private half of a key: signs. It shows itself nowhere. */
export class SignerKey {
  readonly verifier: VerifierKey
  readonly #key: KeyObject

  private constructor(name: string, key: KeyObject) {
    this.#key = key
    this.verifier = VerifierKey.ofPublicKey(name, createPublicKey(key))
  }

  /** @param text `PRIVATE+KEY+name+id+base64`. @throws NoteError, which does not quote it. */
  static parse(text: string): SignerKey {
    if (typeof text !== 'string') throw new NoteError('a signer key is a text: PRIVATE+KEY+name+id+base64')
    const [, name, id, encoded] = /^PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text.trim()) ?? []
    const bytes = encoded === undefined ? undefined : decodeBase64(encoded)
    if (name === undefined || !keyNamePattern.test(name) || bytes?.length !== 33 || bytes[0] !== ed25519)
      throw new NoteError('a signer key is PRIVATE+KEY+name+id+base64 of an Ed25519 key')
    const signer = new SignerKey(
      name,
      createPrivateKey({ key: pkcs8Of(bytes.subarray(1)), format: 'der', type: 'pkcs8' }),
    )
    if (Number.parseInt(id ?? '', 16) !== signer.verifier.keyId)
      throw new NoteError('the id of the signer key is not that of its key')
    return signer
  }

  sign(text: string): NoteSignature {
    const { name, keyId } = this.verifier
    return { keyName: name, keyId, bytes: signBytes(null, Buffer.from(text), this.#key) }
  }

  toJSON(): string {
    return '[signer key]'
  }

  [inspect.custom](): string {
    return `SignerKey ${this.verifier.name}`
  }
}

/** A new pair of keys. `signerKey` is a secret. */
export interface LogKeys {
  readonly signerKey: string
  readonly verifierKey: string
}

/**
 * Makes a key pair for a log.
 * @param origin The name of the log, which must be its own for ever: a URL without a scheme, such as `school.example/energy`.
 * @throws NoteError if it has spaces or a plus sign.
 */
export function generateLogKeys(origin: string): LogKeys {
  if (typeof origin !== 'string' || !keyNamePattern.test(origin))
    throw new NoteError('the name of a key has no spaces and no plus sign')
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url')
  const verifier = VerifierKey.ofPublicKey(origin, publicKey)
  const secret = Buffer.concat([Buffer.from([ed25519]), seed]).toString('base64')
  return { signerKey: `PRIVATE+KEY+${origin}+${hexId(verifier.keyId)}+${secret}`, verifierKey: verifier.text }
}

/** The first four bytes of SHA-256 over the name, a line feed, the kind of signature and the public key. */
export function keyIdOf(name: string, kind: number, publicBytes: Uint8Array): number {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([kind]), publicBytes])
  return hash('sha256', bytes, 'buffer').readUInt32BE(0)
}

/** The id as a key is written with it: 8 hexadecimal digits. */
export function hexId(keyId: number): string {
  return keyId.toString(16).padStart(8, '0')
}

/** The envelope of RFC 8410 around a seed. */
function pkcs8Of(seed: Buffer): Buffer {
  return Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
}
