import { z } from 'zod'
import { defineEntity, type Stored } from '../core/entity.js'
import { objectId } from '../core/fields.js'
import { semanticVersion } from './semantic-version.js'

export const boardName = () =>
  z.string().regex(/^[a-z0-9][a-z0-9._-]{0,49}$/, { error: 'expected a board such as `esp32dev`' })
export const sha256Hex = () => z.string().regex(/^[0-9a-f]{64}$/, { error: 'expected 64 hexadecimal digits' })
/** An Ed25519 signature in base64. */
export const signatureText = () => z.string().regex(/^[A-Za-z0-9+/]{86}==$/, { error: 'expected 64 bytes in base64' })
export const hardwareText = () => z.string().min(1).max(100)

/** A multiple of the 4 KiB that flash is erased by. */
export const chunkBytes = 65_536
export const mostChunks = 1_024

/** `uploading` until all of it is there; `damaged` once a part was found to be another than was uploaded. */
const statuses = ['uploading', 'ready', 'damaged', 'removing'] as const

/** A firmware image for a board. Its bytes are in GridFS. */
export const firmwareEntity = defineEntity({
  name: 'firmware',
  collection: 'firmware_updates',
  personal: {
    subjects: { createdBy: { onErasure: 'delete' } },
    mentions: { in: ['notes'], onErasure: 'replace' },
    notPersonal: 'version board hardware status fileId uploadUntil bytes sha256 chunkSha256 signature'.split(' '),
  },
  fields: {
    /** Of semver.org; one image of it for each board. */
    version: semanticVersion(),
    /** The board that it is for, such as `esp32dev`. */
    board: boardName(),
    /** What of the board it needs, in the host's words, such as `rev-c`; any if left out. */
    hardware: hardwareText().optional(),
    /** What is new, for people. */
    notes: z.string().max(10_000).optional(),
    /** `uploading` until all of it is there, then `ready`; `damaged` once a part was not what was uploaded. */
    status: z.enum(statuses),
    /** Of the file in GridFS. */
    fileId: objectId(),
    /** Until then an upload shows that it goes on; what is older was left by a process that is gone. */
    uploadUntil: z.date().optional(),
    /** How large it is; absent while it is uploaded. */
    bytes: z.int().min(1).optional(),
    /** Its digest in hexadecimal digits; absent while it is uploaded. */
    sha256: sha256Hex().optional(),
    /** Of each 64 KiB, in order: each part can be verified without the whole. */
    chunkSha256: z.array(sha256Hex()).max(mostChunks).optional(),
    /** Ed25519 in base64, where it has one. */
    signature: signatureText().optional(),
    /** The user who has uploaded it. */
    createdBy: objectId().optional(),
  },
  indexes: [
    { key: { board: 1, version: 1 }, unique: true, serves: 'one image of a version for a board' },
    { key: { board: 1, _id: -1 }, serves: 'the images for a board, newest first' },
    { key: { status: 1, uploadUntil: 1 }, serves: 'what dead uploads have left' },
  ],
})

export type Firmware = Stored<typeof firmwareEntity>
