import type { z } from 'zod'
import type { Decoding } from '../ingestion/report.js'

const maximumBytes = 65_536

/** The JSON object in a payload, or why there is none. */
export function readJsonObject(
  payload: Uint8Array,
): { readonly object: Record<string, unknown> } | Exclude<Decoding, { reports: unknown }> {
  if (payload.byteLength > maximumBytes)
    return { reason: 'too_large', detail: `${payload.byteLength} bytes are more than ${maximumBytes}` }
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const isCut = /^\s*\{/.test(text) && !/\}\s*$/.test(text)
    return isCut
      ? { reason: 'truncated', detail: `the JSON ends after ${payload.byteLength} bytes`, macAddress: macIn(text) }
      : { reason: 'not_json', detail: 'the payload is not JSON' }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { reason: 'invalid', detail: 'the JSON is not an object' }
  return { object: value as Record<string, unknown> }
}

function macIn(text: string): string | undefined {
  return /"mac"\s*:\s*"([0-9A-Fa-f:.-]{12,17})"/.exec(text)?.[1]
}

/** Names the fields that are wrong, never what they hold. */
export function invalid(object: Record<string, unknown>, error: z.core.$ZodError): Decoding {
  const fields = [...new Set(error.issues.map(({ path }) => path.join('.') || 'the message'))].slice(0, 10)
  const mac = typeof object.mac === 'string' ? object.mac.slice(0, 64) : undefined
  return { reason: 'invalid', detail: `missing or not as expected: ${fields.join(', ')}`, macAddress: mac }
}

/** JSON knows no number that is not one, but everything else can stand where a number should. */
export function isNumberOrAbsent(value: unknown): value is number | undefined {
  return value === undefined || typeof value === 'number'
}
