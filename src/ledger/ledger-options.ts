import { z } from 'zod'
import { objectId } from '../core/fields.js'
import { abortSignal, callback, everyMs } from '../core/option-schemas.js'
import type { VerifyProgress } from './audit/verify-options.js'

// What the calls of a ledger take, as it is parsed before anything else sees it.

const size = () => z.int().min(0)
const path = () =>
  z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[^\0]+$/, { error: 'expected the path of a file' })
const checkpointText = () => z.string().max(100_000)

export const startSchema = z.strictObject({ restMs: everyMs() })
export const exportSchema = z.strictObject({ personalData: z.boolean().default(false) })
export const archiveSchema = z.strictObject({ file: path(), throughSize: size().optional() })
export const inclusionSchema = z.strictObject({ archiveFiles: z.array(path()).max(10_000).default([]) })
export const consistencySchema = z
  .strictObject({ fromSize: size(), toSize: size() })
  .refine(({ fromSize, toSize }) => fromSize <= toSize, {
    path: ['toSize'],
    error: 'expected a size that is not smaller than the first',
  })
const witnessPolicySchema = z.strictObject({
  witnesses: z.array(z.string().max(1000)).min(1).max(100),
  quorum: z.int().min(1).max(100),
  otherwise: z.enum(['caveat', 'damage']).optional(),
})
export const verifySchema = z.strictObject({
  knownCheckpoint: checkpointText().optional(),
  onlySince: z.boolean().optional(),
  registers: z.boolean().optional(),
  switchIds: z.array(objectId()).max(100_000).optional(),
  deviceId: objectId().optional(),
  classroom: objectId().optional(),
  witnessPolicy: witnessPolicySchema.optional(),
  signal: abortSignal().optional(),
  onProgress: callback<(progress: VerifyProgress) => void>().optional(),
})
