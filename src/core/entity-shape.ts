import { z } from 'zod'
import type { SchemaLike, Shape } from './schema-like.js'
import { personSealedPattern, type SealedFor } from './subject-keys/sealed-for.js'

/** How an encrypted field looks in the database: version, key name, and the rest in base64url. */
const sealedPattern = /^av1\.[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{38,}$/

/** How a sealed field looks: with a key of the ring, or of a person. */
export function sealedAs(sealedFor: SealedFor, secret: string): RegExp {
  return Object.hasOwn(sealedFor, secret) ? personSealedPattern : sealedPattern
}

/** The schema of a secret as it is stored: a sealed text or a hash, optional where the secret is. */
export function keptLike(plain: z.ZodType, pattern: RegExp): z.ZodType {
  const kept = z.string().regex(pattern)
  return plain instanceof z.ZodOptional ? kept.optional() : kept
}

/** The fields, each with its schema changed. */
export function mapShape(
  shape: Shape,
  change: (schema: SchemaLike, name: string) => z.ZodType,
): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, change(schema, name)]))
}
