import { createHash, hash, type KeyObject, verify } from 'node:crypto'
import { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import { ConflictError, DatabaseError } from '../core/errors.js'
import { objectId } from '../core/fields.js'
import { refused } from '../core/repository/data.js'
import { validateData } from '../core/validate.js'
import { boardName, chunkBytes, type Firmware, hardwareText, sha256Hex, signatureText } from './firmware.js'
import type { FirmwareFiles } from './firmware-files.js'
import type { FirmwareLimits } from './firmware-options.js'
import { semanticVersion } from './semantic-version.js'

export const firmwareInputSchema = z.strictObject({
  /** Of semver.org. */
  version: semanticVersion(),
  /** Such as `esp32dev`. */
  board: boardName(),
  /** What of the board it needs, such as `rev-c`. */
  hardware: hardwareText().optional(),
  /** What is new, for people. */
  notes: z.string().max(10_000).optional(),
  /** What the image has to come to, in hexadecimal digits. */
  sha256: sha256Hex().optional(),
  /** Ed25519, in base64, over {@link signedText}. */
  signature: signatureText().optional(),
  /** The user who has uploaded it. */
  createdBy: objectId().optional(),
})

/** Firmware input: what is said of an image. */
export type FirmwareInput = z.input<typeof firmwareInputSchema>
type ParsedInput = z.output<typeof firmwareInputSchema>

/** How long an upload may show no progress. */
const uploadMs = 600_000
/** How often it shows that it goes on. */
const chunksBetweenSigns = 16

interface Written {
  readonly bytes: number
  readonly sha256: string
  readonly chunkSha256: readonly string[]
}

/** Takes images in, and removes what dead uploads have left. */
export class FirmwareUpload {
  readonly #database: Database
  readonly #documents: EntityCollection<Firmware>
  readonly #files: FirmwareFiles
  readonly #limits: FirmwareLimits

  constructor(database: Database, documents: EntityCollection<Firmware>, files: FirmwareFiles, limits: FirmwareLimits) {
    this.#database = database
    this.#documents = documents
    this.#files = files
    this.#limits = limits
  }

  /** The marker comes first, so that whatever becomes of this process, what it has written is found. */
  async upload(input: ParsedInput, source: AsyncIterable<Uint8Array>): Promise<Firmware> {
    const { sha256: _, ...said } = input
    if (said.signature !== undefined && this.#limits.publicKeys.length === 0)
      throw new DatabaseError('CONFIGURATION', 'A signature needs `firmware.publicKeys` to be checked by')
    if (said.signature === undefined && this.#limits.publicKeys.length > 0)
      throw refused('The firmware', 'signature', 'expected a signature', undefined)
    await this.sweep({ board: said.board, version: said.version })
    await this.#files.prepare()
    const marker = { ...said, status: 'uploading' as const, fileId: new ObjectId(), uploadUntil: this.#until() }
    const { _id } = await this.#documents.for('upload').insertOne(marker)
    try {
      const written = await this.#write(_id, marker.fileId, source)
      this.#check(input, written)
      await this.#files.writeFile(marker.fileId, written.bytes, `${said.board} ${said.version}`)
      return await this.#finish(_id, written)
    } catch (error) {
      await this.#removeFile({ _id, fileId: marker.fileId })
      throw error
    }
  }

  /** Removes what uploads have left that show no progress any more. @returns how many. */
  async sweep(of: { readonly board?: string; readonly version?: string } = {}): Promise<number> {
    const dead = {
      ...of,
      status: { $in: ['uploading', 'removing'] },
      uploadUntil: { $lte: this.#database.clock.now() },
    }
    const found = await this.#documents.for('sweep').find(dead, { limit: 100 })
    for (const { _id, fileId } of found) {
      // One that goes on after all notices: it is not `uploading` any more.
      const { matched } = await this.#documents
        .for('sweep')
        .updateOne({ ...dead, _id }, { $set: { status: 'removing' } })
      if (matched > 0) await this.#removeFile({ _id, fileId })
    }
    return found.length
  }

  /** Removes an image; what is left after a crash the next sweep removes. */
  async remove(_id: ObjectId): Promise<void> {
    const set = { $set: { status: 'removing', uploadUntil: this.#database.clock.now() } }
    const removed = await this.#documents.for('remove').findOneAndUpdate({ _id }, set)
    if (removed !== null) await this.#removeFile(removed)
  }

  async #removeFile({ _id, fileId }: Pick<Firmware, '_id' | 'fileId'>): Promise<void> {
    await this.#files.remove(fileId)
    await this.#documents.for('remove').deleteOne({ _id, fileId })
  }

  async #write(_id: ObjectId, fileId: ObjectId, source: AsyncIterable<Uint8Array>): Promise<Written> {
    const whole = createHash('sha256')
    const chunkSha256: string[] = []
    let bytes = 0
    for await (const chunk of chunksOf(source)) {
      bytes += chunk.length
      if (bytes > this.#limits.maximumBytes)
        throw refused('The firmware', 'bytes', `expected at most ${this.#limits.maximumBytes} bytes`, bytes)
      whole.update(chunk)
      if (chunkSha256.length % chunksBetweenSigns === 0) await this.#showProgress(_id)
      await this.#files.writeChunk(fileId, chunkSha256.length, chunk)
      chunkSha256.push(hash('sha256', chunk, 'hex'))
    }
    return { bytes, sha256: whole.digest('hex'), chunkSha256 }
  }

  async #showProgress(_id: ObjectId): Promise<void> {
    const going = { $set: { uploadUntil: this.#until() } }
    const { matched } = await this.#documents.for('upload').updateOne({ _id, status: 'uploading' }, going)
    if (matched === 0) throw uploadLost()
  }

  #check({ sha256, ...input }: ParsedInput, written: Written): void {
    if (written.bytes === 0) throw refused('The firmware', 'bytes', 'expected an image', 0)
    if (sha256 !== undefined && sha256 !== written.sha256)
      throw refused('The firmware', 'sha256', 'is not that of the image', sha256)
    if (input.signature === undefined) return
    const signed = Buffer.from(signedText({ ...input, ...written }))
    const signature = Buffer.from(input.signature, 'base64')
    const isSigned = (key: KeyObject) => verify(null, signed, key, signature)
    if (!this.#limits.publicKeys.some(isSigned))
      throw refused('The firmware', 'signature', 'is by none of the keys over what was uploaded', input.signature)
  }

  async #finish(_id: ObjectId, written: Written): Promise<Firmware> {
    const ready = { $set: { status: 'ready', ...written }, $unset: { uploadUntil: '' } }
    const stored = await this.#documents.for('upload').findOneAndUpdate({ _id, status: 'uploading' }, ready)
    if (stored === null) throw uploadLost()
    return stored
  }

  #until(): Date {
    return new Date(this.#database.clock.now().getTime() + uploadMs)
  }
}

/**
 * What a signature is over: not the bytes alone, or a good image of another board, or an old one, would be signed too. Lines of
 * `autovolt-firmware-v1`, board, hardware (empty if there is none), version, size in bytes and SHA-256 in hexadecimal digits, with a line feed
 * between two.
 */
export function signedText(firmware: SignedFirmware): string {
  const { board, hardware = '', version, bytes, sha256 } = validateData(signedSchema, firmware, 'The firmware')
  return ['autovolt-firmware-v1', board, hardware, version, bytes, sha256].join('\n')
}

const signedSchema = z.object({
  /** The board that it is for. */
  board: boardName(),
  /** What of the board it needs; any where it is left out. */
  hardware: hardwareText().optional(),
  /** Of semver.org. */
  version: semanticVersion(),
  /** How large it is. */
  bytes: z.int().min(1),
  /** Its digest in hexadecimal digits. */
  sha256: sha256Hex(),
})
/** Signed firmware: what of an image a signature is over. */
export type SignedFirmware = z.input<typeof signedSchema>

async function* chunksOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let waiting: Buffer = Buffer.alloc(0)
  for await (const data of source) {
    if (!(data instanceof Uint8Array)) throw refused('The firmware', 'bytes', 'expected a stream of bytes', data)
    waiting = waiting.length === 0 ? Buffer.from(data) : Buffer.concat([waiting, data])
    let at = 0
    for (; waiting.length - at >= chunkBytes; at += chunkBytes) yield waiting.subarray(at, at + chunkBytes)
    waiting = waiting.subarray(at)
  }
  if (waiting.length > 0) yield waiting
}

function uploadLost(): DatabaseError {
  return new ConflictError('CONFLICT', 'The upload stood still for too long, and what it had written was removed')
}
