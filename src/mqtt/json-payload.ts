import type { z } from 'zod'
import { type JsonEnd, jsonTokens } from '../ingestion/json-tokens.js'
import { maximumPayloadBytes } from '../ingestion/raw-message.js'
import type { Decoding } from '../ingestion/report.js'
import { withoutTerminator } from '../ingestion/terminator.js'

/** The JSON object in a payload, or why there is none. */
export function readJsonObject(
  payload: Uint8Array,
): { readonly object: Record<string, unknown> } | Exclude<Decoding, { reports: unknown }> {
  if (payload.byteLength > maximumPayloadBytes)
    return { reason: 'too_large', detail: `${payload.byteLength} bytes are more than ${maximumPayloadBytes}` }
  const text = withoutTerminator(payload).toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return endOf(text) === 'open'
      ? {
          reason: 'truncated',
          detail: `the JSON is still open after ${payload.byteLength} bytes`,
          macAddress: macIn(text),
        }
      : { reason: 'not_json', detail: 'the payload is not JSON', macAddress: macIn(text) }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { reason: 'invalid', detail: 'the JSON is not an object' }
  return { object: value as Record<string, unknown> }
}

function endOf(text: string): JsonEnd {
  const tokens = jsonTokens(text)
  let next = tokens.next()
  while (next.done !== true) next = tokens.next()
  return next.value
}

function macIn(text: string): string | undefined {
  return /"mac"\s*:\s*"([0-9A-Fa-f:.-]{12,17})"/.exec(text)?.[1]
}

/** Names the fields that are wrong, never what they hold: what is inside them may have names of the sender's choice. */
export function invalid(object: Record<string, unknown>, error: z.core.$ZodError): Decoding {
  const fields = [...new Set(error.issues.map(({ path }) => String(path[0] ?? 'the message')))].slice(0, 10)
  const mac = typeof object.mac === 'string' ? object.mac.slice(0, 64) : undefined
  return { reason: 'invalid', detail: `missing or not as expected: ${fields.join(', ')}`, macAddress: mac }
}
