import { z } from 'zod'
import type { SchemaLike, Shape } from './schema-like.js'

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
