import { createPublicKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { DatabaseError, ValidationError } from '../core/errors.js'
import { validateData } from '../core/validate.js'
import { chunkBytes, mostChunks } from './firmware.js'

export interface FirmwareOptions {
  readonly firmware?: {
    /**
     * Ed25519 keys in PEM. If there are any, a firmware needs a signature by one of them.
     * @default none: a firmware with a signature is refused, for nothing can check it
     */
    readonly publicKeys?: readonly string[]
    /** The largest image. @default 16 MiB; 64 MiB at most */
    readonly maximumBytes?: number
  }
}

export interface FirmwareLimits {
  readonly publicKeys: readonly KeyObject[]
  readonly maximumBytes: number
}

const optionsSchema = z.strictObject({
  publicKeys: z.array(z.string().max(10_000)).max(20).default([]),
  maximumBytes: z
    .int()
    .min(1)
    .max(chunkBytes * mostChunks)
    .default(16 * 1_048_576),
})

/** @throws DatabaseError `CONFIGURATION` for options that cannot be used. */
export function firmwareLimitsOf({ firmware = {} }: FirmwareOptions): FirmwareLimits {
  try {
    const { publicKeys, maximumBytes } = validateData(optionsSchema, firmware, 'The options of firmware')
    return { publicKeys: publicKeys.map(publicKeyOf), maximumBytes }
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error
    throw new DatabaseError('CONFIGURATION', error.message)
  }
}

function publicKeyOf(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // Said below, without the text.
  }
  throw new DatabaseError('CONFIGURATION', '`firmware.publicKeys` takes public Ed25519 keys in PEM')
}
